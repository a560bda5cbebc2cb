"""The collations that indexes sort by, with the version they were made for and the one at hand."""

from __future__ import annotations

from dataclasses import dataclass

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class Collation:
    schema: str
    name: str
    #: The default collation of the database: its version is recorded with the database.
    is_default: bool
    #: libc, icu or builtin.
    provider: str
    #: None where the server keeps no version, as for C, or did not before PostgreSQL 15.
    recorded_version: str | None
    #: What the operating system's or ICU's library says now; None where it has no version.
    actual_version: str | None

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Collations:
    """The database's default collation, and every other that an index names."""

    items: tuple[Collation, ...]


def read(source: Source) -> Collations:
    return Collations(tuple([decode(Collation, row) for row in source.rows("collations")]))
