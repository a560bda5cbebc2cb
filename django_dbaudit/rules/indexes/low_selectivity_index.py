"""An index on a column of so few values that each of them means a large part of the table.

An index pays where it leads to few rows. Where every value of a column is shared by a tenth of the rows
or more, as with a flag that is half true and half false, reading the table from end to end is cheaper,
and the planner does so; the index is only kept up.

**What counts.** A btree index of one column and at least ``LARGE_INDEX_PAGES`` pages (128, which is 1 MB),
where by ``pg_stats`` no value, NULL included, is rarer than ``LOW_SELECTIVITY_SHARE`` of the rows (10 %).
Where most rows have such a common value and others are rare, as a status that is nearly always *done*, the
index serves the rare ones alone: a partial index over those does the same at a fraction of the size, and
the finding is an information.

**What is never reported.** Unique indexes, and those of constraints, replica identity, CLUSTER, extensions
or single partitions; indexes that serve a foreign key; partial and multicolumn ones, and those with
INCLUDE; an index that is read ``LOW_SELECTIVITY_SCANS_PER_DAY`` times a day (1) or more, because the
queries know better than the statistics; and what ``unused-index``, ``duplicate-index`` or
``redundant-index`` would have dropped anyway. Columns that are mostly NULL are ``null-heavy-index``'s.
Scans on the replicas that the project has aliases for count too. Until the statistics of use cover
``LOW_SELECTIVITY_DAYS`` (7) on all of them, and on a replica alone, the rule is *not run*; nor is it for
an index whose column has statistics that our role may not read, or none.

**When to leave it alone.** ANALYZE takes a sample, and may never have seen the three rows among millions
that a queue looks for by this index: count them first. An index that counts rows without touching the
table, or that returns them in its order, may be worth its price as well.

**How to fix it.** Remove it from the model. For a rare value put a partial index in its place:
``models.Index(fields=["created_at"], condition=Q(status="open"))``.

*Source:* `Partial indexes <https://www.postgresql.org/docs/current/indexes-partial.html>`__,
`Statistics used by the planner <https://www.postgresql.org/docs/current/planner-stats.html>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import declaration, usage
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.analysis.declaration import Companions, Declarations
from django_dbaudit.analysis.leading_columns import LeadingColumns
from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.analysis.selectivity import FewValues
from django_dbaudit.analysis.usage import DroppableIndexes, Usage
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.server import Server
from django_dbaudit.project.schema import DeclaredIndex
from django_dbaudit.rule import Rule

#: Share of the rows with common values from which an index on the rare ones is much smaller.
MOSTLY = 0.9

rule = Rule(code="IDX010", severity=Severity.WARNING, since="0.1")


@rule.check
def low_selectivity_index(
    few: FewValues,
    columns: LeadingColumns,
    trees: IndexTrees,
    reads: Usage,
    droppable: DroppableIndexes,
    declarations: Declarations,
    companions: Companions,
    server: Server,
    cluster: Cluster,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    too_early = usage.too_early(server, cluster, thresholds.low_selectivity_days, "LOW_SELECTIVITY_DAYS")
    if too_early:
        yield rule.not_run(too_early)
        return
    for index in few.candidates:
        shares = few.shares[index.oid]
        if index.oid in few.useless:
            companion = companions.of(index)
            stays = companion if companion and companion.oid not in few.useless | droppable.oids else None
            yield _useless(index, trees.size(index), reads, shares, declarations, stays)
        elif _is_lopsided(shares, thresholds):
            yield _lopsided(index, trees.size(index), reads, shares, declarations, thresholds)
    for reason in columns.unjudged(few.candidates):
        yield rule.not_run(reason)


def _is_lopsided(shares: tuple[float, ...], thresholds: Thresholds) -> bool:
    rare = any(share < thresholds.low_selectivity_share for share in shares)
    return rare and _common(shares, thresholds) >= MOSTLY


def _common(shares: tuple[float, ...], thresholds: Thresholds) -> float:
    """The share of the rows whose value is too common for an index."""
    return sum(share for share in shares if share >= thresholds.low_selectivity_share)


def _useless(
    index: Index,
    size: int,
    reads: Usage,
    shares: tuple[float, ...],
    declarations: Declarations,
    companion: Index | None,
) -> Finding:
    values = words.count(len(shares), "value")
    return _finding(
        index,
        size,
        reads,
        shares,
        declarations,
        f"{index.columns[0]} of {index.table} has only {values}, the rarest in "
        f"{words.percent(min(shares))} of the rows: {index.name} ({words.size(size)}) "
        f"leads to too many, and was read {words.count(reads.scans(index), 'time')}.",
        rule.severity,
        declaration.drop(index, declarations.of(index), companion),
    )


def _lopsided(
    index: Index,
    size: int,
    reads: Usage,
    shares: tuple[float, ...],
    declarations: Declarations,
    thresholds: Thresholds,
) -> Finding:
    common = _common(shares, thresholds)
    return _finding(
        index,
        size,
        reads,
        shares,
        declarations,
        f"{index.name} ({words.size(size)}) serves the rare values of {index.columns[0]} "
        f"alone, and {words.percent(common)} of the rows of {index.table} have others.",
        Severity.INFO,
        _over_rare_values(index, declarations.of(index)),
    )


def _over_rare_values(index: Index, declared: DeclaredIndex | None) -> Fix:
    if declared and (declared.is_third_party or declared.kind == "bookkeeping"):
        return declaration.drop(index, declared)
    column = index.columns[0]
    where = "a partial index" if declared is None else "in Meta.indexes an index"
    condition = f"WHERE {index.keys[0].definition} IN (…)"
    if declared is not None:
        condition = f"with condition=models.Q({declared.field or column}__in=[…])"
    return Fix(
        "text",
        f"Add {where} {condition}, of the rare values that queries look for, and drop this one once "
        "its number of scans stands still.",
    )


def _finding(
    index: Index,
    size: int,
    reads: Usage,
    shares: tuple[float, ...],
    declarations: Declarations,
    message: str,
    severity: Severity,
    fix: Fix,
) -> Finding:
    declared = declarations.of(index)
    return rule.finding(
        declaration.subject(index),
        message,
        severity=declaration.severity(declared, severity),
        evidence={
            "values": len(shares),
            "rarest_share": round(min(shares), 4),
            "commonest_share": round(max(shares), 4),
            "scans": reads.scans(index),
            "size_bytes": size,
            "definition": index.definition,
            **declaration.evidence(declared),
        },
        location=declaration.location(declared),
        fix=fix,
    )
