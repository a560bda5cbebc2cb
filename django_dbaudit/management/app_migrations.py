"""The migrations that one app has, and the file of its next one."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.core.management.utils import run_formatters
from django.db import Error, connections, migrations, router
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

from django_dbaudit.errors import AuditError
from django_dbaudit.postgres import failure
from django_dbaudit.project import source_lines

NAME = "dbaudit_indexes"
#: Operations after which a field's own index may have a name that nobody can work out.
RENAMES = (migrations.RenameField, migrations.RenameModel, migrations.AlterModelTable)


class AppMigrations:
    """What one app's migrations have come to; an `AuditError` says why none can be added."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.alias = ""
        self._is_there = False
        _check_app(_app(label))
        loader = self._loader = _load()
        self.leaf = _leaf(loader, label)
        self.state: ProjectState = loader.project_state(self.leaf)

    def choose(self, alias: str, *, is_there: bool) -> None:
        """Say which database the migration is for, and whether it can be asked."""
        if not router.allow_migrate(alias, self.label):
            raise AuditError(
                f"DATABASE_ROUTERS keep the migrations of {self.label!r} off the alias {alias!r}: "
                "choose the one that has its tables with --database."
            )
        self.alias, self._is_there = alias, is_there

    def model_state(self, label: str) -> ModelState | None:
        """The model as the migrations have it; None if they do not."""
        app, _, name = label.rpartition(".")
        return self.state.models.get((app, name.lower()))

    @functools.cached_property
    def lags_behind(self) -> bool:
        """Whether the app's models have changes that no migration has."""
        autodetector = MigrationAutodetector(
            self._loader.project_state(),
            ProjectState.from_apps(apps),
            NonInteractiveMigrationQuestioner(specified_apps={self.label}, dry_run=True),
        )
        changes = autodetector.changes(
            graph=self._loader.graph, trim_to_apps={self.label}, convert_apps={self.label}
        )
        return self.label in changes

    @functools.cached_property
    def why_unapplied(self) -> str | None:
        """Why it cannot be said that the database has all of the app's migrations; None if it has."""
        if not self._is_there:
            return "a facts file does not tell which migrations are applied"
        try:
            loader = MigrationLoader(connections[self.alias])
        except Error as error:
            return f"cannot read which migrations are applied: {failure.first_line(error)}"
        plan = [
            each
            for leaf in loader.graph.leaf_nodes(self.label)
            for each in loader.graph.forwards_plan(leaf)
        ]
        waiting = [f"{app}.{name}" for app, name in plan if (app, name) not in loader.applied_migrations]
        return f"{waiting[0]} is not applied yet: migrate first" if waiting else None

    def was_renamed(self, label: str) -> bool:
        """Whether a migration has given the model, its table or one of its fields another name."""
        model = label.rpartition(".")[2].lower()
        return any(_renames(each, model) for each in self._operations())

    def _operations(self) -> Iterator[Operation]:
        for key in self._loader.graph.forwards_plan(self.leaf):
            if key[0] == self.label:
                yield from self._loader.graph.nodes[key].operations

    def write(self, operations: Iterable[Operation], after: Iterable[tuple[str, str]] = ()) -> Path:
        """Write the next migration, never over another file; ``after`` are others that it depends on."""
        operations = list(operations)
        number = MigrationAutodetector.parse_number(self.leaf[1])
        name = f"{(number or 0) + 1:04}_{NAME}"
        body = {"dependencies": [self.leaf, *after], "operations": operations}
        if any(map(is_concurrent, operations)):
            body["atomic"] = False
        writer = MigrationWriter(type("Migration", (migrations.Migration,), body)(name, self.label))
        path = Path(writer.path)
        _write_new(path, _not_atomic(writer.as_string()) if "atomic" in body else writer.as_string())
        # As makemigrations does, with what the project formats with.
        run_formatters([str(path)])
        return path


def is_concurrent(operation: Operation) -> bool:
    """Whether the operation cannot run in a transaction."""
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return any(map(is_concurrent, operation.database_operations))
    if isinstance(operation, migrations.RunSQL):
        return " CONCURRENTLY " in str(operation.sql)
    return isinstance(operation, (AddIndexConcurrently, RemoveIndexConcurrently))


def _renames(operation: Any, model: str) -> bool:
    if not isinstance(operation, RENAMES):
        return False
    names = (getattr(operation, each, "") for each in ("model_name", "name", "new_name"))
    return model in [str(each).lower() for each in names]


def _app(label: str) -> AppConfig:
    try:
        return apps.get_app_config(label)
    except LookupError as error:
        known = ", ".join(sorted(each.label for each in apps.get_app_configs()))
        raise AuditError(f"Unknown app: {label!r}. INSTALLED_APPS has: {known}.") from error


def _check_app(app: AppConfig) -> None:
    label = app.label
    if source_lines.is_installed_path(app.path):
        raise AuditError(
            f"The app {label!r} is not this project's, but an installed package's ({app.path}): its models "
            "are not yours to edit, and a migration in it would be lost with its next version."
        )
    if label in settings.MIGRATION_MODULES and settings.MIGRATION_MODULES[label] is None:
        raise AuditError(f"MIGRATION_MODULES[{label!r}] is None, which switches the app's migrations off.")


def _load() -> MigrationLoader:
    try:
        return MigrationLoader(None)
    except Exception as error:  # any code of the project's may run here
        raise AuditError(
            f"Cannot load the migrations: {type(error).__name__}: {error}. "
            "See manage.py makemigrations --check."
        ) from error


def _leaf(loader: MigrationLoader, label: str) -> tuple[str, str]:
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
    (leaf,) = leaves
    return str(leaf[0]), str(leaf[1])


def _not_atomic(text: str) -> str:
    # Before Django 6.1 the writer leaves atomic out.
    if re.search(r"^    atomic = False$", text, re.MULTILINE):
        return text
    head = "class Migration(migrations.Migration):\n"
    return text.replace(head, f"{head}\n    atomic = False\n", 1)


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                # Half a migration would break every manage.py migrate.
                with contextlib.suppress(OSError):
                    path.unlink()
                raise
    except FileExistsError as error:
        raise AuditError(
            f"{path} exists, and is not overwritten: move it away, or take it up and migrate."
        ) from error
    except OSError as error:
        raise AuditError(f"Cannot write {path}: {error.strerror or error}.") from error
