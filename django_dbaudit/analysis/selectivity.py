"""Whether the values of an index's one column are all too common for it to be of help."""

from __future__ import annotations

from django_dbaudit.analysis.redundancy import protection
from django_dbaudit.conf import Thresholds
from django_dbaudit.postgres.column_statistics import ColumnStatistic
from django_dbaudit.postgres.indexes import Index


def is_over_one_column(index: Index) -> bool:
    """A plain btree over all rows that nothing but its readers could miss."""
    return (
        index.is_usable
        and index.access_method == "btree"
        and not index.is_unique
        and index.predicate is None
        and len(index.keys) == 1
        and index.columns[0] is not None
        and not index.include
        and protection(index) is None
    )


def shares(statistic: ColumnStatistic | None, thresholds: Thresholds) -> tuple[float, ...]:
    """The share of the rows that each value has, NULL included; none if not all of them are known."""
    if statistic is None or statistic.null_fraction is None:
        return ()
    if statistic.null_fraction >= thresholds.null_heavy_share:
        return ()
    if statistic.distinct != len(statistic.common_fractions):
        return ()
    nulls = (statistic.null_fraction,) if statistic.null_fraction else ()
    return (*statistic.common_fractions, *nulls)


def is_even(found: tuple[float, ...], thresholds: Thresholds) -> bool:
    """Whether no value is rare."""
    return bool(found) and min(found) >= thresholds.low_selectivity_share
