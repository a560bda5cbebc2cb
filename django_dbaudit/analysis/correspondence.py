"""What models declare held against what the database has: what is missing, other, or nobody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.declared_columns import Columns
from django_dbaudit.analysis.difference import differences
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes


@dataclass(frozen=True, slots=True)
class Lacking:
    """A declared index that the table does not have; ``instead`` is there for it, but is another."""

    declared: DeclaredIndex
    table: Table
    instead: Index | None = None
    #: In what ``instead`` is another.
    differences: tuple[str, ...] = ()


class Correspondence(DerivedFact):
    """The tables of managed models; those of other programs are nobody's business."""

    def __init__(
        self,
        declared: DeclaredIndexes,
        declarations: Declarations,
        columns: Columns,
        indexes: Indexes,
        tables: Tables,
    ) -> None:
        managed = set(declared.tables)
        present: dict[str, list[Table]] = defaultdict(list)
        names: dict[int, str] = {}
        for table in tables.items:
            # A model that names its schema means that one alone.
            name = table.qualified_name if table.qualified_name in managed else table.name
            if name in managed and table.parent_oid is None:
                present[name].append(table)
                names[table.oid] = name
        found: dict[str, list[Index]] = defaultdict(list)
        for index in indexes.items:
            if index.table_oid in names:
                found[names[index.table_oid]].append(index)
        wanted: dict[str, list[DeclaredIndex]] = defaultdict(list)
        for each in declared.items:
            if each.is_managed:
                wanted[f"{each.schema}.{each.table}" if each.schema else each.table].append(each)
        # Where several schemas have the table, one with the index is enough: the others may be copies.
        matches = [
            _Match(group[0], wanted[name], found[name], declarations, columns)
            for name, group in sorted(present.items())
        ]
        self.lacking = tuple([each for match in matches for each in match.lacking()])
        self.undeclared = tuple([each for match in matches for each in match.undeclared()])
        there = {name for each in tables.items for name in (each.name, each.qualified_name)}
        #: Names of the tables that models declare and the database does not have.
        self.tables = tuple(sorted(managed - there))


class _Match:
    """One table: each declaration and its index, by name first, then by structure."""

    def __init__(
        self,
        table: Table,
        wanted: Iterable[DeclaredIndex],
        found: Iterable[Index],
        declarations: Declarations,
        columns: Columns,
    ) -> None:
        self._table = table
        self._wanted = list(wanted)
        self._found = list(found)
        self._columns = columns.names(table.schema, table.name)
        self._traced = [(each, declarations.of(each)) for each in self._found]
        #: Those that no name and no field leads to: each can stand in for one declaration.
        self._left = [each for each, declared in self._traced if declared is None]
        self._absent = [each for each in self._wanted if not self._is_present(each)]

    def lacking(self) -> Iterator[Lacking]:
        for declared in self._absent:
            if not self._is_without_like(declared):
                yield Lacking(declared, self._table)
        for declared in self._wanted:
            for index, traced in self._traced:
                if traced == declared or index.name in declared.names:
                    other = differences(index, declared, self._columns)
                    if other:
                        yield Lacking(declared, self._table, index, tuple(other))

    def undeclared(self) -> list[Index]:
        return self._left

    def _is_present(self, declared: DeclaredIndex) -> bool:
        for index, traced in self._traced:
            if traced == declared or index.name in declared.names:
                return True
            if declared.is_primary and index.is_primary:
                return True
        alike = next((each for each in self._left if self._is_alike(each, declared)), None)
        if alike is not None:
            self._left.remove(alike)
        return alike is not None

    def _is_alike(self, index: Index, declared: DeclaredIndex) -> bool:
        """Whether an index of another name may well be the declared one, which somebody renamed."""
        return (
            bool(declared.columns)
            and (declared.kind == "like") <= index.keys[-1].opclass.endswith("_pattern_ops")
            and not differences(index, declared, self._columns)
        )

    def _is_without_like(self, declared: DeclaredIndex) -> bool:
        """Whether Django makes no ``_like`` index here: a nondeterministic collation forbids it."""
        if declared.kind != "like":
            return False
        return any(
            index.columns == declared.columns
            and index.keys[0].collation not in (None, "pg_catalog.default")
            for index in self._found
        )
