"""An index that no query has read for as long as the statistics go back.

Every INSERT, every UPDATE that is not HOT and every VACUUM pays for an index, and it takes its place
in memory and in backups. An index that is never read gives nothing back.

**What counts.** Scans are summed over a partitioned index and all its partitions, and over every
server of the cluster that the project has an alias for: each counts its own. An index that would take
over a duplicate's work counts the duplicate's scans as its own. The statistics must cover
``UNUSED_INDEX_DAYS`` (30 by default) on each server, counted from the latest of their reset, the
cluster's beginning or, if it crashed, its recovery. A clean restart loses nothing. Until then this rule
is *not run*. From PostgreSQL 16 an index that has been read, but not within these days, is reported too.

**Records.** ``indexreport --snapshot``, run once a day, keeps the counters in tables of ours. What they
tell of then adds up over resets, crashes, failovers and rebuilds; an index that is younger than the
window is not called unused; and before PostgreSQL 16, too, an index shows that nothing reads it any
more. The days count that some record or the statistics tell of: what lies between the last record and
a crash is lost, and is not counted.

**What is never reported.** Indexes of primary keys, unique and exclusion constraints; unique indexes;
replica identity; the index that a table is clustered on; indexes that serve the lookups of a foreign
key, or of a ``ForeignKey`` without a constraint, whose rows Django looks up to delete them; indexes
of extensions; and those of tables below ``UNUSED_INDEX_TABLE_PAGES`` pages, where the planner rightly
reads the table. On a replica alone the rule is *not run*: each server counts its own scans, and the
primary's are what a drop would hurt first. Nor is it run on a primary where an alias that may be a
replica's was left out, could not be reached, or cannot be placed. Which alias is a replica of which, the
system identifier, the timeline and the database tell, and where our role may not ask for them,
``TEST = {"MIRROR": …}`` in ``DATABASES``.

**Text fields.** ``db_index=True`` on a ``CharField`` makes two indexes, and its ``_like`` companion
finds equal values too; the planner settles for either. Where one of them is read, the fix keeps that one.

**When to leave it alone.** When a yearly job reads it, or a server of the cluster does that no alias leads
to: where replicas stream from the primary that we have not seen, the finding is only an information; an
alias for each lets us look there. PostgreSQL does not know when an index was made: without records, a
young one may have had little time to be read. A replica that was promoted goes on with the counters of
its life as a replica: they count from its promotion, which takes ``pg_monitor`` to know; without that
the finding is only an information. An expression index also carries statistics on its expression, which
the planner uses without scanning it: create them with ``CREATE STATISTICS`` before you drop the index.

**How to fix it.** Remove the index from the model, for one dropped by hand alone comes back with the
next database, and let a migration drop it concurrently: ``RemoveIndexConcurrently`` for an entry of
``Meta.indexes``, for a field's own index the operations that the finding shows.

*Source:* `Monitoring statistics <https://www.postgresql.org/docs/current/monitoring-stats.html>`__;
what moves ``idx_scan`` was measured on PostgreSQL 15 to 18.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import declaration
from django_dbaudit.analysis.declaration import Companions, Declarations
from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.analysis.records import Records
from django_dbaudit.analysis.usage import RecordedUsage, UnusedIndexes
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Evidence, Finding, Fix, NotRun, Severity
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.rule import Rule

#: The first version that knows when an index was last scanned.
KNOWS_LAST_SCAN = 160000

rule = Rule(code="IDX001", severity=Severity.WARNING, since="0.1")


@rule.check
def unused_index(
    unused: UnusedIndexes,
    reads: RecordedUsage,
    trees: IndexTrees,
    declarations: Declarations,
    companions: Companions,
    records: Records,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    too_early = records.too_early(thresholds.unused_index_days, "UNUSED_INDEX_DAYS")
    if too_early:
        yield rule.not_run(too_early)
        return
    oldest = records.oldest(thresholds.unused_index_days)
    for index in unused.items:
        companion = companions.of(index)
        stays = companion is not None and (companion.is_unique or reads.is_read_since(companion, oldest))
        fix = declaration.drop(index, declarations.of(index), companion, companion_stays=stays)
        yield _finding(index, trees.size(index), reads, declarations, records, fix)


def _finding(
    index: Index,
    size: int,
    reads: RecordedUsage,
    declarations: Declarations,
    records: Records,
    fix: Fix,
) -> Finding:
    declared = declarations.of(index)
    doubts = list(_doubts(index, records))
    caveats = "".join(f"; {each}" for each in doubts)
    is_expression = None in index.columns
    caveats += "; the planner may still use the statistics on its expression" * is_expression
    return rule.finding(
        declaration.subject(index),
        f"{index.name} on {index.table} ({words.size(size)}) {_disuse(index, reads, records)}{caveats}.",
        severity=declaration.severity(declared, Severity.INFO if doubts else rule.severity),
        evidence={
            **_evidence(index, reads, records),
            "size_bytes": size,
            "definition": index.definition,
            **declaration.evidence(declared),
        },
        location=declaration.location(declared),
        fix=fix,
    )


def _disuse(index: Index, reads: RecordedUsage, records: Records) -> str:
    """How long ago it was read, if ever."""
    server, last = records.server, reads.last_scan(index)
    where = _where(records)
    if reads.scans(index) and last:
        ago = words.duration(server.taken_at - last)
        if server.version < KNOWS_LAST_SCAN:
            return f"has not been read{where} since {last:%Y-%m-%d}, {ago} ago, by the records"
        return f"was last read{where} on {last:%Y-%m-%d}, {ago} ago"
    since = records.known_since(index)
    known = words.duration(records.coverage.within(since))
    if not records.history.servers:
        return f"has not been read once{where} since {since:%Y-%m-%d}, in {known} or since it was made"
    return f"has not been read once{where} since {since:%Y-%m-%d}, in {known} of records"


def _where(records: Records) -> str:
    replicas = [each.alias for each in records.cluster.replicas]
    return f" here or on {' or '.join(replicas)}" if replicas else ""


def _doubts(index: Index, records: Records) -> Iterator[str]:
    if records.server.may_have_been_replica:
        yield "but this server may have been a replica until lately, which counted its own reads"
    unseen = records.cluster.unseen(records.server)
    if unseen:
        follow = "follows" if unseen == 1 else "follow"
        yield f"but {words.count(unseen, 'replica')} without an alias {follow} this server, and may read it"


def _evidence(index: Index, reads: RecordedUsage, records: Records) -> Evidence:
    last = reads.last_scan(index)
    known: dict[str, str | int | float | bool | list[str] | None] = {
        "scans": reads.scans(index),
        "last_scan": last.isoformat() if last else None,
        "statistics_since": records.cluster.statistics_since(records.server).isoformat(),
    }
    if records.cluster.replicas:
        known["servers"] = [each.alias for each in records.cluster.servers]
    if records.history.servers:
        known["records_since"] = records.coverage.since.isoformat()
        known["days_of_records"] = round(records.coverage.age.total_seconds() / 86400, 1)
        known["first_seen"] = records.past(index).first_seen_at.isoformat()
    return known
