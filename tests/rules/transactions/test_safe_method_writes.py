"""safe-method-writes: what GET changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from corpus.models import AuditLog, Bike, Profile, Rental, Station, Tag
from django_dbaudit.finding import Severity
from viewing import told


def reads(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Bike.objects.count())


def makes_what_is_missing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Station.objects.get_or_create(name="a")[0].name)


def marks_the_visit(request: HttpRequest) -> HttpResponse:
    Bike.objects.filter(pk=1).update(last_seen=timezone.now())
    return HttpResponse()


def counts_the_visit(request: HttpRequest) -> HttpResponse:
    Profile.objects.filter(pk=1).update(views=F("views") + 1)
    return HttpResponse()


def keeps_a_log(request: HttpRequest) -> HttpResponse:
    AuditLog.objects.create(text="seen")
    return HttpResponse()


def changes(request: HttpRequest) -> HttpResponse:
    Rental.objects.filter(pk=1).update(state="closed")
    return HttpResponse()


def deletes(request: HttpRequest) -> HttpResponse:
    Tag.objects.filter(name="a").delete()
    return HttpResponse()


RIGHT = [reads, makes_what_is_missing, marks_the_visit, counts_the_visit, keeps_a_log]


@pytest.mark.parametrize("view", RIGHT)
def test_what_a_crawler_may_do_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("safe-method-writes", view, "GET") == ()


def test_post_may_write() -> None:
    assert told("safe-method-writes", deletes, "POST") == ()


@pytest.mark.parametrize(("view", "severity"), [(changes, Severity.INFO), (deletes, Severity.WARNING)])
def test_a_get_that_changes_is_told_and_one_that_deletes_is_worse(
    view: Callable[..., Any], severity: Severity
) -> None:
    (finding,) = told("safe-method-writes", view, "GET")
    assert finding.severity is severity
    assert finding.subject.method == "GET"
    assert finding.related[0].kind == "write"
