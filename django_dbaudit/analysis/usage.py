"""How much indexes are read, which of them are not read at all, and since when we know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django_dbaudit import words
from django_dbaudit.analysis.cluster import Cluster, uncounted
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.foreign_key_support import ForeignKeySupport
from django_dbaudit.analysis.partitions import IndexTrees, TableTrees, latest
from django_dbaudit.analysis.records import Records
from django_dbaudit.analysis.redundancy import SuperfluousIndexes, protection
from django_dbaudit.conf import Thresholds
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.project.schema import DeclaredIndex


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
            f"needs {days:g} day{'s' * (days != 1)} (DBAUDIT['THRESHOLDS']['{threshold}'])"
        )
    return None


class Usage(DerivedFact):
    """Scans of an index, of its partitions, and of those whose work it would take over."""

    def __init__(self, trees: IndexTrees, superfluous: SuperfluousIndexes) -> None:
        self._trees = trees
        taken_over: dict[int, list[Index]] = defaultdict(list)
        for each in superfluous.items:
            taken_over[each.kept.oid].append(each.index)
        self._taken_over = dict(taken_over)

    def scans(self, index: Index) -> int:
        return sum(each.scans for each in self.counted(index))

    def last_scan(self, index: Index) -> datetime | None:
        return latest(each.last_scan for each in self.counted(index))

    def is_read_since(self, index: Index, moment: datetime) -> bool:
        if not self.scans(index):
            return False
        last = self.last_scan(index)
        # Before PostgreSQL 16 nobody knows when; a scan then counts for ever.
        return last is None or last >= moment

    def counted(self, index: Index) -> Iterator[Index]:
        """The index and those whose scans count as its own."""
        for each in self._trees.tree(index):
            yield each
            for other in self._taken_over.get(each.oid, ()):
                yield from self.counted(other)


class RecordedUsage(Usage):
    """The same with all the scans that are known of: see `Records.indexes`."""

    def __init__(self, trees: IndexTrees, superfluous: SuperfluousIndexes, records: Records) -> None:
        super().__init__(trees, superfluous)
        self._known = {each.oid: each for each in records.indexes.items}

    def counted(self, index: Index) -> Iterator[Index]:
        for each in super().counted(index):
            yield self._known[each.oid]


class UnusedIndexes(DerivedFact):
    """The indexes that nothing reads and nothing needs; none as long as it is too early to tell."""

    def __init__(
        self,
        indexes: Indexes,
        tables: TableTrees,
        support: ForeignKeySupport,
        usage: RecordedUsage,
        declarations: Declarations,
        records: Records,
        thresholds: Thresholds,
    ) -> None:
        days = thresholds.unused_index_days
        oldest = records.oldest(days)
        early = records.too_early(days, "UNUSED_INDEX_DAYS")
        self.items = tuple(
            index
            for index in indexes.items
            if not early
            and index.is_usable
            and not index.is_unique
            and index.oid not in support.oids
            and protection(index) is None
            and tables.pages(index.table_oid) >= thresholds.unused_index_table_pages
            and not usage.is_read_since(index, oldest)
            and not (days and records.is_younger(index, oldest))
            and not serves_django(declarations.of(index))
        )
        self.oids = frozenset(each.oid for each in self.items)


class DroppableIndexes(DerivedFact):
    """What unused-, duplicate- and redundant-index would have dropped: it needs no other advice."""

    def __init__(self, superfluous: SuperfluousIndexes, unused: UnusedIndexes) -> None:
        self.oids = superfluous.oids | unused.oids


def serves_django(declared: DeclaredIndex | None) -> bool:
    """Whether Django looks rows up by it: what a deletion cascades to, also without a constraint."""
    return declared is not None and declared.kind in ("foreign_key", "through")
