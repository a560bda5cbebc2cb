"""durable-nested: a durable block within another."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Tag
from django_dbaudit.finding import Severity
from viewing import told


@transaction.atomic(durable=True)
def work() -> None:
    Tag.objects.create(name="a")


def outermost(request: HttpRequest) -> HttpResponse:
    work()
    return HttpResponse()


def around_another(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(durable=True), transaction.atomic():
        Tag.objects.create(name="a")
    return HttpResponse()


def one_after_the_other(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
    work()
    return HttpResponse()


def on_another_alias(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using="archive"):
        work()
    return HttpResponse()


def within(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        work()
    return HttpResponse()


def test_a_durable_block_that_is_outermost_is_left_alone() -> None:
    for view in (outermost, around_another, one_after_the_other, on_another_alias):
        assert told("durable-nested", view) == ()


def test_a_durable_block_within_another_is_an_error_that_names_it() -> None:
    (finding,) = told("durable-nested", within)
    assert finding.severity is Severity.ERROR
    assert [each.kind for each in finding.related] == ["atomic", "view"]


def test_atomic_requests_is_a_block_too() -> None:
    (finding,) = told("durable-nested", outermost, atomic_requests=("default",))
    assert "inside ATOMIC_REQUESTS" in finding.message
