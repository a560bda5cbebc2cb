"""From a column of a table in the database to the field that makes it."""

from __future__ import annotations

from collections import defaultdict

from django_dbaudit.derived import DerivedFact
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndexes


class Columns(DerivedFact):
    """Looks up the field that makes a column."""

    def __init__(self, declared: DeclaredIndexes) -> None:
        # The first of several models on one table is the one.
        self._columns = {
            (each.schema, each.table, each.column): each for each in reversed(declared.columns)
        }
        self._tables = {(each.schema, each.table): each for each in reversed(declared.columns)}

        self._names: dict[tuple[str | None, str], set[str]] = defaultdict(set)
        for each in declared.columns:
            self._names[each.schema, each.table].add(each.column)

    def of(self, schema: str, table: str, column: str | None) -> DeclaredColumn | None:
        if column is None:
            return None
        own = self._columns.get((schema, table, column))
        return own or self._columns.get((None, table, column))

    def names(self, schema: str, table: str) -> set[str]:
        """The columns that models make of a table."""
        return self._names[schema, table] | self._names[None, table]

    def of_table(self, schema: str, table: str) -> DeclaredColumn | None:
        """The table's first column, for its model."""
        return self._tables.get((schema, table)) or self._tables.get((None, table))
