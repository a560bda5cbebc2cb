"""read-only-view-in-transaction: transactions that nothing needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Bike, Tag
from viewing import line_of, told


@transaction.atomic
def writes(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name=str(Tag.objects.count()))
    return HttpResponse()


@transaction.atomic
def locks(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Bike.objects.select_for_update().get(pk=1).frame)


@transaction.atomic
def sets_something(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 100")
    return HttpResponse(Bike.objects.count())


@transaction.atomic
def calls_what_it_is_given(request: HttpRequest) -> HttpResponse:
    request.hook()  # type: ignore[attr-defined]  # what is tried
    return HttpResponse(Bike.objects.count())


def no_transaction(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Bike.objects.count())


def only_reads(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        number = Bike.objects.count()
    return HttpResponse(number)


@pytest.mark.parametrize("view", [writes, locks, sets_something, calls_what_it_is_given, no_transaction])
def test_a_transaction_with_a_purpose_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("read-only-view-in-transaction", view, "GET") == ()


def test_a_block_around_reads_is_told_where_it_stands() -> None:
    (finding,) = told("read-only-view-in-transaction", only_reads, "GET")
    assert line_of(finding) == "with transaction.atomic():"


def test_atomic_requests_is_told_once_for_the_alias() -> None:
    (finding,) = told("read-only-view-in-transaction", no_transaction, "GET", atomic_requests=("default",))
    assert finding.subject.kind == "setting"
    assert finding.subject.name == 'DATABASES["default"]["ATOMIC_REQUESTS"]'
    assert (finding.evidence["views"], finding.evidence["read_only"]) == (1, 1)


def test_a_view_for_post_may_have_a_reason() -> None:
    assert told("read-only-view-in-transaction", no_transaction, "POST", atomic_requests=("default",)) == ()
