"""A large table that is read from end to end again and again.

A sequential scan reads every page of a table to find what may be a handful of rows. Once a night that
is as it should be; many times an hour it fills memory with pages that nobody asked for, and the time it
takes grows with the table.

**What counts.** A table of at least ``SEQUENTIAL_SCAN_ROWS`` rows (10,000) and ``SEQUENTIAL_SCAN_PAGES``
pages (500), read sequentially ``SEQUENTIAL_SCANS_PER_DAY`` times a day (24) or more, each scan a tenth
of the rows or more on average. ``SEQUENTIAL_ROWS_PER_DAY`` rows read so in a day (100 million) make it a
warning. Below that it is an information, and only where such scans are at least a tenth of all scans of
the table, its indexes' included. Partitions are counted one by one and told together.

**What is never reported.** Small tables, which are best read whole; scans that a LIMIT or an EXISTS
ends early; a table that, from PostgreSQL 16 on, nobody has so read for ``SEQUENTIAL_SCAN_DAYS`` (1 by
default), because what made it necessary has been seen to. Until the statistics cover that long the rule
is *not run*. Each server counts its own scans; a read replica's are judged there.

**When to leave it alone.** When the queries do want most of the rows, as reports and exports do.
Parallel workers may be counted as scans of their own.

**How to fix it.** Find the query: ``pg_stat_statements`` ordered by ``total_exec_time``, or
``auto_explain``. Index the columns it filters by, or have it read less. A foreign key without an index
(``unindexed-foreign-key``) is a frequent cause.

*Source:* `pg_stat_all_tables
<https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW>`__.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django_dbaudit import words
from django_dbaudit.analysis.partitions import TableTrees
from django_dbaudit.analysis.usage import not_counted
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity, Subject
from django_dbaudit.postgres.btree_pages import PAGE
from django_dbaudit.postgres.server import Server, in_days
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.rule import Rule

#: Share of the rows that a scan reads on average; less, and something ended it early.
WHOLE = 0.1
#: Share of sequential scans in all scans from which few rows a day are worth a word.
NOTABLE = 0.1

rule = Rule(code="IDX011", severity=Severity.WARNING, since="0.1", per_server=True)


@rule.check
def heavy_sequential_scans(
    tables: Tables, trees: TableTrees, server: Server, thresholds: Thresholds
) -> Iterator[Finding | NotRun]:
    too_early = not_counted(server, thresholds.sequential_scan_days, "SEQUENTIAL_SCAN_DAYS")
    if too_early:
        yield rule.not_run(too_early)
        return
    heavy: dict[int, list[Table]] = defaultdict(list)
    for table in tables.items:
        if _is_heavy(table, server, thresholds):
            heavy[trees.root(table).oid].append(table)
    days = in_days(server.statistics_age)
    for oid, parts in heavy.items():
        reading = _Reading.of(parts, days)
        is_warning = reading.rows_per_day >= thresholds.sequential_rows_per_day
        if is_warning or reading.share_of_scans >= NOTABLE:
            yield _finding(trees.by_oid[oid], reading, server, is_warning=is_warning)


def _is_heavy(table: Table, server: Server, thresholds: Thresholds) -> bool:
    last = table.last_sequential_scan
    return (
        table.rows >= thresholds.sequential_scan_rows
        and table.size_bytes >= thresholds.sequential_scan_pages * PAGE
        and table.sequential_scans > 0
        and table.sequential_scans / in_days(server.statistics_age) >= thresholds.sequential_scans_per_day
        and table.sequential_rows_read / table.sequential_scans >= WHOLE * table.rows
        and (
            last is None
            or server.taken_at - last <= timedelta(days=max(1, thresholds.sequential_scan_days))
        )
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a table, or those of its partitions that count, is read."""

    rows: int
    size_bytes: int
    sequential_scans: int
    index_scans: int
    rows_read: int
    days: float
    partitions: tuple[str, ...]

    @classmethod
    def of(cls, parts: list[Table], days: float) -> _Reading:
        return cls(
            rows=sum(each.rows for each in parts),
            size_bytes=sum(each.size_bytes for each in parts),
            sequential_scans=sum(each.sequential_scans for each in parts),
            index_scans=sum(each.index_scans for each in parts),
            rows_read=sum(each.sequential_rows_read for each in parts),
            days=days,
            partitions=tuple(each.qualified_name for each in parts if each.parent_oid is not None),
        )

    @property
    def rows_per_day(self) -> float:
        return self.rows_read / self.days

    @property
    def scans_per_day(self) -> float:
        return self.sequential_scans / self.days

    @property
    def share_of_scans(self) -> float:
        return self.sequential_scans / (self.sequential_scans + self.index_scans)


def _finding(table: Table, reading: _Reading, server: Server, *, is_warning: bool) -> Finding:
    evidence: dict[str, str | int | float | list[str]] = {
        "rows": reading.rows,
        "size_bytes": reading.size_bytes,
        "sequential_scans": reading.sequential_scans,
        "sequential_rows_read": reading.rows_read,
        "sequential_rows_read_per_day": round(reading.rows_per_day),
        "index_scans": reading.index_scans,
        "statistics_since": server.statistics_since.isoformat(),
    }
    of_partitions = ""
    if reading.partitions:
        evidence["partitions"] = list(reading.partitions)
        of_partitions = f" in {words.count(len(reading.partitions), 'partition')}"
    return rule.finding(
        Subject("table", table.qualified_name, table.qualified_name),
        f"{table.name} ({words.count(reading.rows, 'row')}{of_partitions}, "
        f"{words.size(reading.size_bytes)}) is read from end to end {round(reading.scans_per_day):,} "
        f"times a day: {words.count(round(reading.rows_per_day), 'row')} a day, "
        f"{words.percent(reading.share_of_scans)} of all its scans.",
        severity=None if is_warning else Severity.INFO,
        evidence=evidence,
        fix=Fix(
            "text",
            f"Find the queries on {table.name} in pg_stat_statements, or with auto_explain, and index "
            "the columns that they filter by; unindexed-foreign-key names some.",
        ),
    )
