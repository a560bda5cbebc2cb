"""long-work-in-transaction: waiting with a transaction open."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Tag
from django_dbaudit.finding import Severity
from viewing import line_of, told


def in_autocommit(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    time.sleep(1)
    return HttpResponse()


def before_the_block(request: HttpRequest) -> HttpResponse:
    time.sleep(1)
    with transaction.atomic():
        Tag.objects.create(name="a")
    return HttpResponse()


@transaction.atomic
def after_the_commit(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    transaction.on_commit(lambda: time.sleep(1))
    return HttpResponse()


@transaction.atomic
def asks_nothing(request: HttpRequest) -> HttpResponse:
    time.sleep(1)
    return HttpResponse()


@transaction.atomic
def sleeps(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    time.sleep(1)
    return HttpResponse()


@transaction.atomic
def starts_a_program(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    subprocess.run(["true"], check=True)
    return HttpResponse()


@transaction.atomic
def only_reads(request: HttpRequest) -> HttpResponse:
    number = Tag.objects.count()
    time.sleep(1)
    return HttpResponse(number)


@pytest.mark.parametrize("view", [in_autocommit, before_the_block, after_the_commit, asks_nothing])
def test_waiting_outside_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("long-work-in-transaction", view) == ()


@pytest.mark.parametrize(
    ("view", "line"),
    [(sleeps, "time.sleep(1)"), (starts_a_program, 'subprocess.run(["true"], check=True)')],
)
def test_waiting_with_locks_is_a_warning(view: Callable[..., Any], line: str) -> None:
    (finding,) = told("long-work-in-transaction", view)
    assert finding.severity is Severity.WARNING
    assert line_of(finding) == line
    assert "and its locks stay open" in finding.message


def test_waiting_after_reads_alone_is_an_information() -> None:
    (finding,) = told("long-work-in-transaction", only_reads)
    assert finding.severity is Severity.INFO
