"""What ``indexreport`` shows beside findings: every index, by table, with its verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django_dbaudit import words
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.records import Records
from django_dbaudit.analysis.redundancy import protection
from django_dbaudit.audit import Audit
from django_dbaudit.codec import encode
from django_dbaudit.facts import Facts, Unavailable
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
#: As they are with records; the cells of both are empty where there is nothing to tell.
COLUMNS_OF_RECORDS = (*COLUMNS[:-2], Column("First seen"), Column("Trend"), *COLUMNS[-2:])
#: Rules whose finding on an index, unless it is a mere information, means that the index can go.
DROPPABLE = frozenset(
    {"unused-index", "duplicate-index", "redundant-index", "invalid-index", "low-selectivity-index"}
)


class IndexList:
    """The indexes of one alias, with what declares them and what was found about them."""

    def __init__(
        self,
        alias: str,
        indexes: Indexes,
        tables: Tables,
        declared: object,
        migrations: object = None,
        records: Records | None = None,
    ) -> None:
        self.alias = alias
        self.records = records
        has_records = records is not None and records.history.servers
        self._columns = COLUMNS_OF_RECORDS if has_records else COLUMNS
        self.indexes = indexes.items
        self.tables = {table.oid: table for table in tables.items}
        known = declared if isinstance(declared, DeclaredIndexes) else DeclaredIndexes((), (), ())
        self.declarations = Declarations(known)
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

    def droppable(self, outcome: Audit) -> list[Index]:
        found = self._findings(outcome)
        return [index for index in self.indexes if can_go(found[index.qualified_name])]

    def _findings(self, outcome: Audit) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = defaultdict(list)
        for finding in outcome.findings:
            if finding.database == self.alias and finding.subject.kind == "index":
                found[finding.subject.name].append(finding)
        return found

    def _table(
        self, oid: int, group: list[Index], found: dict[str, list[Finding]], *, say_alias: bool
    ) -> Table:
        table = self.tables.get(oid)
        title = f"{self.alias}: " * say_alias + group[0].qualified_table
        if table:
            rows, size = words.count(table.rows, "row"), words.size(table.size_bytes)
            title += f"  {rows}, {size}"
        size = words.size(sum(each.size_bytes for each in group))
        title += f"; {words.count(len(group), 'index')}, {size}"
        return Table(
            title, self._columns, tuple(self._row(each, found[each.qualified_name]) for each in group)
        )

    def _row(self, index: Index, findings: list[Finding]) -> Row:
        declared = self.declarations.of(index)
        cells: tuple[str, ...] = (
            index.name,
            words.size(index.size_bytes) + " est." * index.size_is_estimate,
            f"{index.scans:,}",
            f"{index.last_scan:%Y-%m-%d}" if index.last_scan else "",
            declared.source if declared else self._made.get(index.name, "nothing"),
            verdict(index, findings),
        )
        if self.records is not None and self._columns is COLUMNS_OF_RECORDS:
            past = self.records.past(index)
            told = (index_history.first_seen(past), index_history.trend(past))
            cells = (*cells[:-2], *told, *cells[-2:])
        worst = max((finding.severity for finding in findings), default=None)
        return Row(cells, worst)


def verdict(index: Index, findings: list[Finding]) -> str:
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


def lists(seen: Facts) -> Iterator[IndexList]:
    """One for each alias whose indexes are known; those of a replica are its primary's."""
    for each in seen.aliases:
        if each.get(Cluster).primary is not None:
            continue
        indexes, tables = each.get(Indexes), each.get(Tables)
        if not isinstance(indexes, Unavailable) and not isinstance(tables, Unavailable):
            declared, migrations = each.get(DeclaredIndexes), each.get(MigrationIndexes)
            records = index_history.of(each)
            yield IndexList(each.database.alias, indexes, tables, declared, migrations, records)


def as_json(each: IndexList) -> Iterator[dict[str, Any]]:
    """Every fact of every index, what declares it, and what servers and records know of its use."""
    more = index_history.ServersAndPast(each.records) if each.records else None
    for index in each.indexes:
        declared = each.declarations.of(index)
        yield {
            "database": each.alias,
            **encode(index),
            "declared_by": encode(declared) if declared else None,
            **(more.of(index) if more else {"servers": [], "history": None}),
        }
