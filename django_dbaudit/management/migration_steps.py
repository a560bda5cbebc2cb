"""From the edits that findings ask for to the operations of a migration, and what changes in the models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connections, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState

from django_dbaudit.analysis import index_entry
from django_dbaudit.analysis.edits import (
    AddEntry,
    AddProposed,
    DropUndeclared,
    Edit,
    LeftOut,
    RemoveConstraint,
    RemoveEntry,
    Restore,
    UnindexField,
)
from django_dbaudit.analysis.index_names import index_name
from django_dbaudit.analysis.partial_index import LIKE, PARTIAL
from django_dbaudit.analysis.statements import create_statement, drop_statement, rename_statements
from django_dbaudit.management.app_migrations import AppMigrations
from django_dbaudit.management.model_edits import ModelEdits
from django_dbaudit.management.proposed_index import index_of, is_among
from django_dbaudit.postgres.indexes import Index

NOT_THERE = "the migrations do not have it (any more): migrate, or run makemigrations"


class Steps:
    """The operations for a plan, in order, and the edits of models without which they would be undone."""

    def __init__(
        self,
        app: AppMigrations,
        plan: Iterable[Edit | LeftOut],
        taken: Iterable[str],
        fields: index_entry.Fields,
    ) -> None:
        self._app = app
        self._fields = fields
        #: Names that indexes have already, and those that the new ones get.
        self._taken = set(taken)
        self.operations: list[Operation] = []
        self.left_out: list[LeftOut] = []
        self.after: set[tuple[str, str]] = set()
        self.edits = ModelEdits(app.label)
        for each in plan:
            if isinstance(each, LeftOut):
                self.left_out.append(each)
            else:
                self._take(each)

    def _take(self, edit: Edit) -> None:
        name, label = _subject(edit)
        known = self._app.model_state(label)
        if known is None:
            reason = "the migrations do not have the model: run makemigrations first"
            self.left_out.append(LeftOut(name, reason))
            return
        try:
            self.operations += self._operations(edit, apps.get_model(label), known)
        except _CannotError as error:
            self.left_out.append(LeftOut(name, str(error)))

    def _operations(self, edit: Edit, model: type[models.Model], known: ModelState) -> list[Operation]:
        if isinstance(edit, RemoveEntry):
            return list(self._remove(edit, model, known))
        if isinstance(edit, RemoveConstraint):
            return list(self._remove_constraint(edit, model, known))
        if isinstance(edit, UnindexField):
            return list(self._unindex(edit, model, known))
        if isinstance(edit, AddEntry):
            return list(self._add(edit, model, known))
        if isinstance(edit, AddProposed):
            return list(self._propose(edit, model, known))
        if isinstance(edit, DropUndeclared):
            return list(self._drop(edit, known))
        return list(self._restore(edit, model, known))

    def _remove(
        self, edit: RemoveEntry, model: type[models.Model], known: ModelState
    ) -> Iterator[Operation]:
        held = _held(known, "indexes", edit.declared.names[0])
        changed = None
        if edit.not_null:
            columns = [column for column in edit.index.columns if column]
            changed = _without_nulls(held, edit.not_null, self._name(edit.index, columns, PARTIAL))
            yield _add_index(known, changed, concurrently=not edit.index.is_partitioned)
        if edit.is_drifted:
            # Django would make it again as the model has it, and not as it was.
            removed = migrations.RemoveIndex(known.name_lower, held.name)
            yield _in_database([self._dropped(edit.index, known)], [removed])
        else:
            yield _removed(known, held.name, edit.index)
        self.edits.replace(model, held, changed)

    def _remove_constraint(
        self, edit: RemoveConstraint, model: type[models.Model], known: ModelState
    ) -> Iterator[Operation]:
        held = _held(known, "constraints", edit.declared.names[0])
        yield migrations.RemoveConstraint(known.name_lower, held.name)
        self.edits.remove_constraint(model, held)

    def _unindex(
        self, edit: UnindexField, model: type[models.Model], known: ModelState
    ) -> Iterator[Operation]:
        name = edit.declared.field or ""
        field: Any = known.fields.get(name)
        if field is None or not getattr(field, "db_index", False):
            raise _CannotError("the migrations do not have its index (any more): migrate")
        unindexed: Any = field.clone()
        unindexed.db_index = False
        for index in edit.partial:
            entry = self._entry_for(index, name, edit.declared.columns, PARTIAL)
            changed = _without_nulls(entry, name, entry.name)
            yield _add_index(known, changed, concurrently=not index.is_partitioned)
            self.edits.replace(model, None, changed)
        in_database: list[Operation] = []
        in_state: list[Operation] = [migrations.AlterField(known.name_lower, name, unindexed)]
        for index in edit.staying:
            entry = self._entry_for(index, name, edit.declared.columns, "idx")
            statements = rename_statements(index, entry.name, in_migration=True)
            in_database.append(_run(*statements, known))
            in_state.append(migrations.AddIndex(known.name_lower, entry))
            self.edits.replace(model, None, entry)
        in_database += [self._dropped(each, known) for each in edit.going]
        yield _in_database(in_database, in_state)
        is_plain = not edit.staying and not edit.partial
        self.edits.unindex(model, edit.declared, field, unindexed, is_plain=is_plain)

    def _add(self, edit: AddEntry, model: type[models.Model], known: ModelState) -> Iterator[Operation]:
        field = edit.column.field
        if field not in {each.name for each in model._meta.local_concrete_fields}:
            raise _CannotError("its table is one that Django makes for a ManyToManyField")
        for each in known.options.get("indexes", ()):
            if each.fields == [field] and each.condition is None:
                raise _CannotError("the migrations add an index already: migrate")
        name = index_name(edit.column.table, [edit.column.column], taken=self._taken)
        self._taken.add(name)
        index = models.Index(fields=[field], name=name)
        yield _add_index(known, index, concurrently=not edit.on_partitioned_table)
        self.edits.replace(model, None, index)

    def _propose(
        self, edit: AddProposed, model: type[models.Model], known: ModelState
    ) -> Iterator[Operation]:
        name = index_entry.name_of(edit.candidate, self._taken)
        self._taken.add(name)
        index = index_of(edit.candidate, self._fields, name)
        if is_among(known.options.get("indexes", ()), index):
            raise _CannotError("the migrations add it already: migrate")
        yield _add_index(known, index, concurrently=not edit.candidate.is_partitioned)
        self.edits.replace(model, None, index)

    def _drop(self, edit: DropUndeclared, known: ModelState) -> Iterator[Operation]:
        held = known.options.get("indexes", ())
        if self._app.lags_behind or any(each.name == edit.index.name for each in held):
            raise _CannotError("the models have changes that no migration has: run makemigrations first")
        if edit.made_by is not None:
            app, _, migration = edit.made_by.migration.partition(".")
            if app != self._app.label:
                # On a new database it must be there before it goes.
                self.after.add((app, migration))
        yield self._dropped(edit.index, known)

    def _restore(self, edit: Restore, model: type[models.Model], known: ModelState) -> Iterator[Operation]:
        declared, table = edit.lacking.declared, edit.lacking.table
        if declared.kind == "meta_index":
            index = _held(known, "indexes", declared.names[0])
        else:
            field: Any = known.fields.get(declared.field or "")
            if not getattr(field, "db_index", False):
                raise _CannotError(NOT_THERE)
            if self._app.was_renamed(declared.model):
                raise _CannotError(
                    "a renamed field's index has a name that nobody can foretell: see its fix"
                )
            opclasses = [_like_opclass(field, self._app.alias)] if declared.kind == LIKE else []
            index = models.Index(fields=[str(declared.field)], name=declared.names[0], opclasses=opclasses)
        if self._app.why_unapplied:
            raise _CannotError(self._app.why_unapplied)
        editor: Any = connections[self._app.alias].schema_editor()
        concurrently = not table.is_partitioned
        made = str(index.create_sql(model, editor, concurrently=concurrently))
        # Where nobody dropped it, it is there; and rolled back it stays, for the models ask for it.
        before = "CONCURRENTLY " if concurrently else "CREATE INDEX "
        yield _run(f"{made.replace(before, f'{before}IF NOT EXISTS ', 1)};", migrations.RunSQL.noop, known)

    def _entry_for(self, index: Index, field: str, columns: tuple[str, ...], suffix: str) -> models.Index:
        """The entry of ``Meta`` that says what a field's own index is."""
        opclass = index.keys[0].opclass.rpartition(".")[2]
        is_like = opclass.endswith("_pattern_ops")
        name = self._name(index, list(columns), LIKE if is_like and suffix == PARTIAL else suffix)
        return models.Index(fields=[field], name=name, opclasses=[opclass] if is_like else [])

    def _name(self, index: Index, columns: list[str], suffix: str) -> str:
        name = index_name(index.table, columns, suffix, self._taken)
        self._taken.add(name)
        return name

    def _dropped(self, index: Index, known: ModelState) -> Operation:
        return _run(
            drop_statement(index, if_exists=True, in_migration=True),
            create_statement(index, in_migration=True),
            known,
        )


class _CannotError(Exception):
    """Why there is no operation for an edit."""


def _subject(edit: Edit) -> tuple[str, str]:
    """What an edit is about, and whose model."""
    if isinstance(edit, AddEntry):
        return f"{edit.column.model}.{edit.column.field}", edit.column.model
    if isinstance(edit, AddProposed):
        return edit.candidate.target, edit.column.model
    if isinstance(edit, DropUndeclared):
        return edit.index.qualified_name, edit.model
    if isinstance(edit, Restore):
        return edit.lacking.declared.names[0], edit.lacking.declared.model
    declared = edit.declared
    return declared.source if declared.field else declared.names[0], declared.model


def _held(known: ModelState, option: str, name: str) -> Any:
    for each in known.options.get(option, ()):
        if each.name == name:
            return each
    raise _CannotError(NOT_THERE)


def _without_nulls(index: models.Index, field: str, name: str) -> models.Index:
    _, expressions, options = index.deconstruct()
    kind = type(index)
    return kind(
        *expressions, **{**options, "name": name, "condition": models.Q((f"{field}__isnull", False))}
    )


def _add_index(known: ModelState, index: models.Index, *, concurrently: bool) -> Operation:
    operation = AddIndexConcurrently if concurrently else migrations.AddIndex
    return operation(known.name_lower, index)


def _removed(known: ModelState, name: str, index: Index) -> Operation:
    operation = migrations.RemoveIndex if index.is_partitioned else RemoveIndexConcurrently
    return operation(known.name_lower, name)


def _in_database(database: list[Operation], state: list[Operation]) -> Operation:
    return migrations.SeparateDatabaseAndState(database_operations=database, state_operations=state)


def _run(forward: str, backward: str, known: ModelState) -> Operation:
    # Routers that go by the model cannot tell it from SQL.
    hints = {"model_name": known.name_lower} if settings.DATABASE_ROUTERS else None
    return migrations.RunSQL(forward, backward, hints=hints)


def _like_opclass(field: models.Field[Any, Any], alias: str) -> str:
    db_type = field.db_type(connections[alias]) or ""
    return "varchar_pattern_ops" if db_type.startswith("varchar") else "text_pattern_ops"
