"""What ``indexreport`` shows beside findings: every index, by table, with its verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_dbaudit import words
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.partitions import IndexTrees, TableTrees
from django_dbaudit.analysis.records import Records
from django_dbaudit.analysis.redundancy import protection
from django_dbaudit.audit import Audit
from django_dbaudit.codec import encode
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.management import index_history
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.migrations import MigrationIndexes
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.reports.document import Column, Row, Table

COLUMNS = (
    Column("Index"),
    Column("Size", is_number=True),
    Column("Scans", is_number=True),
    Column("Last read", is_number=True),
    Column("Declared by"),
    Column("Verdict"),
)
#: As they are where the records have something to tell of an index of the table.
COLUMNS_OF_RECORDS = (*COLUMNS[:-2], Column("First seen"), Column("Trend"), *COLUMNS[-2:])
#: What of a partitioned index, which has none of it itself, is told in sum.
SUMS = ("size_bytes", "size_is_estimate", "scans", "tuples_read", "tuples_fetched", "last_scan")
#: Rules whose finding on an index, unless it is a mere information, means that the index can go.
DROPPABLE = frozenset(
    {
        "unused-index",
        "duplicate-index",
        "redundant-index",
        "invalid-index",
        "low-selectivity-index",
        "rarely-used-index",
    }
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the indexes shown; the bytes are with those of all partitions."""

    indexes: int
    size_bytes: int
    #: Those that can go, and that go with a partitioned one.
    going: int
    going_bytes: int


class IndexList:
    """The indexes of one alias, with what declares them and what was found about them."""

    def __init__(self, facts: AliasFacts) -> None:
        self.alias = facts.database.alias
        self.indexes: tuple[Index, ...] = facts.get(Indexes).items
        self.trees: IndexTrees = facts.get(IndexTrees)
        self.tables: TableTrees = facts.get(TableTrees)
        records = facts.get(Records)
        self.records: Records | None = None if isinstance(records, Unavailable) else records
        declarations, migrations = facts.get(Declarations), facts.get(MigrationIndexes)
        known = isinstance(declarations, Declarations)
        self.declarations = declarations if known else Declarations(DeclaredIndexes((), (), ()))
        made = migrations.items if isinstance(migrations, MigrationIndexes) else ()
        self._made = {each.name: f"RunSQL in {each.migration}" for each in made}

    def table_list(self, outcome: Audit, *, say_alias: bool) -> Iterator[Table]:
        """A table for each table of the database, in the order in which the indexes come."""
        found = self._findings(outcome)
        by_table: dict[int, list[Index]] = defaultdict(list)
        for index in self.indexes:
            by_table[index.table_oid].append(index)
        for oid, group in by_table.items():
            yield self._table(oid, group, found, say_alias=say_alias)

    def totals(self, going: Mapping[int, Index]) -> Totals:
        """``going`` is what `going` says."""
        all_of = self._with_partitions(self.indexes)
        return Totals(
            indexes=len(self.indexes),
            size_bytes=sum(each.size_bytes for each in all_of.values()),
            going=sum(index.oid in going for index in self.indexes),
            going_bytes=sum(each.size_bytes for each in going.values()),
        )

    def going(self, outcome: Audit) -> dict[int, Index]:
        """By oid, the indexes that can go, with those attached to them."""
        found = self._findings(outcome)
        return self._with_partitions(
            index for index in self.indexes if can_go(found.get(index.qualified_name, ()))
        )

    def _with_partitions(self, indexes: Iterable[Index]) -> dict[int, Index]:
        """These and all attached to them, by oid: each once, be it shown itself or not."""
        return {each.oid: each for index in indexes for each in self.trees.tree(index)}

    def bloated(self, outcome: Audit, going: Mapping[int, Index]) -> dict[str, int]:
        """The indexes to rebuild, with the bytes that each wins; those that can go are not among them."""
        names = {index.qualified_name for index in going.values()}
        sizes = {name: won(each) for name, each in self._findings(outcome).items() if name not in names}
        return {name: size for name, size in sizes.items() if size}

    def _findings(self, outcome: Audit) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = defaultdict(list)
        for finding in outcome.findings:
            if finding.database == self.alias and finding.subject.kind == "index":
                found[finding.subject.name].append(finding)
        return found

    def _table(
        self, oid: int, group: list[Index], found: dict[str, list[Finding]], *, say_alias: bool
    ) -> Table:
        table = self.tables.by_oid.get(oid)
        title = f"{self.alias}: " * say_alias + group[0].qualified_table
        if table:
            rows, size = words.count(self.tables.rows(oid), "row"), words.size(self.tables.size(oid))
            title += f"  {rows}, {size}"
        whole = [self.trees.whole(each) for each in group]
        size = words.size(sum(each.size_bytes for each in whole))
        title += f"; {words.count(len(group), 'index')}, {size}"
        told = [self._told(each) for each in whole]
        has_past = any(cell for cells in told for cell in cells)
        rows_of = tuple(
            [
                self._row(each, found.get(each.qualified_name, ()), past if has_past else ())
                for each, past in zip(whole, told, strict=True)
            ]
        )
        return Table(title, COLUMNS_OF_RECORDS if has_past else COLUMNS, rows_of)

    def _told(self, index: Index) -> tuple[str, ...]:
        """What the records tell of an index, much or nothing."""
        if self.records is None or not self.records.history.servers:
            return ()
        past = self.records.past(index)
        return index_history.first_seen(past), index_history.trend(past)

    def _row(self, index: Index, findings: Sequence[Finding], past: tuple[str, ...]) -> Row:
        declared = self.declarations.of(index)
        cells = (
            index.name,
            words.size(index.size_bytes) + " est." * index.size_is_estimate,
            f"{index.scans:,}",
            f"{index.last_scan:%Y-%m-%d}" if index.last_scan else "",
            *past,
            declared.source if declared else self._made.get(index.name, "nothing"),
            verdict(index, findings),
        )
        worst = max((finding.severity for finding in findings), default=None)
        return Row(cells, worst)


def verdict(index: Index, findings: Sequence[Finding]) -> str:
    """The names of the findings; else why the index stays."""
    if findings:
        return ", ".join(
            f"{finding.name} (info)" if finding.severity is Severity.INFO else finding.name
            for finding in findings
        )
    kept = protection(index) or ("unique" if index.is_unique else None)
    if kept:
        return f"kept: {kept}"
    if index.is_being_built:
        return "being built"
    return "in use" if index.scans else "not read"


def can_go(findings: Iterable[Finding]) -> bool:
    """Whether what was found about an index says that it is not needed."""
    return any(each.name in DROPPABLE and each.severity > Severity.INFO for each in findings)


def won(findings: Iterable[Finding]) -> int:
    """Bytes that a rebuild of the index wins."""
    return sum(int(str(each.evidence["bytes_won"])) for each in findings if each.name == "bloated-index")


def lists(seen: Facts) -> Iterator[IndexList]:
    """One for each alias whose indexes are known; those of a replica are its primary's."""
    for each in seen.aliases:
        if each.get(Cluster).primary is not None:
            continue
        known = each.get(Indexes), each.get(Tables)
        if not any(isinstance(fact, Unavailable) for fact in known):
            yield IndexList(each)


def as_json(each: IndexList) -> Iterator[dict[str, Any]]:
    """Every fact of every index, the sums of a partitioned one, what declares it, and its past."""
    more = index_history.ServersAndPast(each.records) if each.records else None
    for index in each.indexes:
        declared = each.declarations.of(index)
        whole = encode(each.trees.whole(index)) if index.is_partitioned else {}
        yield {
            "database": each.alias,
            **encode(index),
            "with_partitions": {name: whole[name] for name in SUMS} if whole else None,
            "declared_by": encode(declared) if declared else None,
            **(more.of(index) if more else {"servers": [], "history": None}),
        }
