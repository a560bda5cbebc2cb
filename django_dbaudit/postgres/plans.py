"""How the planner would go about the statements on record: today, with one more index, with one less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django_dbaudit.words import quote


@dataclass(frozen=True, slots=True)
class Scan:
    """One table that a plan reads, and the indexes it reads it by: two or more if it combines them."""

    schema: str
    table: str
    node: str
    indexes: tuple[str, ...]
    #: Rows that pass its conditions, by estimate, over all loops of parallel workers together.
    rows: float
    #: In the planner's own unit, as every cost here.
    cost: float
    is_filtered: bool


@dataclass(frozen=True, slots=True)
class Plan:
    cost: float
    scans: tuple[Scan, ...]
    has_sort: bool


@dataclass(frozen=True, slots=True)
class PlannedStatement:
    """One statement, what it takes, and how it is planned today."""

    #: With ``$1`` for each constant.
    text: str
    calls_per_day: float
    ms_per_day: float
    #: View or call site that sends it, where somebody knows.
    sent_by: str | None
    #: None where ``problem`` says why it was not planned.
    plan: Plan | None
    problem: str | None = None

    @property
    def mean_ms(self) -> float:
        return self.ms_per_day / self.calls_per_day


@dataclass(frozen=True, slots=True)
class CandidateKey:
    """One key of an index that there might be."""

    column: str
    #: lower, upper, date, or date_trunc with its unit: ``date_trunc:day``; empty for the column itself.
    function: str = ""
    #: Without a schema, as its extension's is on the search path; empty for the default one.
    opclass: str = ""
    descending: bool = False
    #: Where they are put against the habit of the direction: NULLS LAST of a descending key.
    nulls_moved: bool = False

    @property
    def sql(self) -> str:
        column = quote(self.column)
        name, _, unit = self.function.partition(":")
        if name == "date":
            expression = f"(({column})::date)"
        elif unit:
            expression = f"date_trunc('{unit}', {column})"
        else:
            expression = f"{name}({column})" if name else column
        words = [expression, self.opclass, "DESC" * self.descending, self._nulls]
        return " ".join(word for word in words if word)

    @property
    def _nulls(self) -> str:
        if not self.nulls_moved:
            return ""
        return "NULLS LAST" if self.descending else "NULLS FIRST"


@dataclass(frozen=True, slots=True)
class Restriction:
    """One part of a partial index' predicate; ``word`` is null, not null, true or false."""

    column: str
    word: str

    @property
    def sql(self) -> str:
        column = quote(self.column)
        return {
            "null": f"{column} IS NULL",
            "not null": f"{column} IS NOT NULL",
            "true": column,
            "false": f"NOT {column}",
        }[self.word]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An index that there is not, and that some statement might be better off with."""

    schema: str
    table: str
    table_oid: int
    is_partitioned: bool
    access_method: str
    keys: tuple[CandidateKey, ...]
    predicate: tuple[Restriction, ...] = ()
    #: The patterns of LIKE are not on record: it serves those that do not begin with a wildcard.
    serves_prefixes_only: bool = False

    @property
    def qualified_table(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def target(self) -> str:
        """What comes after ON in CREATE INDEX."""
        keys = ", ".join(key.sql for key in self.keys)
        where = " AND ".join(each.sql for each in self.predicate)
        condition = f" WHERE {where}" if where else ""
        return f"{quote(self.schema, self.table)} USING {self.access_method} ({keys}){condition}"


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate held against a statement, both by their places in `StatementPlans`."""

    candidate: int
    statement: int
    #: Of the statement's plan if the index were there; None where nobody could ask.
    cost: float | None
    #: Derived from this very statement, and not from a like one.
    is_own: bool


@dataclass(frozen=True, slots=True)
class Removal:
    """An index that was hidden from the planner, and a statement that is planned with it today."""

    index_oid: int
    statement: int
    cost: float


@dataclass(frozen=True, slots=True)
class StatementPlans:
    """What the planner says of the statements that take most time.

    Each was planned with typical values of the columns in the place of its constants, which are not on
    record, and none was run.
    """

    items: tuple[PlannedStatement, ...]
    candidates: tuple[Candidate, ...]
    trials: tuple[Trial, ...]
    removals: tuple[Removal, ...]
    #: Statements on record, those included that were not looked at.
    total: int
    #: Entries whose text our role may not see.
    hidden: int
    since: datetime
    taken_at: datetime
    #: Version of the extension that makes indexes for the planner alone.
    hypopg: str | None
    #: HypoPG from 1.4 on can hide an index, too.
    can_hide: bool

    @property
    def planned(self) -> int:
        return sum(each.plan is not None for each in self.items)


def plan(answer: Any) -> Plan:
    """Out of what EXPLAIN (FORMAT JSON, VERBOSE) gives."""
    root = answer[0]["Plan"]
    nodes = list(_nodes(root, 1))
    return Plan(
        cost=root["Total Cost"],
        scans=tuple(_scan(node, share) for node, share in nodes if "Relation Name" in node),
        has_sort=any(node["Node Type"] == "Sort" for node, _ in nodes),
    )


def _nodes(node: Mapping[str, Any], share: float) -> Iterator[tuple[Mapping[str, Any], float]]:
    """Each node with the number by which parallel workers divide its rows."""
    yield node, share
    workers = node.get("Workers Planned", 0)
    if workers:
        # As get_parallel_divisor in costsize.c: the leader has less time, the more workers there are.
        share = workers + max(0, 1 - 0.3 * workers)
    for child in node.get("Plans", ()):
        yield from _nodes(child, share)


def _scan(node: Mapping[str, Any], share: float) -> Scan:
    # A bitmap scan has its indexes in the nodes below, which name no table.
    is_bitmap = node["Node Type"] == "Bitmap Heap Scan"
    parts = [each for each, _ in _nodes(node, 1)] if is_bitmap else [node]
    return Scan(
        schema=node.get("Schema", ""),
        table=node["Relation Name"],
        node=node["Node Type"],
        indexes=tuple(dict.fromkeys(each["Index Name"] for each in parts if "Index Name" in each)),
        rows=node["Plan Rows"] * share,
        cost=node["Total Cost"],
        is_filtered="Filter" in node,
    )
