"""receiver-writes: the second write that a signal makes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from corpus.models import Bike, Customer, Note, Tag
from viewing import told


def receiver_within_delete(request: HttpRequest) -> HttpResponse:
    Note.objects.get(pk=1).delete()
    return HttpResponse()


def receiver_within_get_or_create(request: HttpRequest) -> HttpResponse:
    Customer.objects.get_or_create(pk=1)
    return HttpResponse()


def receiver_of_a_relation(request: HttpRequest) -> HttpResponse:
    Bike.objects.get(pk=1).tags.clear()
    return HttpResponse()


def receiver_of_new_rows_alone(request: HttpRequest) -> HttpResponse:
    customer = Customer.objects.get(pk=1)
    customer.save()
    return HttpResponse()


def creates(request: HttpRequest) -> HttpResponse:
    Customer.objects.create(email="a@example.com")
    return HttpResponse()


def creates_and_more(request: HttpRequest) -> HttpResponse:
    Customer.objects.create(email="a@example.com")
    Tag.objects.create(name="a")
    return HttpResponse()


def test_receivers_inside_djangos_own_blocks_are_left_alone() -> None:
    for view in (receiver_within_delete, receiver_within_get_or_create, receiver_of_a_relation):
        assert told("receiver-writes", view) == ()


def test_a_receiver_that_does_nothing_for_this_row_is_left_alone() -> None:
    assert told("receiver-writes", receiver_of_new_rows_alone) == ()


def test_a_view_that_writes_twice_itself_is_another_rules() -> None:
    assert told("receiver-writes", creates_and_more) == ()
    assert len(told("split-writes", creates_and_more)) == 1


def test_a_receiver_of_post_save_is_told_with_its_line() -> None:
    (finding,) = told("receiver-writes", creates)
    assert finding.evidence["tables"] == ["corpus_customer", "corpus_profile"]
    receiver = finding.related[1].location
    assert receiver is not None
    assert receiver.path.endswith("corpus/receivers.py")
    assert told("split-writes", creates) == ()
