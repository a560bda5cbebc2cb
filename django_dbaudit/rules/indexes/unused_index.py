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

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import declaration, usage
from django_dbaudit.analysis.declaration import Companions, Declarations
from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.analysis.usage import UnusedIndexes, Usage
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.server import Server
from django_dbaudit.rule import Rule

rule = Rule(code="IDX001", severity=Severity.WARNING, since="0.1")


@rule.check
def unused_index(
    unused: UnusedIndexes,
    reads: Usage,
    trees: IndexTrees,
    declarations: Declarations,
    companions: Companions,
    server: Server,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    too_early = usage.too_early(server, thresholds.unused_index_days, "UNUSED_INDEX_DAYS")
    if too_early:
        yield rule.not_run(too_early)
        return
    oldest = usage.read_before(server, thresholds)
    for index in unused.items:
        companion = companions.of(index)
        stays = companion is not None and (companion.is_unique or reads.is_read_since(companion, oldest))
        fix = declaration.drop(index, declarations.of(index), companion, companion_stays=stays)
        yield _finding(index, trees.size(index), reads, declarations, server, fix)


def _finding(
    index: Index,
    size: int,
    reads: Usage,
    declarations: Declarations,
    server: Server,
    fix: Fix,
) -> Finding:
    declared = declarations.of(index)
    scans, last = reads.scans(index), reads.last_scan(index)
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
