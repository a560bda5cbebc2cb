"""Which indexes serve the lookup that PostgreSQL makes for a foreign key.

Deleting a row that is referred to, or changing its key, runs ``SELECT … FROM child WHERE fk = $1``
once a row. An index serves that if its first keys are the columns of the foreign key, in any order.
"""

from __future__ import annotations

from collections import defaultdict

from django_dbaudit.analysis.partitions import TableTrees
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.foreign_keys import ForeignKey, ForeignKeyColumn, ForeignKeys
from django_dbaudit.postgres.indexes import Index, Indexes, IndexKey

#: Access methods that go straight to the rows with one value of the first key. BRIN reads all pages
#: near them.
FIND_EQUALS = frozenset({"btree", "hash", "gist", "spgist"})


def supports(index: Index, foreign_key: ForeignKey, table_oid: int | None = None) -> bool:
    """Whether the index serves the key on its table or, if ``table_oid`` says so, on a partition."""
    columns = {column.name: column for column in foreign_key.columns}
    first = index.keys[: len(columns)]
    return (
        index.is_usable
        and index.table_oid == (table_oid or foreign_key.table_oid)
        and index.access_method in FIND_EQUALS
        and {key.column for key in first} == set(columns)
        and all(_finds(key, columns[str(key.column)]) for key in first)
        # While its table is locked nobody knows what a partial one leaves out: nothing, for all we can say.
        and (not index.is_deparsed or _keeps_all(index.predicate, foreign_key))
    )


def _finds(key: IndexKey, column: ForeignKeyColumn) -> bool:
    return key.collation == column.collation and key.opfamily in column.equality_families


def _keeps_all(predicate: str | None, foreign_key: ForeignKey) -> bool:
    """Whether a partial index holds every row that a lookup can find: all where the key is not null."""
    rest = predicate or ""
    for column in foreign_key.columns:
        rest = rest.replace(f"({column.quoted} IS NOT NULL)", "")
    return not rest.replace(" AND ", "").strip("()")


class ForeignKeySupport(DerivedFact):
    """Which indexes serve which foreign keys."""

    def __init__(self, indexes: Indexes, foreign_keys: ForeignKeys, tables: TableTrees) -> None:
        self._tables = tables
        of_table: dict[int, list[Index]] = defaultdict(list)
        for index in indexes.items:
            of_table[index.table_oid].append(index)
        self._of_table = dict(of_table)
        served: set[int] = set()
        serving: set[int] = set()
        for foreign_key in foreign_keys.items:
            on_table = self._of_table.get(foreign_key.table_oid, ())
            found = [index.oid for index in on_table if supports(index, foreign_key)]
            if found:
                served.add(foreign_key.oid)
            if foreign_key.is_enforced:
                serving.update(found)
                serving.update(index.oid for index in on_table if _supports_period(index, foreign_key))
        self._served = served
        #: The oids of all indexes that serve some foreign key.
        self.oids = frozenset(serving)

    def is_served(self, foreign_key: ForeignKey) -> bool:
        """Whether an index serves the key on its table or, if it has partitions, on each of these."""
        table = foreign_key.table_oid
        return foreign_key.oid in self._served or self._is_served_below(foreign_key, table)

    def unread(self, foreign_key: ForeignKey) -> Index | None:
        """An index that serves the key only if its predicate, which could not be read, lets it."""
        return self._unread(foreign_key, foreign_key.table_oid)

    def _unread(self, foreign_key: ForeignKey, table_oid: int) -> Index | None:
        on_table = self._of_table.get(table_oid, ())
        serving = [each for each in on_table if supports(each, foreign_key, table_oid)]
        if serving:
            known = any(each.is_deparsed or each.predicate is None for each in serving)
            return None if known else serving[0]
        parts = (self._unread(foreign_key, each.oid) for each in self._tables.partitions(table_oid))
        return next((each for each in parts if each is not None), None)

    def is_indexed_in_vain(self, foreign_key: ForeignKey) -> bool:
        """Whether the index that one would make is there, and the lookup asks for another type."""
        wanted = {(column.name, column.collation) for column in foreign_key.columns}
        return any(
            {(key.column, key.collation) for key in index.keys[: len(wanted)]} == wanted
            for index in self._of_table.get(foreign_key.table_oid, ())
            if index.is_usable and index.access_method == "btree" and index.predicate is None
        )

    def _is_served_below(self, foreign_key: ForeignKey, table_oid: int) -> bool:
        partitions = self._tables.partitions(table_oid)
        return bool(partitions) and all(
            any(supports(index, foreign_key, each.oid) for index in self._of_table.get(each.oid, ()))
            or self._is_served_below(foreign_key, each.oid)
            for each in partitions
        )


def _supports_period(index: Index, foreign_key: ForeignKey) -> bool:
    """Whether the lookup of a temporal key, which asks for overlapping ranges, can use the index."""
    if not foreign_key.has_period or index.access_method != "gist":
        return False
    return {column.name for column in foreign_key.columns}.issuperset(index.columns)
