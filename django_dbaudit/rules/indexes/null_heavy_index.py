"""An index that is full of NULLs, which hardly any query looks for.

A btree holds an entry for every row, those with NULL included. Where nine rows in ten have no value, nine
entries in ten only take up memory and disk, and every INSERT of such a row pays for one. A partial index
over the rest serves every query that compares the column with a value, joins on it, or asks for its
minimum or maximum: PostgreSQL knows that ``column = 5`` leaves no NULL over.

**What counts.** A btree index of at least ``LARGE_INDEX_PAGES`` pages (128, which is 1 MB), whose first
column is NULL in ``NULL_HEAVY_SHARE`` of the rows (90 %) or more by ``pg_stats``. Where the column has
statistics that our role may not read, or none, the index is named as *not run*.

**What is never reported.** Unique indexes, and those of constraints, replica identity, CLUSTER, extensions
or single partitions; indexes that are partial already; those over an expression; and those that
``unused-index``, ``duplicate-index`` or ``redundant-index`` would have dropped anyway. Foreign keys lose
nothing: an index ``WHERE fk IS NOT NULL`` serves their lookups, and no rule of ours calls them unindexed.
The ``_like`` companion of a field with ``unique=True`` is left alone, since Django makes both or none.

**When to leave it alone.** When queries ask for the NULLs themselves (``column__isnull=True``), or sort by
the column without a condition that leaves the NULLs out (``order_by("-published_at")`` on all rows): a
partial index serves neither, and nothing on the server tells whether such queries exist. Then keep the
index, or add ``isnull=False`` to the queries that can do with it.

**How to fix it.** ``models.Index(…, condition=Q(column__isnull=False))`` in ``Meta.indexes``, built
concurrently before the old index goes.

*Source:* `Partial indexes <https://www.postgresql.org/docs/current/indexes-partial.html>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import declaration, partial_index, usage
from django_dbaudit.analysis.redundancy import protection
from django_dbaudit.analysis.unanalyzed import unjudged
from django_dbaudit.analysis.usage import PAGE, Usage
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, NotRun, Severity
from django_dbaudit.postgres.column_statistics import ColumnStatistic, ColumnStatistics
from django_dbaudit.postgres.foreign_keys import ForeignKeys
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.rule import Rule

rule = Rule(code="IDX009", severity=Severity.WARNING, since="0.1")


@rule.check
def null_heavy_index(
    indexes: Indexes,
    tables: Tables,
    foreign_keys: ForeignKeys,
    statistics: ColumnStatistics,
    declared: DeclaredIndexes,
    server: Server,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    declarations = declaration.Declarations(declared)
    companions = declarations.companions(indexes.items)
    going = usage.droppable(indexes, tables, foreign_keys, declarations, server, thresholds)
    reads = Usage(indexes)
    candidates = [
        index
        for index in indexes.items
        if _is_candidate(index)
        and index.oid not in going
        and reads.size(index) >= thresholds.large_index_pages * PAGE
    ]
    known = statistics.by_column
    columns = declaration.Columns(declared)
    heavy = {
        index.oid: index
        for index in candidates
        if _null_fraction(index, known) >= thresholds.null_heavy_share
    }
    for index in heavy.values():
        companion = companions.get(index.oid)
        if companion and _is_like(index) and (companion.is_unique or companion.oid in heavy):
            # Told with the field's other index; if that one is unique, it cannot change alone.
            continue
        yield _finding(
            index,
            heavy.get(companion.oid) if companion else None,
            reads.size(index),
            _null_fraction(index, known),
            declarations,
            columns,
        )
    for reason in unjudged(candidates, known):
        yield rule.not_run(reason)


def _is_candidate(index: Index) -> bool:
    return (
        index.is_usable
        and index.access_method == "btree"
        and not index.is_unique
        and index.predicate is None
        and index.columns[0] is not None
        and not index.keys[0].is_not_null
        and protection(index) is None
        and index.is_deparsed
    )


def _is_like(index: Index) -> bool:
    return index.keys[0].opclass.endswith("_pattern_ops")


def _null_fraction(index: Index, known: dict[tuple[int, str], ColumnStatistic]) -> float:
    statistic = known.get((index.table_oid, str(index.columns[0])))
    return statistic.null_fraction or 0.0 if statistic else 0.0


def _finding(
    index: Index,
    companion: Index | None,
    size: int,
    null_fraction: float,
    declarations: declaration.Declarations,
    columns: declaration.Columns,
) -> Finding:
    declared = declarations.of(index)
    key = index.keys[0]
    made_by = columns.of(index.schema, index.table, key.column)
    field = made_by.field if made_by else key.column
    return rule.finding(
        declaration.subject(index),
        f"{key.column} is NULL in {words.percent(null_fraction)} of the rows of {index.table}, and "
        f"{index.name} ({words.size(size)}) has an entry for each of them.",
        severity=declaration.severity(declared, rule.severity),
        evidence={
            "null_fraction": round(null_fraction, 4),
            "size_bytes": size,
            "scans": index.scans,
            "definition": index.definition,
            **declaration.evidence(declared),
        },
        location=declaration.location(declared),
        related=[declaration.related(companion, declarations)] if companion else [],
        fix=partial_index.replacement(
            index,
            declared,
            companion,
            predicate=f"{key.definition} IS NOT NULL",
            condition=f"models.Q({field}__isnull=False)",
        ),
    )
