"""What the project's models declare, as facts: indexes, columns and tables."""

from __future__ import annotations

from dataclasses import dataclass

from django_dbaudit.finding import Location
from django_dbaudit.project.structure import Structure


@dataclass(frozen=True, slots=True)
class DeclaredIndex:
    """One index that a model asks for, be it by a field, by ``Meta`` or by being what it is."""

    #: As the database has it, without schema and quotes.
    table: str
    #: Names it may have: which one depends on the migration that made it.
    names: tuple[str, ...]
    #: Empty where it is over expressions.
    columns: tuple[str, ...]
    is_unique: bool
    #: primary_key, unique, db_index, foreign_key, like, spatial_index, meta_index, constraint,
    #: unique_together, through for the table that Django makes for a ManyToManyField, or bookkeeping
    #: for a table that Django keeps without a model.
    kind: str
    #: As in ``apps.get_model``: orders.Order.
    model: str
    #: The field that asks for it; None where Meta does.
    field: str | None
    #: Comes from an installed package: not the project's to change.
    is_third_party: bool
    location: Location | None
    is_primary: bool = False
    #: For a ``_like`` companion, the kind of the index that it stands beside; else empty.
    beside: str = ""
    #: False where migrations leave the table alone, as with ``managed = False``.
    is_managed: bool = True
    #: The schema that ``db_table`` names; None where the search path decides.
    schema: str | None = None
    #: None where nothing is known but the columns.
    structure: Structure | None = None

    @property
    def source(self) -> str:
        """What a reader would look for: ``orders.Order.customer``, ``orders.Order Meta.indexes``."""
        if self.field:
            return f"{self.model}.{self.field}"
        if self.location is None and self.is_third_party:
            return self.model
        option = {"meta_index": "indexes", "constraint": "constraints"}.get(self.kind, self.kind)
        return f"{self.model} Meta.{option}"


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """One column of a table, and the field that makes it."""

    table: str
    column: str
    model: str
    field: str
    is_third_party: bool
    location: Location | None
    #: The schema that ``db_table`` names; None where the search path decides.
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredIndexes:
    """What the project's models declare."""

    items: tuple[DeclaredIndex, ...]
    columns: tuple[DeclaredColumn, ...]
    #: Tables, managed by Django, that the alias should have; with their schema where ``db_table`` has it.
    tables: tuple[str, ...]
