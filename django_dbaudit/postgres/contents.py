"""What lies in an index: the columns, how many entries, and how full its pages are."""

from __future__ import annotations

from dataclasses import dataclass

#: Share by which the count of a VACUUM or ANALYZE, which may go by samples, may be off.
CURRENT = 0.05


@dataclass(frozen=True, slots=True)
class ContentColumn:
    """A column of an index, of INCLUDE too, with what ANALYZE knows of its values."""

    #: The table or, for an expression, the index: under its name the statistics are kept.
    relation: str
    name: str
    is_expression: bool
    #: In bytes; -1 for a type whose values differ in length.
    length: int
    #: In bytes: 1, 2, 4 or 8.
    alignment: int
    #: Bytes of the longest value that the type allows; None if it sets no bound.
    longest: int | None
    is_nullable: bool
    #: Rows that ANALYZE looks at.
    sample_rows: int
    #: Why our role may not see the statistics.
    hidden: str | None
    #: None, as the next two, where there are no statistics or ``hidden`` says why not.
    null_fraction: float | None = None
    #: Mean length, in bytes, of the values that are not NULL.
    width: int | None = None
    #: As PostgreSQL has it: a number of values, or, below zero, minus their share of the rows.
    distinct: float | None = None

    @property
    def is_known(self) -> bool:
        return self.null_fraction is not None


@dataclass(frozen=True, slots=True)
class LeafPages:
    """What ``pgstatindex`` has read."""

    internal_pages: int
    leaf_pages: int
    #: Share of the leaf pages' room that is taken.
    density: float


@dataclass(frozen=True, slots=True)
class Contents:
    """One index that holds rows: whole, or of one partition."""

    oid: int
    schema: str
    name: str
    access_method: str
    size_bytes: int
    #: In percent; the default of the access method where none is set.
    fillfactor: int
    #: Equal keys are kept as one (btree, from PostgreSQL 13 on).
    deduplicates: bool
    is_unique: bool
    is_partial: bool
    columns: tuple[ContentColumn, ...]
    #: Entries at the last VACUUM or ANALYZE; None if there was none.
    entries: int | None
    #: Rows of the table by the same count, and by how much the table has grown since.
    table_rows: int | None
    #: Rows of the table as the cumulative statistics have them.
    live_rows: int
    dead_rows: int
    #: Since the statistics were reset; ``changed_rows`` are all three since the last ANALYZE.
    inserted_rows: int
    updated_rows: int
    deleted_rows: int
    changed_rows: int
    #: It was ANALYZE, and no VACUUM after it, that counted last.
    was_analyzed_last: bool
    #: Columns of the table, those of dropped ones included.
    table_columns: int
    #: Size of what the table keeps out of line.
    toast_bytes: int
    #: A lock kept us from looking; ``size_bytes`` is what the catalog has.
    is_locked: bool
    #: None where it was not measured; ``unmeasured`` says why where it was worth it.
    leaves: LeafPages | None = None
    unmeasured: str | None = None

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def rows(self) -> int | None:
        """Rows of the table, as they were last counted; None if nobody did."""
        return self.live_rows + self.dead_rows or None if self.table_rows is None else self.table_rows

    @property
    def most_rows(self) -> int:
        """The same, with those that may have come since, and those that VACUUM has yet to remove."""
        rows = self.rows or 0
        return rows if self._is_count_current else max(rows, self.live_rows + self.dead_rows)

    @property
    def written_rows(self) -> int:
        """Rows that may be new since the last ANALYZE: deleting some does not change the others."""
        if self._is_count_current and self.was_analyzed_last:
            return min(self.changed_rows, self.updated_rows)
        return max(0, self.changed_rows - self.deleted_rows)

    @property
    def _is_count_current(self) -> bool:
        """Whether the last count already has all rows that ever came and went.

        Then it goes before what the statistics say of rows living and dead: a session reports what it
        did a second late, and so a second time if VACUUM or ANALYZE has counted it in the meantime.
        """
        if self.table_rows is None:
            return False
        return abs(self.table_rows - (self.inserted_rows - self.deleted_rows)) <= CURRENT * self.table_rows
