"""Indexes judged by the statistics of the column that they begin with, and those that cannot be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.analysis.redundancy import protection
from django_dbaudit.analysis.usage import DroppableIndexes
from django_dbaudit.conf import Thresholds
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.btree_pages import PAGE
from django_dbaudit.postgres.column_statistics import ColumnStatistic, ColumnStatistics
from django_dbaudit.postgres.indexes import Index

#: Indexes that are named; the rest is a number.
NAMED = 5


class LeadingColumns(DerivedFact):
    """What ANALYZE found out about the column that an index begins with."""

    def __init__(self, statistics: ColumnStatistics) -> None:
        self._known = {(each.table_oid, each.column): each for each in statistics.items}

    def statistic(self, index: Index) -> ColumnStatistic | None:
        return self._known.get((index.table_oid, str(index.keys[0].column)))

    def unjudged(self, indexes: Iterable[Index]) -> Iterator[str]:
        """A sentence for each reason, with the indexes that it keeps from being judged."""
        of_reason: dict[str, list[str]] = defaultdict(list)
        for index in indexes:
            reason = _why_unknown(index, self.statistic(index))
            if reason:
                of_reason[reason].append(index.qualified_name)
        for reason, names in of_reason.items():
            yield sentence(names, reason)


def sentence(names: Sequence[str], reason: str) -> str:
    """
    >>> sentence(["public.a", "public.b"], "run ANALYZE")
    'only in part: public.a, public.b not judged: run ANALYZE'
    """
    rest = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"only in part: {', '.join(names[:NAMED])}{rest} not judged: {reason}"


def _why_unknown(index: Index, statistic: ColumnStatistic | None) -> str | None:
    if statistic is not None and statistic.is_known:
        return None
    if statistic is not None and statistic.hidden:
        return statistic.hidden
    if index.is_partitioned:
        return "run ANALYZE on the partitioned table, which autovacuum leaves alone"
    return "run ANALYZE on the table, which has no statistics on the column yet"


class JudgedByColumn(DerivedFact):
    """The large btree indexes over all rows that begin with a column and that only readers would miss.

    Without those that other rules would have dropped.
    """

    def __init__(self, trees: IndexTrees, droppable: DroppableIndexes, thresholds: Thresholds) -> None:
        least = thresholds.large_index_pages * PAGE
        self.items = tuple(
            index
            for index in trees.items
            if index.is_usable
            and index.access_method == "btree"
            and not index.is_unique
            and index.predicate is None
            and index.keys[0].column is not None
            and protection(index) is None
            and index.oid not in droppable.oids
            and trees.size(index) >= least
        )
