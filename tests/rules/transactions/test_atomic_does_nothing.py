"""atomic-does-nothing: blocks around what they cannot hold."""

from __future__ import annotations

from collections.abc import Iterator

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Tag
from django_dbaudit.finding import Severity
from viewing import line_of, told


def rows_in_a_block() -> Iterator[int]:
    with transaction.atomic():
        Tag.objects.create(name="a")
    yield 1


def block_in_a_generator(request: HttpRequest) -> HttpResponse:
    return HttpResponse(list(rows_in_a_block()))


@transaction.atomic
def work() -> None:
    Tag.objects.create(name="a")


async def by_a_thread(request: HttpRequest) -> HttpResponse:
    await sync_to_async(work)()
    return HttpResponse()


@transaction.atomic
def rows() -> Iterator[int]:
    Tag.objects.create(name="a")
    yield 1


def around_a_generator(request: HttpRequest) -> HttpResponse:
    return HttpResponse(list(rows()))


async def in_a_coroutine(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        await Tag.objects.acreate(name="a")
        await Tag.objects.acreate(name="b")
    return HttpResponse()


def test_a_block_in_the_body_of_a_generator_is_right() -> None:
    assert told("atomic-does-nothing", block_in_a_generator) == ()


def test_a_synchronous_function_in_a_thread_is_right() -> None:
    assert told("atomic-does-nothing", by_a_thread, is_async=True) == ()


def test_a_decorated_generator_is_a_warning() -> None:
    (finding,) = told("atomic-does-nothing", around_a_generator)
    assert finding.severity is Severity.WARNING
    assert line_of(finding) == "return HttpResponse(list(rows()))"


def test_a_block_that_a_coroutine_enters_is_an_error() -> None:
    (finding,) = told("atomic-does-nothing", in_a_coroutine, is_async=True)
    assert finding.severity is Severity.ERROR
    assert "SynchronousOnlyOperation" in finding.message
