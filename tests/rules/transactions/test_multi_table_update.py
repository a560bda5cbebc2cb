"""multi-table-update: update() of a row in two tables."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Bike, ElectricBike, Station
from viewing import told


def one_table(request: HttpRequest) -> HttpResponse:
    ElectricBike.objects.update(battery=1)
    return HttpResponse()


def parents_table(request: HttpRequest) -> HttpResponse:
    ElectricBike.objects.update(state="free", rides=0)
    return HttpResponse()


@transaction.atomic
def in_a_block(request: HttpRequest) -> HttpResponse:
    ElectricBike.objects.update(battery=1, state="free")
    return HttpResponse()


def two_calls(request: HttpRequest) -> HttpResponse:
    Bike.objects.update(state="free")
    Station.objects.update(free=1)
    return HttpResponse()


def two_tables(request: HttpRequest) -> HttpResponse:
    ElectricBike.objects.update(battery=1, state="free")
    return HttpResponse()


def test_fields_of_one_table_are_one_statement() -> None:
    assert told("multi-table-update", one_table) == ()
    assert told("multi-table-update", parents_table) == ()


def test_a_block_holds_both_statements() -> None:
    assert told("multi-table-update", in_a_block) == ()


def test_two_calls_can_be_seen_and_are_another_rules() -> None:
    assert told("multi-table-update", two_calls) == ()


def test_fields_of_two_tables_are_told_once() -> None:
    (finding,) = told("multi-table-update", two_tables)
    assert "updates 2 tables with one update()" in finding.message
    assert told("split-writes", two_tables) == ()
    assert told("hidden-second-write", two_tables) == ()
