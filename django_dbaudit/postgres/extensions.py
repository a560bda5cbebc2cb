"""Which extensions the database has, and in which schema."""

from __future__ import annotations

from dataclasses import dataclass

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class Extension:
    name: str
    schema: str
    version: str

    @property
    def version_number(self) -> tuple[int, ...]:
        """To compare by: (1, 10) is more than (1, 9)."""
        return tuple(int(part) for part in self.version.split(".") if part.isdigit())


def read(source: Source) -> dict[str, Extension]:
    """By their names."""
    rows = source.rows("extensions")
    return {each.name: each for each in (decode(Extension, row) for row in rows)}
