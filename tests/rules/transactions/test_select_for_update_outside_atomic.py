"""select-for-update-outside-atomic: locks that nothing holds."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Bike, Station
from django_dbaudit.finding import Severity
from viewing import effects_of, line_of, told, told_of


def in_a_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        return HttpResponse(Bike.objects.select_for_update().get(pk=1).frame)


def never_run(request: HttpRequest) -> HttpResponse:
    Bike.objects.select_for_update()
    return HttpResponse()


def only_counted(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Bike.objects.select_for_update().count())


def djangos_own(request: HttpRequest) -> HttpResponse:
    Station.objects.update_or_create(name="a", defaults={"free": 1})
    return HttpResponse()


def in_autocommit(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Bike.objects.select_for_update().get(pk=1).frame)


def another(request: HttpRequest) -> HttpResponse:
    return in_autocommit(request)


def on_another_alias(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        return HttpResponse(Bike.objects.using("archive").select_for_update().get(pk=1).frame)


def by_cursor(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE corpus_bike")
    return HttpResponse()


@pytest.mark.parametrize("view", [in_a_block, never_run, only_counted, djangos_own])
def test_what_is_held_or_locks_nothing_is_left_alone(view: object) -> None:
    assert callable(view)
    assert told("select-for-update-outside-atomic", view) == ()


def test_atomic_requests_holds_it() -> None:
    rule = "select-for-update-outside-atomic"
    assert told(rule, in_autocommit, atomic_requests=("default",)) == ()


def test_a_lock_in_autocommit_is_an_error_at_its_line() -> None:
    (finding,) = told("select-for-update-outside-atomic", in_autocommit)
    assert finding.severity is Severity.ERROR
    assert line_of(finding) == "return HttpResponse(Bike.objects.select_for_update().get(pk=1).frame)"


def test_a_block_of_another_alias_holds_nothing() -> None:
    assert len(told("select-for-update-outside-atomic", on_another_alias)) == 1


def test_a_lock_by_cursor_is_told() -> None:
    assert len(told("select-for-update-outside-atomic", by_cursor)) == 1


def test_one_line_that_two_views_reach_is_told_once_with_both() -> None:
    views = [effects_of(in_autocommit), effects_of(another)]
    (finding,) = told_of("select-for-update-outside-atomic", *views)
    assert finding.evidence["views"] == 2
    assert [each.kind for each in finding.related] == ["view", "view"]
