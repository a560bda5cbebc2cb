"""Which traffic ``queryreport`` shows: since when, of which views, to which aliases."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit.errors import AuditError
from django_dbaudit.finding import Finding
from django_dbaudit.management.view_names import is_named, meant
from django_dbaudit.traffic.facts import Traffic, ViewTraffic

_DAYS = re.compile(r"([0-9]{1,5})d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for; all that is empty leaves nothing out."""

    views: tuple[str, ...] = ()
    since: date | None = None


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--view",
        action="append",
        metavar="NAME",
        help="Show only this view and, line by line, what it asks: its name as the report has it, or the "
        "end of it; may be repeated.",
    )
    parser.add_argument(
        "--since",
        metavar="DAY",
        help="Count only what was recorded from this day on, in UTC: 2026-11-20, or 7d for the last seven "
        "days, today being one of them. Default: all that is kept.",
    )


def parse(given: Mapping[str, Any], today: date) -> Selection:
    """Check the options; an `AuditError` says what is wrong and what would be right."""
    since = None if given["since"] is None else _day(given["since"], today)
    if since is not None and given["load_facts"]:
        raise AuditError("--since needs the store: a facts file does not tell one day from another.")
    return Selection(views=tuple(given["view"] or ()), since=since)


def _day(text: str, today: date) -> date:
    """
    >>> _day("7d", date(2026, 11, 20)), _day("2026-11-20", date(2026, 11, 20))
    (datetime.date(2026, 11, 14), datetime.date(2026, 11, 20))
    """
    days = _DAYS.fullmatch(text)
    try:
        # Not "20261120" or a week's number, which newer Pythons read as well: one way to say it.
        found = today - timedelta(days=int(days[1]) - 1) if days else date.fromisoformat(text)
        is_plain = days is not None or found.isoformat() == text
    except (ValueError, OverflowError):
        is_plain = False
    if not is_plain or found > today:
        raise AuditError(
            f"--since is {text!r}; it must be a day that has begun in UTC, such as {today}, "
            "or a number of days, such as 7d."
        )
    return found


def narrowed(traffic: Traffic, databases: Collection[str]) -> Traffic:
    """The traffic to these aliases, by the views that ask them; to all of them, if there is none named."""
    if not databases:
        return traffic
    views = (_to(view, databases) for view in traffic.views)
    return Traffic(tuple(view for view in views if view.queries))


def _to(view: ViewTraffic, databases: Collection[str]) -> ViewTraffic:
    queries = tuple(each for each in view.queries if each.alias in databases)
    if len(queries) == len(view.queries):
        return view
    statements = [each for each in queries if each.kind != "transaction"]
    return dataclasses.replace(
        view,
        queries=queries,
        executions=sum(each.executions for each in statements),
        # The most of one request is known only of all aliases together, or of one line.
        most_executions=max((each.most_executions for each in statements), default=0),
        writes=sum(each.executions for each in queries if each.kind == "write"),
        query_microseconds=sum(each.microseconds for each in queries),
        commits=tuple(each for each in view.commits if all(unit.alias in databases for unit in each.units)),
    )


def chosen(selection: Selection, traffic: Traffic) -> Traffic:
    """The views that were asked for; an `AuditError` names one that is not there."""
    names = [view.view for view in traffic.views]
    for asked in selection.views:
        if not any(is_named(name, asked) for name in names):
            likely = meant(asked, names, "None was recorded.")
            raise AuditError(f"No traffic of a view {asked!r}. {likely}")
    if not selection.views:
        return traffic
    return Traffic(
        tuple(view for view in traffic.views if any(is_named(view.view, each) for each in selection.views))
    )


def about(findings: Sequence[Finding], traffic: Traffic) -> tuple[Finding, ...]:
    """The findings about these views."""
    keys = {(view.view, view.method or None) for view in traffic.views}
    return tuple(each for each in findings if (each.subject.name, each.subject.method) in keys)
