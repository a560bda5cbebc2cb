"""What an index costs in writing, and what it saves in reading, both in pages of 8 kB read or written.

Note [The unit]
An entry that is written costs about as much as a page that is read in turn: 5 µs in an index on a uuid,
33 µs in one on 100 letters, against 8 to 12 µs a page and its rows (measured, all in memory). Where
pages come from disk, both cost more. What VACUUM, WAL and backups add is left out, as is the sort that
an index in the right order saves: whoever compares the two has to leave room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django_dbaudit.analysis.leading_columns import LeadingColumns
from django_dbaudit.analysis.partitions import IndexTrees, TableTrees
from django_dbaudit.analysis.usage import Usage
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.btree_pages import PAGE
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.tables import Table

#: Pages from the root of a btree to one of its leaves.
DESCENT = 3
#: Share of an index's entries that a scan reads from which it is for more than finding rows: it gives
#: them in order, or all that is asked for, and what that saves cannot be counted in pages.
SWEEPING = 0.1


@dataclass(frozen=True, slots=True)
class IndexCost:
    """Sums over an index and those of its partitions, since the statistics began."""

    scans: int
    #: Entries that were written: those of new rows, and of updates that were not HOT.
    entries_written: int
    updates: int
    hot_updates: int
    #: Pages that the scans would have read without the index, less those that they did read.
    pages_saved: float
    #: Some scans read so much that ``pages_saved`` does not say what they are worth.
    is_swept: bool

    @property
    def ratio(self) -> float:
        """How many times what it saves it costs. See Note [The unit]."""
        return self.entries_written / max(1.0, self.pages_saved)


class IndexCosts(DerivedFact):
    """What each index costs and saves."""

    def __init__(
        self, indexes: IndexTrees, tables: TableTrees, columns: LeadingColumns, usage: Usage
    ) -> None:
        self._indexes = indexes
        self._tables = tables.by_oid
        self._columns = columns
        self._usage = usage
        self._of_table: dict[int, list[Index]] = defaultdict(list)
        for index in indexes.items:
            self._of_table[index.table_oid].append(index)

    def of(self, index: Index) -> IndexCost:
        tree = list(self._usage.counted(index))
        # Writes keep up the index and its partitions', not the others whose work it does.
        own = {each.oid: each for each in self._indexes.tree(index)}
        parts = [(each, self._tables[each.table_oid]) for each in tree if each.table_oid in self._tables]
        tables = {each.oid: each for one, each in parts if one.oid in own}.values()
        return IndexCost(
            scans=sum(each.scans for each in tree),
            entries_written=sum(entries_written(each, self._tables) for each in own.values()),
            updates=sum(each.rows_updated for each in tables),
            hot_updates=sum(each.rows_hot_updated for each in tables),
            pages_saved=sum(self._saved(each, table) for each, table in parts),
            is_swept=any(_is_swept(each, table) for each, table in parts),
        )

    def _saved(self, index: Index, table: Table) -> float:
        if not index.scans:
            return 0.0
        pages = table.size_bytes / PAGE
        entries = max(1, index.entries or table.rows)
        leaves = index.size_bytes / PAGE * index.tuples_read / index.scans / entries
        with_it = DESCENT + leaves + min(pages, index.tuples_fetched / index.scans)
        return index.scans * max(0.0, min(pages, self._by_another(index, table)) - with_it)

    def _by_another(self, index: Index, table: Table) -> float:
        """Pages that a scan of the next best index with the same first key would read."""
        return min(
            (
                DESCENT + self._rows_of_a_value(other, table)
                for other in self._of_table[index.table_oid]
                if other is not index and _begins_alike(other, index)
            ),
            default=float("inf"),
        )

    def _rows_of_a_value(self, index: Index, table: Table) -> float:
        if index.is_unique and len(index.keys) == 1:
            return 1.0
        statistic = self._columns.statistic(index)
        distinct = statistic.distinct if statistic else None
        if not distinct:
            return float("inf")
        rows = max(1, table.rows)
        return rows / (distinct if distinct > 0 else -distinct * rows)


def entries_written(index: Index, tables: Mapping[int, Table]) -> int:
    """How many entries writes have made in it; of a partial index by its share of the rows."""
    table = tables.get(index.table_oid)
    if table is None or index.is_partitioned:
        return 0
    number = table.rows_inserted + max(0, table.rows_updated - table.rows_hot_updated)
    if index.predicate is None:
        return number
    return round(number * min(1.0, (index.entries or 0) / max(1, table.rows)))


def _is_swept(index: Index, table: Table) -> bool:
    entries = index.entries or table.rows
    return index.scans > 0 and index.tuples_read >= SWEEPING * entries * index.scans


def _begins_alike(other: Index, index: Index) -> bool:
    return (
        other.is_usable
        and other.access_method == index.access_method == "btree"
        and other.predicate is None
        and other.columns[0] is not None
        and other.keys[0].signature == index.keys[0].signature
    )
