"""The names that Django and PostgreSQL give to what a model asks for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

#: Bytes that PostgreSQL keeps of a name.
NAME_LENGTH = 63


def bare(table: str) -> str:
    """The table's own name, out of the ``schema"."table`` that some projects put in db_table."""
    return table.strip('"').rpartition('"."')[2]


def schema_of(table: str) -> str | None:
    """The schema that ``db_table`` names; None where the search path decides."""
    return table.strip('"').rpartition('"."')[0] or None


def as_kept(name: str) -> str:
    """A name as PostgreSQL keeps it: its first 63 bytes."""
    return name.encode()[:NAME_LENGTH].decode(errors="ignore")


def made_up(
    editor: BaseDatabaseSchemaEditor, model: type[models.Model], columns: list[str], suffix: str
) -> str:
    """The name that Django's schema editor makes up, of table, columns and a digest."""
    # Private, and the only place that knows: nothing public tells the name Django gives an index.
    make_name: Any = editor._create_index_name  # type: ignore[attr-defined]  # noqa: SLF001  # as above
    return str(make_name(model._meta.db_table, columns, suffix=suffix))


def of_server(table: str, column: str, label: str) -> str:
    """The name that the server gives: ``makeObjectName`` in its indexcmds.c.

    Where all three parts do not fit into a name, the longer of table and column is cut first.
    """
    first, second = table.encode(), column.encode()
    room = NAME_LENGTH - len(label) - 1 - (1 if second else 0)
    while len(first) + len(second) > room:
        if len(first) > len(second):
            first = first[:-1]
        else:
            second = second[:-1]
    parts = [first.decode(errors="ignore"), second.decode(errors="ignore"), label]
    return "_".join(part for part in parts if part)
