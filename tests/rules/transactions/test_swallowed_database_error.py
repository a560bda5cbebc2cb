"""swallowed-database-error: errors caught inside the block they have aborted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Bike, Station
from viewing import line_of, told


@transaction.atomic
def with_a_savepoint(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            Station.objects.create(name="a")
    except IntegrityError:
        return HttpResponse("taken")
    return HttpResponse()


@transaction.atomic
def raised_again(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except IntegrityError:
        if request.POST:
            raise ValueError from None
        raise
    return HttpResponse()


@transaction.atomic
def rolled_back(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except IntegrityError:
        transaction.set_rollback(True)
    return HttpResponse()


@transaction.atomic
def reads(request: HttpRequest) -> HttpResponse:
    try:
        Bike.objects.get(pk=1)
    except Exception:  # noqa: BLE001  # what is tried
        return HttpResponse("none")
    return HttpResponse()


@transaction.atomic
def another_error(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except KeyError:
        return HttpResponse("none")
    return HttpResponse()


def in_autocommit(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except IntegrityError:
        return HttpResponse("taken")
    return HttpResponse()


@transaction.atomic
def swallowed(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except IntegrityError:
        return HttpResponse("taken")
    return HttpResponse()


@transaction.atomic
def without_a_savepoint(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic(savepoint=False):
            Station.objects.create(name="a")
    except IntegrityError:
        return HttpResponse("taken")
    return HttpResponse()


RIGHT = [with_a_savepoint, raised_again, rolled_back, reads, another_error, in_autocommit]


@pytest.mark.parametrize("view", RIGHT)
def test_what_swallows_nothing_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("swallowed-database-error", view) == ()


@pytest.mark.parametrize("view", [swallowed, without_a_savepoint])
def test_an_error_that_is_caught_inside_is_told_at_the_try(view: Callable[..., Any]) -> None:
    (finding,) = told("swallowed-database-error", view)
    assert line_of(finding) == "try:"
    assert "corpus_station" in finding.message


def test_under_atomic_requests_the_whole_view_is_the_block() -> None:
    (finding,) = told("swallowed-database-error", in_autocommit, atomic_requests=("default",))
    assert "the transaction of ATOMIC_REQUESTS" in finding.message
