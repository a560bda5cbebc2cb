"""Records posed day by day: what a hundred snapshots would have left, in a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.rule import get_rule
from django_dbaudit.store import writing
from django_dbaudit.store.connection import Store
from django_dbaudit.store.history import IndexHistory
from django_dbaudit.store.writing import Written
from scratch import Scratch


class Diary:
    """Snapshots of a database, whose indexes and server are as they are but for what a test says.

    Days count from when the server began to count, 100 days ago.
    """

    TODAY = 100

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.config = Config(store=scratch.alias)
        self._server: Server = scratch.fact(Server)

    def moment(self, day: float) -> datetime:
        return self._server.taken_at - timedelta(days=self.TODAY - day)

    def server(self, day: float, *, since: float = 0, **attributes: Any) -> Server:
        times = {"counting_since": self.moment(since), "statistics_reset_at": None}
        return replace(self._server, taken_at=self.moment(day), **{**times, **attributes})

    def indexes(self, scans: Mapping[str, int], **attributes: Any) -> Indexes:
        """The user's indexes that ``scans`` names, with these counters."""
        known: dict[str, Index] = {each.name: each for each in self.scratch.fact(Indexes).items}
        plain = {"tuples_read": 0, "tuples_fetched": 0, "last_scan": None, **attributes}
        return Indexes(tuple([replace(known[name], scans=n, **plain) for name, n in scans.items()]))

    def write(
        self,
        day: float,
        scans: Mapping[str, int],
        *,
        alias: str = "",
        since: float = 0,
        last_scan: datetime | None = None,
        **attributes: Any,
    ) -> Written:
        """Take a snapshot of that day."""
        server = self.server(day, since=since, **attributes)
        with Store(self.config) as store:
            alias = alias or self.scratch.alias
            return writing.write(
                store, alias, server, self.indexes(scans, last_scan=last_scan).items, self.config
            )

    def history(self) -> IndexHistory:
        (known,) = facts.gather([self.scratch.alias], {IndexHistory}, self.config).aliases
        history: IndexHistory = known.get(IndexHistory)
        assert not history.absence, history.absence
        return history

    def judge(
        self,
        scans: Mapping[str, int],
        *,
        since: float = 0,
        last_scan: datetime | None = None,
        **attributes: Any,
    ) -> audit.Audit:
        """What unused-index says today, with these counters."""
        rules = [get_rule("unused-index")]
        kinds = audit.needed_facts(rules)
        (seen,) = facts.gather([self.scratch.alias], kinds, self.config).aliases
        posed = {
            Server: self.server(self.TODAY, since=since, **attributes),
            Indexes: self.indexes(scans, last_scan=last_scan),
        }
        changed = replace(seen, known={**seen.known, **posed})
        return audit.run(rules, facts.Facts((changed,)), Thresholds())
