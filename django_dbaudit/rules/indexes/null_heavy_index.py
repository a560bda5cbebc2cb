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
from django_dbaudit.analysis import declaration, partial_index
from django_dbaudit.analysis.declaration import Companions, Declarations
from django_dbaudit.analysis.declared_columns import Columns
from django_dbaudit.analysis.leading_columns import JudgedByColumn, LeadingColumns
from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, NotRun, Severity
from django_dbaudit.postgres.column_statistics import ColumnStatistic
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.rule import Rule

rule = Rule(code="IDX009", severity=Severity.WARNING, since="0.1")


@rule.check
def null_heavy_index(
    judged: JudgedByColumn,
    columns: LeadingColumns,
    trees: IndexTrees,
    fields: Columns,
    declarations: Declarations,
    companions: Companions,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    candidates = [index for index in judged.items if _can_hold_nulls(index)]
    heavy = {
        index.oid: index
        for index in candidates
        if _null_fraction(columns.statistic(index)) >= thresholds.null_heavy_share
    }
    for index in heavy.values():
        companion = companions.of(index)
        if companion and _is_like(index) and (companion.is_unique or companion.oid in heavy):
            # Told with the field's other index; if that one is unique, it cannot change alone.
            continue
        yield _finding(
            index,
            heavy.get(companion.oid) if companion else None,
            trees.size(index),
            _null_fraction(columns.statistic(index)),
            declarations,
            fields,
        )
    for reason in columns.unjudged(candidates):
        yield rule.not_run(reason)


def _can_hold_nulls(index: Index) -> bool:
    return not index.keys[0].is_not_null and index.is_deparsed


def _is_like(index: Index) -> bool:
    return index.keys[0].opclass.endswith("_pattern_ops")


def _null_fraction(statistic: ColumnStatistic | None) -> float:
    return statistic.null_fraction or 0.0 if statistic else 0.0


def _finding(
    index: Index,
    companion: Index | None,
    size: int,
    null_fraction: float,
    declarations: Declarations,
    fields: Columns,
) -> Finding:
    declared = declarations.of(index)
    key = index.keys[0]
    made_by = fields.of(index.schema, index.table, key.column)
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
