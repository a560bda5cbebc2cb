"""From an index in the database to the model that asks for it, and to the edit that drops it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django_dbaudit.analysis.index_names import index_name
from django_dbaudit.analysis.statements import (
    create_statement,
    drop_constraint,
    drop_statement,
    rename_statements,
)
from django_dbaudit.derived import DerivedFact
from django_dbaudit.finding import Evidence, Fix, Location, Related, Severity, Subject
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes

#: What a field asks for with one word, and its ``_like`` companion with it.
OF_ONE_FIELD = frozenset({"db_index", "unique", "foreign_key", "like"})


#: The schema, or None where ``db_table`` names none, and the table.
_Place = tuple[str | None, str]


class Declarations(DerivedFact):
    """Looks up what declares an index: by its name and, where names have moved on, by its columns."""

    def __init__(self, declared: DeclaredIndexes) -> None:
        self._by_name: dict[tuple[_Place, str], DeclaredIndex] = {}
        self._primary: dict[_Place, DeclaredIndex] = {}
        self._by_columns: dict[tuple[_Place, tuple[str | None, ...], bool, bool], DeclaredIndex] = {}
        for each in declared.items:
            place = each.schema, each.table
            for name in each.names:
                self._by_name[place, name] = each
            if each.is_primary:
                self._primary[place] = each
            elif each.columns and (each.field or each.is_unique) and not _is_special(each):
                key = place, each.columns, each.is_unique, each.kind == "like"
                self._by_columns.setdefault(key, each)

    def of(self, index: Index) -> DeclaredIndex | None:
        # A model that names its schema means that one; any other may have copies in several.
        return self._of(index, (index.schema, index.table)) or self._of(index, (None, index.table))

    def _of(self, index: Index, place: _Place) -> DeclaredIndex | None:
        if index.is_primary:
            # A table has but one, whatever the table was called when it was made.
            return self._primary.get(place)
        named = self._by_name.get((place, index.name))
        if named is not None or index.predicate is not None or index.include:
            return named
        is_like = index.keys[-1].opclass.endswith("_pattern_ops")
        found = self._by_columns.get((place, index.columns, index.is_unique, is_like))
        # A second index on the columns of a field is not the field's own if that one is there too.
        return found if found and (index.is_unique or _is_made_up(index, found)) else None


class Companions(DerivedFact):
    """For each index of a text field the other one that the same field asks for.

    ``db_index=True`` on a ``CharField`` makes two: a plain one and, for ``LIKE 'x%'``, one with
    ``varchar_pattern_ops``. Both find equal values, and the planner settles for either.
    """

    def __init__(self, indexes: Indexes, declarations: Declarations) -> None:
        of_field: dict[tuple[str, str], list[Index]] = defaultdict(list)
        for index in indexes.items:
            declared = declarations.of(index)
            if declared and declared.field and declared.kind in OF_ONE_FIELD:
                of_field[declared.model, declared.field].append(index)
        pairs = [pair for pair in of_field.values() if len(pair) == 2]
        self._by_oid = {one.oid: other for pair in pairs for one, other in (pair, pair[::-1])}

    def of(self, index: Index) -> Index | None:
        return self._by_oid.get(index.oid)


def _is_special(declared: DeclaredIndex) -> bool:
    """Whether it is more than an index over its columns, so that they alone do not lead to it."""
    wanted = declared.structure
    return wanted is not None and (wanted.predicate is not None or bool(wanted.include))


def _is_made_up(index: Index, declared: DeclaredIndex) -> bool:
    """Whether the name is one that Django makes up: of what it was called then, and a hash."""
    stem = index.name.removesuffix("_like") if declared.kind == "like" else index.name
    digits = stem.rpartition("_")[2]
    return len(digits) == 8 and all(digit in "0123456789abcdef" for digit in digits)


def subject(index: Index) -> Subject:
    return Subject("index", index.qualified_name, index.qualified_table)


def related(index: Index, declarations: Declarations) -> Related:
    return Related("index", index.qualified_name, location(declarations.of(index)))


def location(declared: DeclaredIndex | None) -> Location | None:
    """The line to change; None if it is somebody else's."""
    return declared.location if declared and not declared.is_third_party else None


def evidence(declared: DeclaredIndex | None) -> Evidence:
    if declared is None:
        return {"declared_by": None}
    return {
        "declared_by": declared.source,
        "declared_at": str(declared.location) if declared.location else None,
    }


def severity(declared: DeclaredIndex | None, otherwise: Severity) -> Severity:
    """Less where the project's models cannot say it otherwise."""
    if declared is None:
        return otherwise
    is_given = declared.kind in ("through", "bookkeeping") or _is_beside_unique(declared)
    return Severity.INFO if declared.is_third_party or is_given else otherwise


def _is_beside_unique(declared: DeclaredIndex) -> bool:
    return declared.kind == "like" and declared.beside in ("unique", "primary_key")


def drop(
    index: Index,
    declared: DeclaredIndex | None,
    companion: Index | None = None,
    *,
    companion_stays: bool = True,
) -> Fix:
    """How to be rid of an index for good: where it is declared first, else it will come back.

    ``companion`` is the other index of the same field, if it has one.
    """
    if declared is None:
        return Fix("sql", drop_constraint(index) if index.constraints else drop_statement(index))
    if declared.is_third_party:
        where = f" ({declared.location})" if declared.location else ""
        return Fix("text", f"{declared.source} is not this project's code{where}: leave it.")
    if declared.kind == "through":
        text = (
            f"Django makes it for {declared.source}: leave it, or give that a model of its own as through."
        )
        return Fix("text", text)
    if _is_beside_unique(declared):
        word = "primary_key=True" if declared.beside == "primary_key" else "unique=True"
        return Fix(
            "text",
            f"Django makes it for LIKE 'x%', beside {word} on {declared.source}: leave it. "
            "Dropped by RunSQL alone, a new database has it again.",
        )
    if declared.kind == "meta_index":
        return Fix("migration", _remove(index, declared))
    if declared.kind in ("db_index", "foreign_key", "like"):
        return Fix("migration", _unindex(index, declared, companion, companion_stays=companion_stays))
    if declared.kind == "constraint":
        app, _, model = declared.model.rpartition(".")
        operation = f'migrations.RemoveConstraint("{model.lower()}", "{index.name}")'
        text = f"Remove it from {declared.source}, and in a migration of {app}:\n{operation}"
        return Fix("migration", text)
    return Fix("text", _LEAVE[declared.kind].format(declared.source))


_LEAVE = {
    "unique": "Remove unique=True from {}, then makemigrations.",
    "primary_key": "It belongs to the primary key {}: leave it.",
    "unique_together": "Remove it from {}, then makemigrations.",
    "bookkeeping": "Leave it to {}.",
    "spatial_index": "Set spatial_index=False on {}, then makemigrations.",
}


def _remove(index: Index, declared: DeclaredIndex) -> str:
    app, _, model = declared.model.rpartition(".")
    if index.is_partitioned:
        return (
            f"Remove it from {declared.source}, and in a migration of {app}:\n"
            f'migrations.RemoveIndex("{model.lower()}", "{index.name}")'
        )
    return (
        f"Remove it from {declared.source}, and in a migration of {app} with atomic = False:\n"
        "from django.contrib.postgres.operations import RemoveIndexConcurrently\n"
        f'RemoveIndexConcurrently("{model.lower()}", "{index.name}")'
    )


def _unindex(
    index: Index, declared: DeclaredIndex, companion: Index | None, *, companion_stays: bool
) -> str:
    """The edit of a field, and a migration that does not lock what the field's own one would.

    An AlterField drops a foreign key and checks all of it again, builds what stays from nothing,
    and drops what goes, in one transaction.
    """
    # Said so, and not as "remove db_index=True", because a SlugField has it unless told otherwise.
    edit = f"Set db_index=False on {declared.source}"
    statements = [(drop_statement(index, if_exists=True), create_statement(index))]
    if companion and not companion_stays:
        statements.append((drop_statement(companion, if_exists=True), create_statement(companion)))
    elif companion:
        name = index_name(companion.table, declared.columns)
        edit += f", put {_entry(companion, declared, name)} into Meta.indexes"
        statements.append(rename_statements(companion, name))
    return f"{edit}, and in a migration with atomic = False:\n{_separately(statements)}"


def _entry(index: Index, declared: DeclaredIndex, name: str) -> str:
    opclass = index.keys[0].opclass.rpartition(".")[2]
    opclasses = f'opclasses=["{opclass}"], ' if opclass.endswith("_pattern_ops") else ""
    return f'models.Index(fields=["{declared.field}"], {opclasses}name="{name}")'


def _separately(statements: Iterable[tuple[str, str]]) -> str:
    operations = "".join(
        f"        migrations.RunSQL(\n            {forward!r},\n            {backward!r},\n        ),\n"
        for forward, backward in statements
    )
    return (
        "migrations.SeparateDatabaseAndState(\n"
        f"    database_operations=[\n{operations}    ],\n"
        "    state_operations=[…],  # what makemigrations writes\n"
        ")"
    )
