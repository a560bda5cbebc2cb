"""Whether the values of an index's one column are all too common for it to be of help."""

from __future__ import annotations

from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.foreign_key_support import ForeignKeySupport
from django_dbaudit.analysis.leading_columns import JudgedByColumn, LeadingColumns
from django_dbaudit.analysis.usage import Usage, serves_django
from django_dbaudit.conf import Thresholds
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.column_statistics import ColumnStatistic
from django_dbaudit.postgres.server import Server, in_days


class FewValues(DerivedFact):
    """Large indexes over one column: the shares of its values, and those of no help, because none is rare.

    Those that serve a key or Django's own lookups are left out, and the useless ones are hardly read.
    """

    def __init__(
        self,
        judged: JudgedByColumn,
        columns: LeadingColumns,
        reads: Usage,
        support: ForeignKeySupport,
        declarations: Declarations,
        server: Server,
        cluster: Cluster,
        thresholds: Thresholds,
    ) -> None:
        self.candidates = tuple(
            index
            for index in judged.items
            if len(index.keys) == 1
            and not index.include
            and index.oid not in support.oids
            and not serves_django(declarations.of(index))
        )
        self.shares = {
            index.oid: _shares(columns.statistic(index), thresholds) for index in self.candidates
        }
        days = in_days(server.taken_at - cluster.statistics_since(server))
        self.useless = frozenset(
            index.oid
            for index in self.candidates
            if _is_even(self.shares[index.oid], thresholds)
            and reads.scans(index) / days < thresholds.low_selectivity_scans_per_day
        )


def _shares(statistic: ColumnStatistic | None, thresholds: Thresholds) -> tuple[float, ...]:
    """The share of the rows that each value has, NULL included; none if not all of them are known."""
    if statistic is None or statistic.null_fraction is None:
        return ()
    if statistic.null_fraction >= thresholds.null_heavy_share:
        return ()
    if statistic.distinct != len(statistic.common_fractions):
        return ()
    nulls = (statistic.null_fraction,) if statistic.null_fraction else ()
    return (*statistic.common_fractions, *nulls)


def _is_even(shares: tuple[float, ...], thresholds: Thresholds) -> bool:
    return bool(shares) and min(shares) >= thresholds.low_selectivity_share
