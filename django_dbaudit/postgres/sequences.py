"""Every sequence and the columns that take their numbers from it."""

from __future__ import annotations

from dataclasses import dataclass

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class SequenceUse:
    """A column that the sequence fills: serial, identity, or a default that calls nextval."""

    schema: str
    table: str
    column: str
    type: str


@dataclass(frozen=True, slots=True)
class Sequence:
    oid: int
    schema: str
    name: str
    type: str
    start: int
    minimum: int
    maximum: int
    increment: int
    cycles: bool
    #: None if it was never called, or if ``hidden`` says why it could not be read.
    last_value: int | None
    hidden: str | None
    columns: tuple[SequenceUse, ...]

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Sequences:
    """The sequences of one database."""

    items: tuple[Sequence, ...]


def read(source: Source) -> Sequences:
    return Sequences(tuple([decode(Sequence, row) for row in source.rows("sequences")]))
