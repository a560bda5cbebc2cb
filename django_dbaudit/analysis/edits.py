"""What a migration can do about a finding, and the edit of a model that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from django_dbaudit.analysis.correspondence import Lacking
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.plans import Candidate
from django_dbaudit.project.migrations import MigrationIndex
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndex


@dataclass(frozen=True, slots=True)
class RemoveEntry:
    """An entry of ``Meta.indexes`` goes; with ``not_null``, a partial one takes its place."""

    declared: DeclaredIndex
    index: Index
    #: The field whose NULLs the new one leaves out.
    not_null: str | None = None
    #: The database has it otherwise than the model, so that only its own definition makes it again.
    is_drifted: bool = False


@dataclass(frozen=True, slots=True)
class RemoveConstraint:
    """A unique constraint goes, because another one says the same."""

    declared: DeclaredIndex
    index: Index


@dataclass(frozen=True, slots=True)
class UnindexField:
    """A field asks for no index any more. Of those that it has now, some may stay as entries of Meta."""

    declared: DeclaredIndex
    going: tuple[Index, ...]
    staying: tuple[Index, ...] = ()
    #: Those of ``going`` that come back without the NULLs.
    partial: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class AddEntry:
    """A foreign key gets an entry in ``Meta.indexes``."""

    column: DeclaredColumn
    on_partitioned_table: bool


@dataclass(frozen=True, slots=True)
class AddProposed:
    """An index that statements on record would be faster with gets an entry in ``Meta.indexes``."""

    candidate: Candidate
    #: The field of its first key.
    column: DeclaredColumn


@dataclass(frozen=True, slots=True)
class DropUndeclared:
    """An index goes that no model asks for, so that none has to be edited."""

    index: Index
    model: str
    made_by: MigrationIndex | None


@dataclass(frozen=True, slots=True)
class Restore:
    """What a model asks for is made again; no model has to be edited."""

    lacking: Lacking


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A finding that asks for more than such an edit."""

    name: str
    reason: str


Edit = RemoveEntry | RemoveConstraint | UnindexField | AddEntry | AddProposed | DropUndeclared | Restore
