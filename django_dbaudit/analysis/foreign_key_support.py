"""Which indexes serve the lookup that PostgreSQL makes for a foreign key.

Deleting a row that is referred to, or changing its key, runs ``SELECT … FROM child WHERE fk = $1``
once a row. An index serves that if its first keys are the columns of the foreign key, in any order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django_dbaudit.postgres.foreign_keys import ForeignKey, ForeignKeyColumn
from django_dbaudit.postgres.indexes import Index, IndexKey


def supports(index: Index, foreign_key: ForeignKey, table_oid: int | None = None) -> bool:
    """Whether the index serves the key on its table or, if ``table_oid`` says so, on a partition."""
    columns = {column.name: column for column in foreign_key.columns}
    first = index.keys[: len(columns)]
    return (
        index.is_usable
        and index.table_oid == (table_oid or foreign_key.table_oid)
        and index.access_method in ("btree", "hash")
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


def supporting(indexes: Iterable[Index], foreign_keys: Iterable[ForeignKey]) -> set[int]:
    """The oids of all indexes that serve some foreign key."""
    of_table: dict[int, list[Index]] = defaultdict(list)
    for index in indexes:
        of_table[index.table_oid].append(index)
    return {
        index.oid
        for foreign_key in foreign_keys
        if foreign_key.is_enforced
        for index in of_table[foreign_key.table_oid]
        if supports(index, foreign_key) or _supports_period(index, foreign_key)
    }


def _supports_period(index: Index, foreign_key: ForeignKey) -> bool:
    """Whether the lookup of a temporal key, which asks for overlapping ranges, can use the index."""
    columns = {column.name for column in foreign_key.columns}
    return foreign_key.has_period and index.access_method == "gist" and columns.issuperset(index.columns)
