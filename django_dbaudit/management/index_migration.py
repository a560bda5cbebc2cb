"""The migration that goes with the edits of one app's models, as operations and as a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.core.management.utils import run_formatters
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

from django_dbaudit.analysis.declaration import create_statement, drop_statement
from django_dbaudit.analysis.index_edits import AddEntry, Edit, LeftOut, RemoveEntry, UnindexField
from django_dbaudit.errors import AuditError
from django_dbaudit.finding import Location
from django_dbaudit.project import source_lines

NAME = "dbaudit_indexes"
#: No class has as many entries: asks for where a new one would stand.
AFTER_ALL = 1 << 16


@dataclass(frozen=True, slots=True)
class Step:
    """One operation, and the edit of a model without which makemigrations would undo it."""

    operation: Operation
    location: Location | None
    edit: str


class AppMigrations:
    """What one app's migrations have come to; the database is not asked."""

    def __init__(self, label: str) -> None:
        self.label = label
        try:
            apps.get_app_config(label)
        except LookupError as error:
            known = ", ".join(sorted(each.label for each in apps.get_app_configs()))
            raise AuditError(f"Unknown app: {label!r}. INSTALLED_APPS has: {known}.") from error
        try:
            loader = MigrationLoader(None)
        except Exception as error:  # any code of the project's may run here
            raise AuditError(
                f"Cannot load the migrations: {type(error).__name__}: {error}. "
                "See manage.py makemigrations --check."
            ) from error
        leaves = loader.graph.leaf_nodes(label)
        if not leaves:
            raise AuditError(
                f"The app {label!r} has no migrations to add to: run manage.py makemigrations {label}."
            )
        if len(leaves) > 1:
            raise AuditError(
                f"The migrations of {label!r} have several ends ({', '.join(name for _, name in leaves)}): "
                "run manage.py makemigrations --merge."
            )
        (self.leaf,) = leaves
        self.state: ProjectState = loader.project_state(self.leaf)

    def step(self, edit: Edit) -> Step | LeftOut:
        """The operation for an edit; `LeftOut` where the edit is not one model's, or is made already."""
        label = edit.column.model if isinstance(edit, AddEntry) else edit.declared.model
        model = apps.get_model(label)
        known = self.state.models.get((self.label, model._meta.model_name or ""))
        if known is None:
            return LeftOut(label, "the migrations do not have the model: run makemigrations first")
        if isinstance(edit, RemoveEntry):
            return _remove(edit, model, known)
        return _unindex(edit, model, known) if isinstance(edit, UnindexField) else _add(edit, model, known)

    def write(self, operations: Iterable[Operation]) -> Path:
        """Write the next migration, never over another file."""
        number = re.match(r"\d+", self.leaf[1])
        name = f"{int(number[0]) + 1 if number else 1:04}_{NAME}"
        kind = type(
            "Migration",
            (migrations.Migration,),
            {"atomic": False, "dependencies": [self.leaf], "operations": list(operations)},
        )
        writer = MigrationWriter(kind(name, self.label))
        path = Path(writer.path)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(_not_atomic(writer.as_string()))
        except FileExistsError as error:
            raise AuditError(
                f"{path} exists, and is not overwritten: move it away, or take it up and migrate."
            ) from error
        except OSError as error:
            raise AuditError(f"Cannot write {path}: {error.strerror or error}.") from error
        # As makemigrations does, with what the project formats with.
        run_formatters([str(path)])
        return path


def _not_atomic(text: str) -> str:
    # Before Django 6.1 the writer leaves atomic out.
    if re.search(r"^    atomic = False$", text, re.MULTILINE):
        return text
    head = "class Migration(migrations.Migration):\n"
    return text.replace(head, f"{head}\n    atomic = False\n", 1)


def _remove(edit: RemoveEntry, model: type[models.Model], known: ModelState) -> Step | LeftOut:
    name = edit.declared.names[0]
    held = [each for each in known.options.get("indexes", ()) if each.name == name]
    if not held:
        return LeftOut(name, "the migrations do not have it (any more): migrate, or run makemigrations")
    inherited = _inherited(model, "indexes")
    if inherited:
        return LeftOut(name, inherited)
    operation = migrations.RemoveIndex if edit.index.is_partitioned else RemoveIndexConcurrently
    entry, _ = MigrationWriter.serialize(held[0])
    return Step(
        operation(known.name_lower, name),
        edit.declared.location,
        f"remove from {model._meta.label} Meta.indexes: {entry}",
    )


def _unindex(edit: UnindexField, model: type[models.Model], known: ModelState) -> Step | LeftOut:
    field_name = edit.declared.field or ""
    source, field = edit.declared.source, known.fields.get(field_name)
    if field is None or not getattr(field, "db_index", False):
        return LeftOut(source, "the migrations do not have its index (any more): migrate")
    if source_lines.declaring_class(model, field_name) is not model:
        return LeftOut(source, "the field comes from a base class, and other models may share it")
    unindexed: Any = field.clone()
    unindexed.db_index = False
    operation = migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(drop_statement(each, if_exists=True), create_statement(each))
            for each in edit.indexes
        ],
        state_operations=[migrations.AlterField(known.name_lower, field_name, unindexed)],
    )
    # A SlugField or a ForeignKey has an index unless it says otherwise.
    says_so = "db_index" in field.deconstruct()[3]
    what = f"remove db_index=True from {source}" if says_so else f"set db_index=False on {source}"
    return Step(operation, edit.declared.location, what)


def _add(edit: AddEntry, model: type[models.Model], known: ModelState) -> Step | LeftOut:
    source = f"{edit.column.model}.{edit.column.field}"
    if edit.column.field not in {each.name for each in model._meta.local_concrete_fields}:
        return LeftOut(source, "its table is one that Django makes for a ManyToManyField")
    inherited = _inherited(model, "indexes") if model._meta.indexes else None
    if inherited:
        return LeftOut(source, inherited)
    index = models.Index(fields=[edit.column.field])
    # Django's own way to a name of at most 30 characters that no other index has.
    index.set_name_with_model(model)
    if any(each.name == index.name for each in known.options.get("indexes", ())):
        return LeftOut(source, "the migrations add an index already: migrate")
    operation = migrations.AddIndex if edit.on_partitioned_table else AddIndexConcurrently
    entry, _ = MigrationWriter.serialize(index)
    return Step(
        operation(known.name_lower, index),
        source_lines.meta_location(model, "indexes", None, AFTER_ALL),
        f"add to {model._meta.label} Meta.indexes: {entry}",
    )


def _inherited(model: type[models.Model], option: str) -> str | None:
    """Why the entries of a ``Meta`` option cannot be changed for one model alone."""
    base = source_lines.meta_class(model, option)
    if base is model:
        return None
    return f"Meta.{option} comes from {base.__qualname__}, and other models may share it"


def carry_out(app: AppMigrations, steps: Iterable[Step | LeftOut]) -> str:
    """Write the migration, if there is anything to write; what to tell of it."""
    steps = list(steps)
    taken = [each for each in steps if isinstance(each, Step)]
    lines = []
    if taken:
        path = app.write([each.operation for each in taken])
        lines += [f"Wrote {source_lines.relative(str(path))}.", ""]
        lines += ["Make these edits, and makemigrations --check is clean; then migrate:"]
        lines += [f"  {f'{each.location}: ' if each.location else ''}{each.edit}" for each in taken]
    else:
        lines.append(f"Nothing to write for {app.label}: no finding that a migration of it would mend.")
    left = [each for each in steps if isinstance(each, LeftOut)]
    if left:
        lines += ["", "Left out:", *(f"  {each.name}: {each.reason}" for each in left)]
    return "\n".join([*lines, ""])
