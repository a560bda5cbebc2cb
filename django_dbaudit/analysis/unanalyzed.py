"""Which indexes cannot be judged by their column's statistics, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django_dbaudit.postgres.column_statistics import ColumnStatistic
from django_dbaudit.postgres.indexes import Index

#: Indexes that are named; the rest is a number.
NAMED = 5


def unjudged(
    indexes: Iterable[Index], statistics: Mapping[tuple[int, str], ColumnStatistic]
) -> Iterator[str]:
    """A sentence for each reason, with the indexes that it keeps from being judged."""
    of_reason: dict[str, list[str]] = defaultdict(list)
    for index in indexes:
        reason = _reason(index, statistics.get((index.table_oid, str(index.columns[0]))))
        if reason:
            of_reason[reason].append(index.qualified_name)
    for reason, names in of_reason.items():
        yield sentence(names, reason)


def sentence(names: Sequence[str], reason: str) -> str:
    """Say that these indexes were not judged, and why."""
    rest = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"only in part: {', '.join(names[:NAMED])}{rest} not judged: {reason}"


def _reason(index: Index, statistic: ColumnStatistic | None) -> str | None:
    if statistic is not None and statistic.is_known:
        return None
    if statistic is not None and statistic.hidden:
        return statistic.hidden
    if index.is_partitioned:
        return "run ANALYZE on the partitioned table, which autovacuum leaves alone"
    return "run ANALYZE on the table, which has no statistics on the column yet"
