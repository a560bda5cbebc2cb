"""What ``queryreport`` shows beside findings: views worst first, and what each of their lines asks."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django_dbaudit import words
from django_dbaudit.analysis.call_sites import milliseconds, name_of, shortened, where
from django_dbaudit.codec import encode
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.reports.document import Column, Row, Table
from django_dbaudit.traffic.facts import (
    NOWHERE,
    CallSite,
    CommitTraffic,
    EagerLoadTraffic,
    QuerySetTraffic,
    QueryTraffic,
    Traffic,
    ViewTraffic,
    WriteUnit,
)

VIEWS = (
    Column("View"),
    Column("Requests", is_number=True),
    Column("Queries each", is_number=True),
    Column("Most", is_number=True),
    Column("Writes", is_number=True),
    Column("Time each", is_number=True),
    Column("In queries", is_number=True),
    Column("Found"),
)
CALL_SITES = (
    Column("Asked at"),
    Column("By"),
    Column("In"),
    Column("Executions", is_number=True),
    Column("Each request", is_number=True),
    Column("Most", is_number=True),
    Column("Rows", is_number=True),
    Column("Time", is_number=True),
    Column("Slowest", is_number=True),
    Column("Statement"),
)
QUERYSETS = (
    Column("Built at"),
    Column("Of"),
    Column("Built", is_number=True),
    Column("Executed", is_number=True),
    Column("By"),
)
EAGER_LOADS = (
    Column("Built at"),
    Column("Loads along"),
    Column("Loaded", is_number=True),
    Column("Read", is_number=True),
)
COMMITS = (
    Column("Commits, in this order"),
    Column("Most", is_number=True),
    Column("Rolled back", is_number=True),
    Column("Requests", is_number=True),
)


def worst_first(traffic: Traffic) -> list[ViewTraffic]:
    """By the time that the database had to do with them."""
    return sorted(
        traffic.views, key=lambda each: (-each.query_microseconds, each.view, each.method, each.route)
    )


def view_table(traffic: Traffic, findings: Sequence[Finding]) -> Table:
    """A row for each view and method, whatever the route."""
    found = _by_view(findings)
    routes: dict[tuple[str, str], list[ViewTraffic]] = defaultdict(list)
    for view in traffic.views:
        routes[view.view, view.method].append(view)
    rows = [(_whole(each), found.get(key, [])) for key, each in routes.items()]
    rows.sort(key=lambda row: (-row[0].query_microseconds, row[0].view, row[0].method))
    title = f"{words.count(len(rows), 'view')}, {words.count(traffic.requests, 'request')}"
    return Table(title, VIEWS, tuple([_view_row(*row) for row in rows]))


def _whole(routes: Sequence[ViewTraffic]) -> ViewTraffic:
    """The numbers of a view's routes as one."""
    sums = ("requests", "executions", "writes", "microseconds", "query_microseconds")
    numbers = {name: sum(getattr(each, name) for each in routes) for name in sums}
    most = max(each.most_executions for each in routes)
    return dataclasses.replace(routes[0], most_executions=most, **numbers)


def _view_row(view: ViewTraffic, findings: Sequence[Finding]) -> Row:
    return Row(
        (
            name_of(view),
            f"{view.requests:,}",
            _average(view.executions, view.requests),
            f"{view.most_executions:,}",
            f"{view.writes:,}",
            milliseconds(view.microseconds / max(1, view.requests)),
            milliseconds(view.query_microseconds),
            ", ".join(dict.fromkeys(each.name for each in findings)),
        ),
        _worst(findings),
    )


def view_tables(view: ViewTraffic, findings: Sequence[Finding]) -> Iterator[Table]:
    """All that is known of one view: what is empty is left out."""
    found = _by_view(findings).get((view.view, view.method), [])
    title = f"{name_of(view)}  {view.route or '(no route)'}; {words.count(view.requests, 'request')}"
    queries = sorted(view.queries, key=lambda each: (-each.microseconds, each.site, each.fingerprint))
    parts = (
        (f"{title}: what its lines ask", CALL_SITES, [_query_row(view, each, found) for each in queries]),
        (f"{title}: querysets", QUERYSETS, [_queryset_row(each) for each in view.querysets]),
        (f"{title}: loaded along", EAGER_LOADS, [_eager_row(each) for each in view.eager_loads]),
        (f"{title}: commits", COMMITS, [_commit_row(each) for each in view.commits]),
    )
    for name, columns, rows in parts:
        if rows:
            yield Table(name, columns, tuple(rows))


def _query_row(view: ViewTraffic, query: QueryTraffic, findings: Sequence[Finding]) -> Row:
    about = [each for each in findings if query.site.line and each.location == query.site.location]
    return Row(
        (
            _site(query.site, query.rendered_at),
            f"{query.how} of {query.relation}" if query.relation else query.how,
            f"{query.phase}, {query.unit}",
            f"{query.executions:,}",
            _average(query.executions, view.requests),
            f"{query.most_executions:,}",
            f"{query.rows:,}",
            milliseconds(query.microseconds),
            milliseconds(query.slowest_microseconds),
            shortened(query.fingerprint),
        ),
        _worst(about),
    )


def _queryset_row(queryset: QuerySetTraffic) -> Row:
    return Row(
        (
            _site(queryset.site),
            queryset.relation or queryset.model,
            f"{queryset.built:,}",
            f"{queryset.executions:,}",
            ", ".join(queryset.hows) or "nothing: it was never executed",
        )
    )


def _eager_row(load: EagerLoadTraffic) -> Row:
    along = f"{load.model}: {load.method}({load.lookup})"
    return Row((_site(load.site), along, f"{load.loads:,}", f"{load.reads:,}"))


def _commit_row(commit: CommitTraffic) -> Row:
    units = [_unit(each) for each in commit.units] + ["…"] * commit.is_cut
    return Row(
        (
            " → ".join(units) or "nothing",
            f"{commit.most_units:,}",
            f"{commit.rolled_back:,}",
            f"{commit.requests:,}",
        )
    )


def _unit(unit: WriteUnit) -> str:
    loop = " in a loop" if unit.is_repeated else ""
    return f"{unit.kind} ({', '.join(unit.tables)}){loop} at {_site(unit.site)}"


def _site(site: CallSite, rendered_at: CallSite = NOWHERE) -> str:
    below = f", from {where(rendered_at)}" if rendered_at.line else ""
    return where(site) + below


def _average(number: int, requests: int) -> str:
    """
    >>> _average(7, 2), _average(4, 2), _average(0, 0)
    ('3.5', '2', '0')
    """
    value = number / max(1, requests)
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _worst(findings: Sequence[Finding]) -> Severity | None:
    return max((each.severity for each in findings), default=None)


def _by_view(findings: Sequence[Finding]) -> dict[tuple[str, str], list[Finding]]:
    found: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for each in findings:
        found[each.subject.name, each.subject.method or ""].append(each)
    return found


def views_as_json(traffic: Traffic) -> Iterator[dict[str, Any]]:
    """Every fact of each view but its queries, which are the call sites."""
    for view in worst_first(traffic):
        yield {name: value for name, value in encode(view).items() if name != "queries"}


def call_sites_as_json(traffic: Traffic) -> Iterator[dict[str, Any]]:
    """Every fact of each query, by view."""
    for view in worst_first(traffic):
        for query in view.queries:
            yield {"view": view.view, "method": view.method, "route": view.route, **encode(query)}
