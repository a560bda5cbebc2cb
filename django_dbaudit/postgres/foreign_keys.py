"""Every foreign key, with what an index must have to serve it."""

from __future__ import annotations

from dataclasses import dataclass

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class ForeignKeyColumn:
    name: str
    #: As PostgreSQL writes it in a predicate.
    quoted: str
    collation: str | None
    #: Operator families, schema-qualified, that hold the operator of the lookup.
    equality_families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    oid: int
    name: str
    schema: str
    table: str
    table_oid: int
    columns: tuple[ForeignKeyColumn, ...]
    referenced_schema: str
    referenced_table: str
    referenced_table_oid: int
    on_delete: str
    #: A partition's copy of the partitioned table's constraint.
    is_inherited: bool
    is_enforced: bool
    #: A temporal foreign key (PERIOD), which looks up by overlap and not by equality.
    has_period: bool

    @property
    def qualified_table(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class ForeignKeys:
    """The foreign keys of one database."""

    items: tuple[ForeignKey, ...]


def read(source: Source) -> ForeignKeys:
    return ForeignKeys(tuple([decode(ForeignKey, row) for row in source.rows("foreign_keys")]))
