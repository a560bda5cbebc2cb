"""What models declare held against what the database has: what is missing, other, or nobody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes


@dataclass(frozen=True, slots=True)
class Lacking:
    """A declared index that the table does not have; ``instead`` has its name, but is another."""

    declared: DeclaredIndex
    table: Table
    instead: Index | None = None


class Correspondence(DerivedFact):
    """The tables of managed models; those of other programs are nobody's business."""

    def __init__(
        self, declared: DeclaredIndexes, declarations: Declarations, indexes: Indexes, tables: Tables
    ) -> None:
        managed = set(declared.tables)
        present: dict[str, list[Table]] = defaultdict(list)
        for table in tables.items:
            if table.name in managed and table.parent_oid is None:
                present[table.name].append(table)
        whole = {table.oid for group in present.values() for table in group}
        found: dict[str, list[Index]] = defaultdict(list)
        for index in indexes.items:
            if index.table_oid in whole:
                found[index.table].append(index)
        wanted: dict[str, list[DeclaredIndex]] = defaultdict(list)
        for each in declared.items:
            if each.is_managed and each.table in present:
                wanted[each.table].append(each)
        # Where several schemas have the table, one with the index is enough: the others may be copies.
        matches = [
            _Match(present[name][0], wanted[name], found[name], declarations) for name in sorted(present)
        ]
        self.lacking = tuple([each for match in matches for each in match.lacking()])
        self.undeclared = tuple([each for match in matches for each in match.undeclared()])
        #: Names of the tables that models declare and the database does not have.
        self.tables = tuple(sorted(managed.difference(table.name for table in tables.items)))


class _Match:
    """One table: each declaration and its index, by name first, then by structure."""

    def __init__(
        self,
        table: Table,
        wanted: Iterable[DeclaredIndex],
        found: Iterable[Index],
        declarations: Declarations,
    ) -> None:
        self._table = table
        self._wanted = list(wanted)
        self._found = list(found)
        self._traced = [(each, declarations.of(each)) for each in self._found]
        #: Those that no name and no field leads to: each can stand in for one declaration.
        self._left = [each for each, declared in self._traced if declared is None]
        self._absent = [each for each in self._wanted if not self._is_present(each)]

    def lacking(self) -> Iterator[Lacking]:
        for declared in self._absent:
            if not self._is_without_like(declared):
                yield Lacking(declared, self._table)
        for declared in self._wanted:
            for index in self._found:
                if index.name in declared.names and _is_other(index, declared):
                    yield Lacking(declared, self._table, index)

    def undeclared(self) -> list[Index]:
        return self._left

    def _is_present(self, declared: DeclaredIndex) -> bool:
        for index, traced in self._traced:
            if traced == declared or index.name in declared.names:
                return True
            if declared.is_primary and index.is_primary:
                return True
        alike = next((each for each in self._left if _is_alike(each, declared)), None)
        if alike is not None:
            self._left.remove(alike)
        return alike is not None

    def _is_without_like(self, declared: DeclaredIndex) -> bool:
        """Whether Django makes no ``_like`` index here: a nondeterministic collation forbids it."""
        if declared.kind != "like":
            return False
        return any(
            index.columns == declared.columns
            and index.keys[0].collation not in (None, "pg_catalog.default")
            for index in self._found
        )


def _is_alike(index: Index, declared: DeclaredIndex) -> bool:
    """Whether an index of another name may well be the declared one, which somebody renamed."""
    return (
        bool(declared.columns)
        and index.columns == declared.columns
        and index.is_unique == declared.is_unique
        and (declared.kind == "like") <= index.keys[-1].opclass.endswith("_pattern_ops")
    )


def _is_other(index: Index, declared: DeclaredIndex) -> bool:
    # The primary key of a partitioned table has to have the partition key in it.
    if not declared.columns or declared.is_primary:
        return False
    return index.columns != declared.columns or index.is_unique != declared.is_unique
