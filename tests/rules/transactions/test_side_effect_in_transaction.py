"""side-effect-in-transaction: what a rollback does not take back."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Note, Station, Tag
from django_dbaudit.finding import Severity
from viewing import line_of, told


def tell() -> None:
    send_mail("a", "b", None, ["c@example.com"])


def in_autocommit(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    tell()
    return HttpResponse()


def after_the_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
    tell()
    return HttpResponse()


@transaction.atomic
def after_the_commit(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    transaction.on_commit(functools.partial(tell))
    return HttpResponse()


@transaction.atomic
def nothing_to_roll_back(request: HttpRequest) -> HttpResponse:
    Station.objects.select_for_update().get(name="a")
    tell()
    return HttpResponse()


@transaction.atomic
def waits_by_itself(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    QUEUE["a"].delay_on_commit(1)
    return HttpResponse()


@transaction.atomic
def mail(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    tell()
    return HttpResponse()


@transaction.atomic
def task(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    QUEUE["a"].delay(1)
    return HttpResponse()


@transaction.atomic
def cached(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    cache.delete("tags")
    return HttpResponse()


@transaction.atomic
def file(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    os.unlink("x")
    return HttpResponse()


def by_a_receiver(request: HttpRequest) -> HttpResponse:
    Note.objects.get(pk=1).delete()
    return HttpResponse()


class Queue:
    """Whose tasks nobody knows."""

    def __getitem__(self, name: str) -> Any:
        raise NotImplementedError


QUEUE = Queue()
RIGHT = [in_autocommit, after_the_block, after_the_commit, nothing_to_roll_back, waits_by_itself]


@pytest.mark.parametrize("view", RIGHT)
def test_what_goes_out_at_the_right_time_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("side-effect-in-transaction", view) == ()


@pytest.mark.parametrize(
    ("view", "line", "severity"),
    [
        (mail, 'send_mail("a", "b", None, ["c@example.com"])', Severity.WARNING),
        (task, 'QUEUE["a"].delay(1)', Severity.WARNING),
        (cached, 'cache.delete("tags")', Severity.INFO),
        (file, 'os.unlink("x")', Severity.INFO),
    ],
)
def test_what_goes_out_inside_is_told(view: Callable[..., Any], line: str, severity: Severity) -> None:
    (finding,) = told("side-effect-in-transaction", view)
    assert line_of(finding) == line
    assert finding.severity is severity
    assert finding.related[0].kind == "atomic"


def test_the_receivers_of_delete_run_in_djangos_block() -> None:
    (finding,) = told("side-effect-in-transaction", by_a_receiver)
    assert "the transaction of Model.delete()" in finding.message


def test_atomic_requests_is_a_transaction_too() -> None:
    (finding,) = told("side-effect-in-transaction", in_autocommit, atomic_requests=("default",))
    assert "the transaction of ATOMIC_REQUESTS" in finding.message
