"""Which findings an edit of the models mends, and which edit: what a migration can be written for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django_dbaudit.analysis.declaration import Companions, Declarations
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndex, DeclaredIndexes

DROPS = frozenset({"unused-index", "duplicate-index", "redundant-index"})


@dataclass(frozen=True, slots=True)
class RemoveEntry:
    """An entry of ``Meta.indexes`` goes."""

    declared: DeclaredIndex
    index: Index


@dataclass(frozen=True, slots=True)
class UnindexField:
    """A field's own index goes and, if it is text, the ``_like`` companion with it."""

    declared: DeclaredIndex
    indexes: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class AddEntry:
    """A foreign key gets an entry in ``Meta.indexes``."""

    column: DeclaredColumn
    on_partitioned_table: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A finding that asks for more than such an edit."""

    name: str
    reason: str


Edit = RemoveEntry | UnindexField | AddEntry


def plan(
    app: str,
    findings: Iterable[Finding],
    indexes: Indexes,
    tables: Tables,
    declared: DeclaredIndexes,
) -> list[Edit | LeftOut]:
    """What to do about the findings on one app's models; informations ask for nothing."""
    planner = _Planner(app, indexes, tables, declared)
    urgent = [each for each in findings if each.severity > Severity.INFO]
    going = {each.subject.name for each in urgent if each.name in DROPS}
    # Additions first, so that nothing goes before what takes its place has come.
    # Once each: two foreign keys on one column want the same index.
    return list(dict.fromkeys([*planner.additions(urgent), *planner.removals(going)]))


class _Planner:
    def __init__(self, app: str, indexes: Indexes, tables: Tables, declared: DeclaredIndexes) -> None:
        self._prefix = f"{app}."
        self._indexes = indexes.items
        self._declarations = Declarations(declared)
        self._companions = Companions(indexes, self._declarations)
        self._partitioned = {each.qualified_name for each in tables.items if each.is_partitioned}
        self._columns = {(each.table, each.column): each for each in declared.columns}

    def additions(self, findings: Iterable[Finding]) -> Iterator[Edit | LeftOut]:
        for finding in findings:
            table = finding.subject.table
            if finding.name != "unindexed-foreign-key" or table is None:
                continue
            column = finding.subject.name.removeprefix(f"{table}.")
            made_by = self._columns.get((table.partition(".")[2], column))
            if made_by and made_by.model.startswith(self._prefix) and not made_by.is_third_party:
                yield AddEntry(made_by, table in self._partitioned)

    def removals(self, going: Collection[str]) -> Iterator[Edit | LeftOut]:
        done: set[int] = set()
        for index in self._indexes:
            declared = self._declarations.of(index)
            if index.qualified_name not in going or index.oid in done or declared is None:
                continue
            if declared.is_third_party or not declared.model.startswith(self._prefix):
                continue
            companion = self._companions.of(index)
            done.add(companion.oid if companion else index.oid)
            yield self._removal(index, declared, companion, going)

    def _removal(
        self,
        index: Index,
        declared: DeclaredIndex,
        companion: Index | None,
        going: Collection[str],
    ) -> Edit | LeftOut:
        if declared.kind == "meta_index":
            return RemoveEntry(declared, index)
        if companion is not None and companion.qualified_name not in going:
            reason = f"{declared.source} asks for {companion.name} too, which stays"
            return LeftOut(index.qualified_name, reason)
        if declared.kind in ("db_index", "foreign_key", "like"):
            return UnindexField(declared, (index, companion) if companion else (index,))
        return LeftOut(index.qualified_name, f"{declared.source} is more than an index")
