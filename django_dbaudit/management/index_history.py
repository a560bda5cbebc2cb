"""What ``indexreport`` shows of the records: first sight and trend of an index, what came and went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django_dbaudit.analysis.records import Change, Past, Records
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.reports.document import Column, Row, Table

CHANGE_COLUMNS = (Column("Index"), Column("Table"), Column("What"), Column("Definition"))
#: Changes longer ago are in the JSON alone.
RECENT = timedelta(days=30)
#: More of them than these would bury the report.
SHOWN = 20
#: A trend is worth a word from a change by this factor on, at this many scans a day at least.
FACTOR, NOTABLE = 3, 1


def first_seen(past: Past) -> str:
    """The day on which an index came up; nothing for one that was there before any record."""
    return "" if past.is_original else f"{past.first_seen_at:%Y-%m-%d}"


def trend(past: Past) -> str:
    """How the use of an index has changed, if it has much; in scans a day."""
    now, before = past.recent_rate, past.earlier_rate
    if now is None or before is None or max(now, before) < NOTABLE:
        return ""
    if now and before and max(now, before) < FACTOR * min(now, before):
        return ""
    return f"{_rate(now)} a day, {_rate(before)} before"


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or not number else f"{number:.1f}"


def change_tables(alias: str, records: Records, *, say_alias: bool) -> Iterator[Table]:
    """What came and went lately; nothing if nothing did."""
    earliest = records.server.taken_at - RECENT
    recent = sorted(
        (each for each in records.changes() if each.seen_at >= earliest),
        key=lambda each: each.seen_at,
        reverse=True,
    )
    if recent:
        more = f"; {SHOWN} of {len(recent):,}" if len(recent) > SHOWN else ""
        title = (
            f"{alias}: " * say_alias + f"Indexes that came and went in the last {RECENT.days} days{more}"
        )
        yield Table(title, CHANGE_COLUMNS, tuple([_row(each) for each in recent[:SHOWN]]))


def _row(change: Change) -> Row:
    what = "new, first" if change.is_new else "gone, last"
    table = f"{change.schema}.{change.table}"
    return Row((change.name, table, f"{what} seen {change.seen_at:%Y-%m-%d}", change.definition))


def changes_as_json(alias: str, records: Records) -> Iterator[dict[str, Any]]:
    for each in records.changes():
        yield {
            "database": alias,
            "change": "new" if each.is_new else "gone",
            "schema": each.schema,
            "table": each.table,
            "name": each.name,
            "definition": each.definition,
            "seen_at": each.seen_at.isoformat(),
            "scans": each.scans,
        }


class ServersAndPast:
    """What other servers and the records know of an index, as JSON values."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._servers = [(each.alias, each.by_oid) for each in records.cluster.servers]

    def of(self, index: Index) -> dict[str, Any]:
        return {
            "servers": [
                _counters(alias, own[index.oid]) for alias, own in self._servers if index.oid in own
            ],
            "history": _past(index, self._records) if self._records.history.servers else None,
        }


def _counters(alias: str, index: Index) -> dict[str, Any]:
    return {
        "alias": alias,
        "scans": index.scans,
        "tuples_read": index.tuples_read,
        "tuples_fetched": index.tuples_fetched,
        "last_scan": index.last_scan.isoformat() if index.last_scan else None,
    }


def _past(index: Index, records: Records) -> dict[str, Any]:
    past = records.past(index)
    return {
        "first_seen_at": past.first_seen_at.isoformat(),
        "is_original": past.is_original,
        "known_since": records.known_since(index).isoformat(),
        "scans": past.scans,
        "last_scan": past.last_scan.isoformat() if past.last_scan else None,
        "scans_per_day": past.recent_rate,
        "scans_per_day_before": past.earlier_rate,
    }
