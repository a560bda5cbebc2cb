"""What ANALYZE found out about the columns that an index begins with."""

from __future__ import annotations

from dataclasses import dataclass

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class ColumnStatistic:
    """A row of ``pg_stats``, of a column that leads a btree index which is not unique.

    It holds how often values occur, and never a value: facts files travel.
    """

    table_oid: int
    schema: str
    table: str
    column: str
    #: All None, as the next, where the table was never analyzed, or ``hidden`` says why not.
    null_fraction: float | None
    #: As PostgreSQL has it: a number of values, or, below zero, minus their share of the rows.
    distinct: float | None
    #: Shares of all rows that the most common values have, the first twenty, highest first.
    common_fractions: tuple[float, ...]
    #: Why our role may not see it.
    hidden: str | None

    @property
    def is_known(self) -> bool:
        return self.null_fraction is not None


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """One row for each such column of one database."""

    items: tuple[ColumnStatistic, ...]


def read(source: Source) -> ColumnStatistics:
    rows = source.rows("column_statistics")
    return ColumnStatistics(tuple([decode(ColumnStatistic, row) for row in rows]))
