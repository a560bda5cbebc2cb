"""Every table and materialized view of the user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class Table:
    oid: int
    schema: str
    name: str
    is_partitioned: bool
    is_materialized_view: bool
    #: The partitioned table that this one is a partition of.
    parent_oid: int | None
    #: An estimate: the larger of the last ANALYZE and the statistics' count.
    rows: int
    size_bytes: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    sequential_scans: int
    #: Live rows that those scans have fetched.
    sequential_rows_read: int = 0
    #: Scans of all its indexes.
    index_scans: int = 0
    #: Known from PostgreSQL 16 on.
    last_sequential_scan: datetime | None = None
    #: Those of the updated rows whose indexes were left as they were.
    rows_hot_updated: int = 0
    #: Extension that owns the table.
    extension: str | None = None

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one database."""

    items: tuple[Table, ...]


def read(source: Source) -> Tables:
    return Tables(tuple([decode(Table, row) for row in source.rows("tables")]))
