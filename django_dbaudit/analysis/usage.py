"""How much indexes are read, which of them are not read at all, and since when we know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django_dbaudit import words
from django_dbaudit.analysis.cluster import Cluster, uncounted
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.foreign_key_support import supporting
from django_dbaudit.analysis.records import Records
from django_dbaudit.analysis.redundancy import protection, superfluous
from django_dbaudit.conf import Thresholds
from django_dbaudit.postgres.foreign_keys import ForeignKeys
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.project.schema import DeclaredIndex

PAGE = 8192


def too_early(server: Server, cluster: Cluster, days: float, threshold: str) -> str | None:
    """Why the counters of scans say nothing yet; ``threshold`` is the key that sets the days."""
    since = cluster.statistics_since(server)
    return uncounted(server, cluster) or _too_young(server, since, days, threshold)


def not_counted(server: Server, days: float, threshold: str) -> str | None:
    """Why this very server's counters say nothing yet, even of what it has done itself."""
    if not server.track_counts:
        return "needs track_counts, which is off on this server"
    return _too_young(server, server.statistics_since, days, threshold)


def _too_young(server: Server, since: datetime, days: float, threshold: str) -> str | None:
    age = server.taken_at - since
    if age < timedelta(days=days):
        return (
            f"the statistics cover {words.duration(age)}, since {since:%Y-%m-%d %H:%M}; "
            f"needs {days:g} days (DBAUDIT['THRESHOLDS']['{threshold}'])"
        )
    return None


class Usage:
    """Scans of an index, of its partitions, and of those whose work it would take over."""

    def __init__(self, indexes: Indexes) -> None:
        self._parts: dict[int, list[Index]] = defaultdict(list)
        for index in indexes.items:
            if index.parent_oid is not None:
                self._parts[index.parent_oid].append(index)
        # As they were read: what is superfluous comes with its partitions' scans added.
        read = {index.oid: index for index in indexes.items}
        for each in superfluous(indexes.items):
            self._parts[each.kept.oid].append(read[each.index.oid])

    def tree(self, index: Index) -> Iterator[Index]:
        yield index
        for part in self._parts[index.oid]:
            yield from self.tree(part)

    def scans(self, index: Index) -> int:
        return sum(each.scans for each in self.tree(index))

    def last_scan(self, index: Index) -> datetime | None:
        times = [each.last_scan for each in self.tree(index) if each.last_scan is not None]
        return max(times, default=None)

    def is_read_since(self, index: Index, moment: datetime) -> bool:
        if not self.scans(index):
            return False
        last = self.last_scan(index)
        # Before PostgreSQL 16 nobody knows when; a scan then counts for ever.
        return last is None or last >= moment

    def size(self, index: Index) -> int:
        return index.size_bytes + sum(
            self.size(part) for part in self._parts[index.oid] if part.parent_oid == index.oid
        )


def unused(
    indexes: Indexes,
    tables: Tables,
    foreign_keys: ForeignKeys,
    declarations: Declarations,
    records: Records,
    thresholds: Thresholds,
) -> Iterator[Index]:
    """The indexes that nothing reads and nothing needs; none as long as it is too early to tell.

    They come with all the scans that the records know of, as `Records.indexes` has them.
    """
    days = thresholds.unused_index_days
    if records.too_early(days, "UNUSED_INDEX_DAYS"):
        return
    usage = Usage(records.indexes)
    kept_for_keys = supporting(indexes.items, foreign_keys.items)
    oldest = records.oldest(days)
    for index in _candidates(records.indexes, tables, thresholds):
        if index.oid in kept_for_keys or usage.is_read_since(index, oldest):
            continue
        if days and records.is_younger(index, oldest):
            continue
        if not serves_django(declarations.of(index)):
            yield index


def serves_django(declared: DeclaredIndex | None) -> bool:
    """Whether Django looks rows up by it: what a deletion cascades to, also without a constraint."""
    return declared is not None and declared.kind in ("foreign_key", "through")


def droppable(
    indexes: Indexes,
    tables: Tables,
    foreign_keys: ForeignKeys,
    declarations: Declarations,
    records: Records,
    thresholds: Thresholds,
) -> set[int]:
    """The oids of the indexes that unused-, duplicate- and redundant-index would have dropped.

    What goes altogether needs no other advice.
    """
    found = {each.index.oid for each in superfluous(indexes.items)}
    unread = unused(indexes, tables, foreign_keys, declarations, records, thresholds)
    return found.union(index.oid for index in unread)


def _candidates(indexes: Indexes, tables: Tables, thresholds: Thresholds) -> Iterator[Index]:
    size = _TableSizes(tables)
    for index in indexes.items:
        if not index.is_usable or index.is_unique or protection(index):
            continue
        if size.pages(index.table_oid) >= thresholds.unused_index_table_pages:
            yield index


class _TableSizes:
    """Pages of a table and its partitions."""

    def __init__(self, tables: Tables) -> None:
        self._tables = {table.oid: table for table in tables.items}
        self._parts: dict[int, list[Table]] = defaultdict(list)
        for table in tables.items:
            if table.parent_oid is not None:
                self._parts[table.parent_oid].append(table)

    def pages(self, oid: int) -> int:
        table = self._tables.get(oid)
        own = table.size_bytes // PAGE if table else 0
        return own + sum(self.pages(part.oid) for part in self._parts[oid])
