"""An index that is read now and then, and costs far more in writing than those reads save.

``unused-index`` asks whether anything reads an index; this rule asks whether it is worth it. Every INSERT,
and every UPDATE that is not HOT, writes an entry into each index of the table, the log and the replicas.

**What counts.** What the scans save: for each, the pages of the table, or of what the next best index with
the same first column would lead to, less those that the scan itself read. What the index costs: each entry
written counts as a page read, which is about what both take. It is reported where the cost is
``RARELY_USED_COST_RATIO`` times (5) what is saved or more, it is scanned ``RARELY_USED_SCANS_PER_DAY``
times a day (10) at most and written ``RARELY_USED_WRITES_PER_DAY`` times (1,000) at least, and has
``LARGE_INDEX_PAGES`` pages (128, which is 1 MB). Scans and writes are summed over partitions; an index that
would take over a duplicate's work has the duplicate's scans, too. A partial index counts the writes by its
share of the rows. The statistics must cover ``RARELY_USED_DAYS`` (30); until then, and on a read replica,
the rule is *not run*.

**What is never reported.** An index whose few scans save much, as those of a nightly job over a large
table do; one whose scans read a tenth of it or more, which return rows in its order or from the index
alone, and so may save more than can be counted; indexes other than btree and hash, and those over an
expression, because what it costs to search a text or to compute the expression for every row, no page count
tells; unique indexes and those of constraints, replica identity, CLUSTER, extensions and materialized
views; those that serve a foreign key; and what ``unused-index``, ``duplicate-index``, ``redundant-index``
or ``low-selectivity-index`` would have dropped anyway.

**When to leave it alone.** When the few queries that use it are ones that somebody waits for: without it
each of them reads the table, or what another index leads to. PostgreSQL does not know when an index was
made: a young one has had little time to be read, but seems to have been written as long as the table.

**HOT.** An UPDATE that changes no indexed column, and finds room on its page, writes to no index at all.
Where hardly an update of the table is HOT, and it is this index's columns that change, dropping it
relieves all the others as well; the message says so where it may be.

**How to fix it.** Find the queries in ``pg_stat_statements``. Drop the index as the finding says, or make
it cheaper: partial, on the rows that those queries ask for.

*Source:* `Monitoring statistics <https://www.postgresql.org/docs/current/monitoring-stats.html>`__,
`Heap-only tuples <https://www.postgresql.org/docs/current/storage-hot.html>`__.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django_dbaudit import words
from django_dbaudit.analysis import declaration, usage
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.analysis.declaration import Companions, Declarations
from django_dbaudit.analysis.foreign_key_support import ForeignKeySupport
from django_dbaudit.analysis.index_cost import IndexCost, IndexCosts
from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.analysis.redundancy import protection
from django_dbaudit.analysis.selectivity import FewValues
from django_dbaudit.analysis.usage import DroppableIndexes, Usage
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity
from django_dbaudit.postgres.btree_pages import PAGE
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.server import Server, in_days
from django_dbaudit.rule import Rule

#: Share of HOT updates below which, if there are many, something keeps them from being so.
FEW_HOT = 0.5

#: Access methods that compare plain values, which costs little beside reading the row.
COUNTED = frozenset({"btree", "hash"})

rule = Rule(code="IDX015", severity=Severity.WARNING, since="0.1")


@rule.check
def rarely_used_index(
    trees: IndexTrees,
    few: FewValues,
    costs: IndexCosts,
    reads: Usage,
    support: ForeignKeySupport,
    droppable: DroppableIndexes,
    declarations: Declarations,
    companions: Companions,
    server: Server,
    cluster: Cluster,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    too_early = usage.too_early(server, cluster, thresholds.rarely_used_days, "RARELY_USED_DAYS")
    if too_early:
        yield rule.not_run(too_early)
        return
    age = server.taken_at - cluster.statistics_since(server)
    days = in_days(age)
    # The primary alone writes, and has counted for longer than a young replica has read.
    written_days = in_days(server.statistics_age)
    kept = droppable.oids | few.useless | support.oids
    found = {
        index.oid: (index, cost)
        for index in trees.items
        if _is_candidate(index)
        and index.oid not in kept
        and trees.size(index) >= thresholds.large_index_pages * PAGE
        and not usage.serves_django(declarations.of(index))
        and _is_worth_less(cost := costs.of(index), days, written_days, thresholds)
    }
    for index, cost in found.values():
        companion = companions.of(index)
        stays = companion if companion and companion.oid not in droppable.oids.union(found) else None
        fix = declaration.drop(index, declarations.of(index), stays)
        yield _finding(index, trees.size(index), reads, cost, declarations, server, age, fix)


def _is_candidate(index: Index) -> bool:
    return (
        index.is_usable
        and not index.is_unique
        and not index.on_materialized_view
        and index.access_method in COUNTED
        and None not in index.columns
        and (index.predicate is None or index.entries is not None or index.is_partitioned)
        and protection(index) is None
    )


def _is_worth_less(cost: IndexCost, days: float, written_days: float, thresholds: Thresholds) -> bool:
    return (
        not cost.is_swept
        and 0 < cost.scans <= thresholds.rarely_used_scans_per_day * days
        and cost.entries_written >= thresholds.rarely_used_writes_per_day * written_days
        and cost.ratio * days / written_days >= thresholds.rarely_used_cost_ratio
    )


def _finding(
    index: Index,
    size: int,
    reads: Usage,
    cost: IndexCost,
    declarations: Declarations,
    server: Server,
    age: timedelta,
    fix: Fix,
) -> Finding:
    declared = declarations.of(index)
    last = reads.last_scan(index)
    doubt = ""
    if server.may_have_been_replica:
        doubt = "; but this server may have been a replica until lately, which counted its own reads"
    return rule.finding(
        declaration.subject(index),
        f"{index.name} on {index.table} ({words.size(size)}) was read "
        f"{words.count(cost.scans, 'time')} in {words.duration(age)}, or since it was "
        f"made, against {cost.entries_written:,} entries written: it costs {_times(cost)} what it saves"
        f"{_hot(index, cost)}{doubt}.",
        severity=declaration.severity(
            declared, Severity.INFO if server.may_have_been_replica else rule.severity
        ),
        evidence={
            "scans": cost.scans,
            "last_scan": last.isoformat() if last else None,
            "entries_written": cost.entries_written,
            "pages_saved": round(cost.pages_saved),
            "cost_ratio": round(cost.ratio, 1),
            "updates": cost.updates,
            "hot_updates": cost.hot_updates,
            "statistics_since": (server.taken_at - age).isoformat(),
            "size_bytes": size,
            "definition": index.definition,
            **declaration.evidence(declared),
        },
        location=declaration.location(declared),
        fix=fix,
    )


def _times(cost: IndexCost) -> str:
    return f"about {cost.ratio:,.0f} times" if cost.pages_saved >= 1 else "far more than"


def _hot(index: Index, cost: IndexCost) -> str:
    """A word on HOT, where updates are most of the writes and this index may keep them from being so."""
    others = cost.updates - cost.hot_updates
    if not cost.updates or cost.hot_updates >= FEW_HOT * cost.updates or 2 * others < cost.entries_written:
        return ""
    share = words.percent(cost.hot_updates / cost.updates)
    columns = ", ".join(key.definition for key in index.keys)
    return f"; only {share} of the table's updates are HOT, and none that sets {columns} can be"
