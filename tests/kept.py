"""Traffic posed and put into a store, and what a test asks of it there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from django.core.management import call_command

from django_dbaudit.conf import Config
from django_dbaudit.store.connection import Store
from django_dbaudit.store.traffic import reading, writing
from django_dbaudit.store.traffic.flusher import Flusher
from django_dbaudit.store.traffic.room import MOST_ROWS, Room
from django_dbaudit.traffic.facts import (
    CallSite,
    CommitTraffic,
    EagerLoadTraffic,
    QuerySetTraffic,
    Traffic,
    ViewTraffic,
    WriteUnit,
)
from django_dbaudit.traffic.totals import Totals
from requests_posed import LINE, query, view
from scratch import Scratch

DAY = date(2026, 11, 20)
UNIT = WriteUnit("autocommit", "default", "view", ("book",), LINE)


def whole_view(**given: Any) -> Any:
    """A view with something of each kind."""
    return view(
        query(executions=3, most_executions=3, rows=7, most_rows=4, microseconds=50),
        query(fingerprint="UPDATE book SET a = ?", kind="write", tables=("book",)),
        querysets=(QuerySetTraffic(LINE, "shop.Book", ("iteration",), "view", "", 1, 2, 3, 2),),
        eager_loads=(EagerLoadTraffic(LINE, "shop.Book", "select_related", "author", 1, 2, 1),),
        commits=(CommitTraffic((UNIT, UNIT), is_cut=False, requests=1, most_units=2),),
        **{"executions": 4, "microseconds": 900, "slowest_microseconds": 900, **given},
    )


def dated(day: date, *views: ViewTraffic) -> Traffic:
    """As the store gives them back: of each way to commit it knows the last day."""
    last = day.isoformat()
    return Traffic(
        tuple(
            replace(each, commits=tuple(replace(way, last_day=last) for way in each.commits))
            for each in views
        )
    )


class Kept:
    """A database that is a store, with our tables in it."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.config = Config(store=scratch.alias)
        call_command("migrate", "django_dbaudit", database=scratch.alias, verbosity=0)

    def add(self, *views: Any, day: date = DAY, most_rows: int = MOST_ROWS) -> None:
        with Store(self.config) as store:
            writing.write(store, Traffic(views), day, Room(most_rows))

    def read(self, since: date | None = None) -> Traffic:
        return reading.read(self.config, since)

    def count(self, table: str) -> int:
        return int(self.scratch.run(f"SELECT count(*) FROM django_dbaudit_recorded{table}")[0][0])


class PosedTotals(Totals):
    """Totals that hold what a test says."""

    def __init__(self, *taken: Traffic) -> None:
        super().__init__()
        self.left = list(taken)

    def take(self) -> Traffic:
        return self.left.pop(0) if self.left else Traffic()


def flusher(config: Config, *taken: Traffic) -> Flusher:
    return Flusher(config, PosedTotals(*taken))


def line(number: int) -> CallSite:
    return CallSite("code", "shop/views.py", number, "cart")
