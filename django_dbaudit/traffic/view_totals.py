"""What is counted of one view, and the facts that are made of it.

Everything stands under keys that are compared by identity; paths and lines are looked up here.
"""

from __future__ import annotations

from typing import Any

from django_dbaudit.traffic.callsite import Probe
from django_dbaudit.traffic.eager import EagerKey
from django_dbaudit.traffic.facts import (
    CommitTraffic,
    EagerLoadTraffic,
    QuerySetTraffic,
    QueryTraffic,
    ViewTraffic,
    WriteUnit,
)
from django_dbaudit.traffic.how import KEEPING
from django_dbaudit.traffic.lineage import relation_label
from django_dbaudit.traffic.recording import Tally


class QueryTotals:
    __slots__ = (
        "duplicates",
        "executions",
        "failures",
        "most_executions",
        "most_rows",
        "querysets",
        "requests",
        "requests_with_2",
        "requests_with_3",
        "requests_with_5",
        "requests_with_10",
        "rows",
        "seconds",
        "slowest",
    )  # fmt: skip

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    def add(self: Any, tally: Tally) -> None:
        times = tally.executions
        self.requests += 1
        self.executions += times
        if times > 1:
            self.requests_with_2 += 1
            if times > 2:
                self.requests_with_3 += 1
                self.requests_with_5 += times >= 5
                self.requests_with_10 += times >= 10
        if times > self.most_executions:  # noqa: PLR1730  # max() takes twenty times as long
            self.most_executions = times
        self.duplicates += tally.duplicates
        self.failures += tally.failures
        self.querysets += tally.querysets
        self.seconds += tally.seconds
        if tally.slowest > self.slowest:  # noqa: PLR1730  # as above
            self.slowest = tally.slowest
        if tally.rows:
            self.rows += tally.rows
            self.most_rows = max(self.most_rows, tally.most_rows)

    def facts(self: Any, unit: str, probe: Probe) -> QueryTraffic:
        statement = probe.statement
        same = {name: getattr(self, name) for name in self.__slots__ if name not in ("seconds", "slowest")}
        return QueryTraffic(
            site=probe.site.call_site,
            rendered_at=probe.rendered_at.call_site,
            fingerprint=statement.fingerprint,
            kind=statement.kind,
            tables=statement.tables,
            phase=probe.phase,
            how=probe.how,
            relation=probe.relation,
            alias=probe.alias,
            unit=unit,
            microseconds=round(self.seconds * 1_000_000),
            slowest_microseconds=round(self.slowest * 1_000_000),
            **same,
        )


class ViewTotals:
    """Of one view, method and route."""

    __slots__ = (
        "commits",
        "eager_loads",
        "executions",
        "failed",
        "most",
        "queries",
        "query_seconds",
        "querysets",
        "requests",
        "seconds",
        "slowest",
        "writes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.requests = self.failed = self.executions = self.most = self.writes = 0
        self.seconds = self.slowest = self.query_seconds = 0.0
        self.queries: dict[tuple[str, Probe], QueryTotals] = {}
        #: requests, built, executions, most executions, repeats, fetched, unread
        self.querysets: dict[tuple[Any, ...], list[int]] = {}
        #: requests, most units, rolled back, failed requests
        self.commits: dict[tuple[Any, ...], list[int]] = {}
        #: requests, loads, reads
        self.eager_loads: dict[EagerKey, list[int]] = {}

    def facts(self, view: str, method: str, route: str) -> ViewTraffic:
        return ViewTraffic(
            view=view,
            method=method,
            route=route,
            requests=self.requests,
            failed_requests=self.failed,
            executions=self.executions,
            most_executions=self.most,
            writes=self.writes,
            microseconds=round(self.seconds * 1_000_000),
            slowest_microseconds=round(self.slowest * 1_000_000),
            query_microseconds=round(self.query_seconds * 1_000_000),
            queries=tuple(totals.facts(*key) for key, totals in self.queries.items()),
            querysets=tuple(_queryset_facts(key, counts) for key, counts in self.querysets.items()),
            commits=tuple(_commit_facts(key, counts) for key, counts in self.commits.items()),
            eager_loads=tuple(_eager_facts(key, counts) for key, counts in self.eager_loads.items()),
        )


def _queryset_facts(key: tuple[Any, ...], counts: list[int]) -> QuerySetTraffic:
    site, model, hows, phase, owner, name = key
    label = model if isinstance(model, str) else model._meta.label
    relation = relation_label(owner, name)
    if KEEPING.isdisjoint(hows):
        # What get() and the like fetched, they handed out.
        counts = [*counts[:5], 0, 0]
    return QuerySetTraffic(site.call_site, label, hows, phase, relation, *counts)


def _eager_facts(key: EagerKey, counts: list[int]) -> EagerLoadTraffic:
    return EagerLoadTraffic(key.site.call_site, key.model._meta.label, key.method, key.lookup, *counts)


def _commit_facts(key: tuple[Any, ...], counts: list[int]) -> CommitTraffic:
    units, is_cut = key
    requests, most_units, rolled_back, failed = counts
    return CommitTraffic(
        tuple(_unit_facts(*unit) for unit in units), is_cut, requests, most_units, rolled_back, failed
    )


def _unit_facts(kind: str, probes: tuple[Probe, ...], is_repeated: bool) -> WriteUnit:
    first = probes[0]
    tables = sorted({table for probe in probes for table in probe.statement.tables})
    return WriteUnit(kind, first.alias, first.phase, tuple(tables), first.site.call_site, is_repeated)
