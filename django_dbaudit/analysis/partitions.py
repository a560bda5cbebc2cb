"""Partitioned indexes and tables: what they are in sum, since the root of a tree holds nothing itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.btree_pages import PAGE
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Table, Tables


class _Relation(Protocol):
    @property
    def oid(self) -> int: ...

    @property
    def parent_oid(self) -> int | None: ...


T = TypeVar("T", bound=_Relation)


class _Forest(Generic[T]):
    """Relations by their parents; a tree may be of several levels."""

    def __init__(self, items: Iterable[T]) -> None:
        self._by_oid = {each.oid: each for each in items}
        parts: dict[int, list[T]] = defaultdict(list)
        for each in self._by_oid.values():
            if each.parent_oid is not None:
                parts[each.parent_oid].append(each)
        # Without the default, else each question about an oid would leave an empty list behind.
        self._parts = dict(parts)

    def parts(self, oid: int) -> list[T]:
        """Those attached to this one; not those attached to them."""
        return self._parts.get(oid, [])

    def tree(self, oid: int) -> Iterator[T]:
        """The relation itself, if it is known, and all that is below it."""
        if oid in self._by_oid:
            yield self._by_oid[oid]
        for part in self.parts(oid):
            yield from self.tree(part.oid)

    def root(self, each: T) -> T:
        """The uppermost one that this is a part of: itself, if it is not a part."""
        above = self._by_oid.get(each.parent_oid or 0)
        return self.root(above) if above else each


class IndexTrees(DerivedFact):
    """The indexes, those of partitions below those of the partitioned tables."""

    def __init__(self, indexes: Indexes) -> None:
        self._forest = _Forest(indexes.items)
        self.items = indexes.items

    def tree(self, index: Index) -> Iterable[Index]:
        """The index, and those attached to it."""
        return self._forest.tree(index.oid) if index.is_partitioned else (index,)

    def root(self, index: Index) -> Index:
        """The uppermost one that it is attached to; itself if it is not attached."""
        return self._forest.root(index)

    def size(self, index: Index) -> int:
        """Bytes of the whole tree."""
        return self.whole(index).size_bytes

    def scans(self, index: Index) -> int:
        return self.whole(index).scans

    def whole(self, index: Index) -> Index:
        """The index with the counters and the size of its whole tree; itself if it has no parts."""
        if not index.is_partitioned:
            return index
        tree = list(self.tree(index))
        return replace(
            index,
            size_bytes=sum(each.size_bytes for each in tree),
            size_is_estimate=any(each.size_is_estimate for each in tree),
            scans=sum(each.scans for each in tree),
            tuples_read=sum(each.tuples_read for each in tree),
            tuples_fetched=sum(each.tuples_fetched for each in tree),
            last_scan=latest(each.last_scan for each in tree),
        )


class TableTrees(DerivedFact):
    """The tables, partitions below the partitioned ones."""

    def __init__(self, tables: Tables) -> None:
        self._forest = _Forest(tables.items)
        self.by_oid = {each.oid: each for each in tables.items}

    def partitions(self, oid: int) -> list[Table]:
        return self._forest.parts(oid)

    def root(self, table: Table) -> Table:
        return self._forest.root(table)

    def rows(self, oid: int) -> int:
        """An estimate, as each table's is; what ANALYZE says of a partitioned one counts them again."""
        return sum(each.rows for each in self._forest.tree(oid) if not each.is_partitioned)

    def size(self, oid: int) -> int:
        """Bytes, without indexes and TOAST."""
        return sum(each.size_bytes for each in self._forest.tree(oid))

    def pages(self, oid: int) -> int:
        return sum(each.size_bytes // PAGE for each in self._forest.tree(oid))


def latest(times: Iterable[datetime | None]) -> datetime | None:
    """The last of those that are known."""
    return max((each for each in times if each is not None), default=None)
