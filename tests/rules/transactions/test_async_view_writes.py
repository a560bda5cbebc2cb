"""async-view-writes: coroutines, which no block can hold."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Station, Tag
from django_dbaudit.finding import Severity
from viewing import told


async def once(request: HttpRequest) -> HttpResponse:
    await Tag.objects.acreate(name="a")
    return HttpResponse()


@transaction.atomic
def work() -> None:
    Tag.objects.create(name="a")
    Station.objects.create(name="a")


async def by_a_thread(request: HttpRequest) -> HttpResponse:
    await sync_to_async(work)()
    return HttpResponse()


async def twice(request: HttpRequest) -> HttpResponse:
    await Tag.objects.acreate(name="a")
    await Station.objects.acreate(name="a")
    return HttpResponse()


def test_one_write_is_left_alone() -> None:
    assert told("async-view-writes", once, is_async=True) == ()


def test_a_function_with_a_block_in_a_thread_is_right() -> None:
    assert told("async-view-writes", by_a_thread, is_async=True) == ()


def test_a_view_that_is_not_async_is_another_rules() -> None:
    assert told("async-view-writes", twice) == ()


def test_two_awaited_writes_are_told_with_the_way_out() -> None:
    (finding,) = told("async-view-writes", twice, is_async=True)
    assert finding.severity is Severity.WARNING
    assert finding.fix is not None
    assert "sync_to_async" in finding.fix.text
    assert told("split-writes", twice, is_async=True) == ()


def test_atomic_requests_makes_every_request_fail() -> None:
    (finding,) = told("async-view-writes", once, is_async=True, atomic_requests=("default",))
    assert finding.severity is Severity.ERROR
    assert "RuntimeError" in finding.message
