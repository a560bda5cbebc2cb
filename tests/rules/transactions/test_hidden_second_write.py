"""hidden-second-write: one call that writes twice."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from corpus.forms import BikeForm, PlainBikeForm
from corpus.models import Invoice, Payment, Rental, SafeInvoice, Tag
from viewing import told


def plain_form(request: HttpRequest) -> HttpResponse:
    form = PlainBikeForm(request.POST)
    if form.is_valid():
        form.save()
    return HttpResponse()


def model_that_guards_itself(request: HttpRequest) -> HttpResponse:
    SafeInvoice.objects.create()
    return HttpResponse()


def helper(rental: Rental) -> None:
    Payment.objects.create(rental=rental)
    Tag.objects.create(name="paid")


def by_a_helper(request: HttpRequest) -> HttpResponse:
    helper(Rental.objects.get(pk=1))
    return HttpResponse()


def save(request: HttpRequest) -> HttpResponse:
    Payment.objects.create(rental=Rental.objects.get(pk=1))
    Tag.objects.create(name="paid")
    return HttpResponse()


def form_with_a_relation(request: HttpRequest) -> HttpResponse:
    form = BikeForm(request.POST)
    if form.is_valid():
        form.save()
    return HttpResponse()


def model_that_saves_more(request: HttpRequest) -> HttpResponse:
    Invoice(rental=Rental.objects.get(pk=1)).save()
    return HttpResponse()


def test_one_write_behind_one_call_is_left_alone() -> None:
    assert told("hidden-second-write", plain_form) == ()


def test_a_model_that_opens_a_block_itself_is_left_alone() -> None:
    assert told("hidden-second-write", model_that_guards_itself) == ()


def test_a_helper_whose_writes_can_be_read_is_another_rules() -> None:
    assert told("hidden-second-write", by_a_helper) == ()
    assert len(told("split-writes", by_a_helper)) == 1


def test_a_view_that_is_itself_called_save_hides_nothing() -> None:
    assert told("hidden-second-write", save) == ()


def test_the_relations_of_a_form_are_pieces_of_their_own() -> None:
    (finding,) = told("hidden-second-write", form_with_a_relation)
    assert "though it reads like one write: insert corpus_bike, then" in finding.message
    assert told("split-writes", form_with_a_relation) == ()


def test_a_save_that_saves_more_is_told_with_where_the_block_goes() -> None:
    (finding,) = told("hidden-second-write", model_that_saves_more)
    assert finding.fix is not None
    assert finding.fix.text.startswith("In corpus.models.Invoice.save, put with transaction.atomic():")
