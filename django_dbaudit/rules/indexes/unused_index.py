"""An index that no query has read for as long as the statistics go back.

Every INSERT, every UPDATE that is not HOT and every VACUUM pays for an index, and it takes its place
in memory and in backups. An index that is never read gives nothing back.

**What counts.** Scans are summed over a partitioned index and all its partitions, and an index that
would take over a duplicate's work counts the duplicate's scans as its own. The statistics must cover
``UNUSED_INDEX_DAYS`` (30 by default), counted from the latest of their reset, the cluster's beginning
or, if it crashed, its recovery. A clean restart loses nothing. Until then this rule is *not run*. From
PostgreSQL 16 an index that has been read, but not within these days, is reported too.

**What is never reported.** Indexes of primary keys, unique and exclusion constraints; unique indexes;
replica identity; the index that a table is clustered on; indexes that serve the lookups of a foreign
key, or of a ``ForeignKey`` without a constraint, whose rows Django looks up to delete them; indexes
of extensions; and those of tables below ``UNUSED_INDEX_TABLE_PAGES`` pages, where the planner rightly
reads the table. On a read replica the rule is *not run*: each server counts its own scans, and the
primary's are what a drop would hurt first.

**Text fields.** ``db_index=True`` on a ``CharField`` makes two indexes, and its ``_like`` companion
finds equal values too; the planner settles for either. Where one of them is read, the fix keeps that one.

**When to leave it alone.** When a yearly job reads it, or another server of the cluster does: look
there first. PostgreSQL does not know when an index was made: a young one has had little time to be
read. A replica that was promoted goes on with the counters of its life as a replica: they count from
its promotion, which takes ``pg_monitor`` to know; without that the finding is only an information. An
expression index also carries statistics on its expression, which the planner uses without scanning
it: create them with ``CREATE STATISTICS`` before you drop the index.

**How to fix it.** Remove the index from the model, for one dropped by hand alone comes back with the
next database, and let a migration drop it concurrently: ``RemoveIndexConcurrently`` for an entry of
``Meta.indexes``, for a field's own index the operations that the finding shows.

*Source:* `Monitoring statistics <https://www.postgresql.org/docs/current/monitoring-stats.html>`__;
what moves ``idx_scan`` was measured on PostgreSQL 15 to 18.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django_dbaudit import words
from django_dbaudit.analysis import declaration
from django_dbaudit.analysis.foreign_key_support import supporting
from django_dbaudit.analysis.redundancy import protection, superfluous
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity
from django_dbaudit.postgres.foreign_keys import ForeignKeys
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from django_dbaudit.rule import Rule

PAGE = 8192

rule = Rule(code="IDX001", severity=Severity.WARNING, since="0.1")


@rule.check
def unused_index(
    indexes: Indexes,
    tables: Tables,
    foreign_keys: ForeignKeys,
    declared: DeclaredIndexes,
    server: Server,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    too_early = _too_early(server, thresholds)
    if too_early:
        yield rule.not_run(too_early)
        return
    declarations = declaration.Declarations(declared)
    companions = declarations.companions(indexes.items)
    usage = _Usage(indexes)
    kept_for_keys = supporting(indexes.items, foreign_keys.items)
    # Nought asks for no certain age: then all that was ever counted is recent.
    oldest = server.taken_at - (timedelta(days=thresholds.unused_index_days) or server.statistics_age)
    for index in _candidates(indexes, tables, thresholds):
        if index.oid in kept_for_keys or usage.is_read_since(index, oldest):
            continue
        if _serves_django(declarations.of(index)):
            continue
        companion = companions.get(index.oid)
        stays = companion is not None and (companion.is_unique or usage.is_read_since(companion, oldest))
        fix = declaration.drop(index, declarations.of(index), companion, companion_stays=stays)
        yield _finding(index, usage, declarations, server, fix)


def _serves_django(declared: DeclaredIndex | None) -> bool:
    """Whether Django looks rows up by it: what a deletion cascades to, also without a constraint."""
    return declared is not None and declared.kind in ("foreign_key", "through")


def _too_early(server: Server, thresholds: Thresholds) -> str | None:
    if server.in_recovery:
        return "a read replica: its counters say nothing of the scans on the primary"
    if not server.track_counts:
        return "needs track_counts, which is off on this server"
    days = thresholds.unused_index_days
    if server.statistics_age < timedelta(days=days):
        return (
            f"the statistics cover {words.duration(server.statistics_age)}, since "
            f"{server.statistics_since:%Y-%m-%d %H:%M}; needs {days:g} days "
            "(DBAUDIT['THRESHOLDS']['UNUSED_INDEX_DAYS'])"
        )
    return None


class _Usage:
    """Scans of an index, of its partitions, and of those whose work it would take over."""

    def __init__(self, indexes: Indexes) -> None:
        self._parts: dict[int, list[Index]] = defaultdict(list)
        for index in indexes.items:
            if index.parent_oid is not None:
                self._parts[index.parent_oid].append(index)
        # As they were read: what is superfluous comes with its partitions' scans added.
        read = {index.oid: index for index in indexes.items}
        for each in superfluous(indexes.items):
            self._parts[each.kept.oid].append(read[each.index.oid])

    def tree(self, index: Index) -> Iterator[Index]:
        yield index
        for part in self._parts[index.oid]:
            yield from self.tree(part)

    def scans(self, index: Index) -> int:
        return sum(each.scans for each in self.tree(index))

    def last_scan(self, index: Index) -> datetime | None:
        times = [each.last_scan for each in self.tree(index) if each.last_scan is not None]
        return max(times, default=None)

    def is_read_since(self, index: Index, moment: datetime) -> bool:
        if not self.scans(index):
            return False
        last = self.last_scan(index)
        # Before PostgreSQL 16 nobody knows when; a scan then counts for ever.
        return last is None or last >= moment

    def size(self, index: Index) -> int:
        return index.size_bytes + sum(
            self.size(part) for part in self._parts[index.oid] if part.parent_oid == index.oid
        )


def _candidates(indexes: Indexes, tables: Tables, thresholds: Thresholds) -> Iterator[Index]:
    size = _TableSizes(tables)
    for index in indexes.items:
        if not index.is_usable or index.is_unique or protection(index):
            continue
        if size.pages(index.table_oid) >= thresholds.unused_index_table_pages:
            yield index


class _TableSizes:
    """Pages of a table and its partitions."""

    def __init__(self, tables: Tables) -> None:
        self._tables = {table.oid: table for table in tables.items}
        self._parts: dict[int, list[Table]] = defaultdict(list)
        for table in tables.items:
            if table.parent_oid is not None:
                self._parts[table.parent_oid].append(table)

    def pages(self, oid: int) -> int:
        table = self._tables.get(oid)
        own = table.size_bytes // PAGE if table else 0
        return own + sum(self.pages(part.oid) for part in self._parts[oid])


def _finding(
    index: Index,
    usage: _Usage,
    declarations: declaration.Declarations,
    server: Server,
    fix: Fix,
) -> Finding:
    declared = declarations.of(index)
    scans, last, size = usage.scans(index), usage.last_scan(index), usage.size(index)
    if scans and last:
        what = f"was last read on {last:%Y-%m-%d}, {words.duration(server.taken_at - last)} ago"
    else:
        what = (
            f"has not been read once since {server.statistics_since:%Y-%m-%d}, in "
            f"{words.duration(server.statistics_age)} or since it was made"
        )
    is_expression = None in index.columns
    caveat = "; the planner may still use the statistics on its expression" * is_expression
    if server.may_have_been_replica:
        caveat += "; but this server may have been a replica until lately, which counted its own reads"
    return rule.finding(
        declaration.subject(index),
        f"{index.name} on {index.table} ({words.size(size)}) {what}{caveat}.",
        severity=declaration.severity(
            declared, Severity.INFO if server.may_have_been_replica else rule.severity
        ),
        evidence={
            "scans": scans,
            "last_scan": last.isoformat() if last else None,
            "statistics_since": server.statistics_since.isoformat(),
            "size_bytes": size,
            "definition": index.definition,
            **declaration.evidence(declared),
        },
        location=declaration.location(declared),
        fix=fix,
    )
