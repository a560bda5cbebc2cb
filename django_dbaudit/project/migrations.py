"""Indexes that migrations make with ``RunSQL``, which no model tells of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader

from django_dbaudit.finding import Location
from django_dbaudit.project import source_lines
from django_dbaudit.project.naming import as_kept

#: An identifier, quoted or not.
NAME = r'("(?:[^"]|"")+"|[^\W\d][\w$]*)'
MAKES = re.compile(
    r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?"
    rf"(?!ON\b){NAME}|\bALTER\s+INDEX\s+\S+\s+RENAME\s+TO\s+{NAME}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MigrationIndex:
    """One index that a ``RunSQL`` creates."""

    name: str
    #: As Django says it: orders.0002_more.
    migration: str
    #: None in the migration of an installed package, which is not the project's to change.
    location: Location | None


@dataclass(frozen=True, slots=True)
class MigrationIndexes:
    """All that the project's migrations create by hand, applied or not."""

    items: tuple[MigrationIndex, ...]


def read(alias: str) -> MigrationIndexes:
    """Load every migration from disk; the database is not asked."""
    # Without the graph: whether dependencies hold together is another's question.
    loader = MigrationLoader(None, load=False)
    try:
        loader.load_disk()
    except Exception:  # noqa: BLE001  # any code of the project's may run, and this is but a hint
        return MigrationIndexes(())
    migrations = sorted(loader.disk_migrations.items())
    return MigrationIndexes(tuple([each for _, migration in migrations for each in _of(migration)]))


def _of(migration: Migration) -> Iterator[MigrationIndex]:
    for statement in _statements(migration.operations):
        for match in MAKES.finditer(statement):
            written = match[1] or match[2]
            yield MigrationIndex(
                as_kept(_unquoted(written)),
                f"{migration.app_label}.{migration.name}",
                _location(type(migration), written),
            )


def _statements(operations: Iterable[Any]) -> Iterator[str]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _statements(operation.database_operations)
        elif isinstance(operation, RunSQL):
            yield from _texts(operation.sql)


def _texts(sql: Any) -> Iterator[str]:
    """RunSQL takes a text, or a list of texts and of (text, parameters)."""
    if isinstance(sql, str):
        yield sql
        return
    for each in sql:
        yield each if isinstance(each, str) else each[0]


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _location(cls: type, written: str) -> Location | None:
    lines = source_lines.class_lines(cls)
    if lines is None or source_lines.is_installed(cls):
        return None
    text = Path(lines.file).read_text(encoding="utf-8")
    before, found, _ = text.partition(written)
    # SQL that was put together, or read from a file, is not there to be found.
    return Location(lines.path, before.count("\n") + 1 if found else lines.line)
