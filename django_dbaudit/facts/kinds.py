"""The kinds of facts, and what reads each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django_dbaudit.postgres import (
    collations,
    column_statistics,
    foreign_keys,
    index_contents,
    indexes,
    sequences,
    server,
    sessions,
    statements,
    tables,
)
from django_dbaudit.postgres.collations import Collations
from django_dbaudit.postgres.column_statistics import ColumnStatistics
from django_dbaudit.postgres.foreign_keys import ForeignKeys
from django_dbaudit.postgres.index_contents import IndexContents
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.plans import StatementPlans
from django_dbaudit.postgres.sequences import Sequences
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Sessions
from django_dbaudit.postgres.statements import Statements
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project import migrations, models
from django_dbaudit.project.effects.facts import Effects
from django_dbaudit.project.migrations import MigrationIndexes
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.store.history import IndexHistory
from django_dbaudit.traffic.facts import Traffic


def _statement_plans(source: Any, *facts: Any) -> StatementPlans:
    # Here, because a parser of SQL takes a sixth of a second to import, and is seldom needed.
    from django_dbaudit.planning import statement_plans  # noqa: PLC0415  # as above

    return statement_plans.read(source, *facts)


def _effects() -> Effects:
    # Here, because what interprets takes long to import, and commands about indexes need none of it.
    from django_dbaudit.project.effects import reading  # noqa: PLC0415  # as above

    return reading.read()


#: Facts read over a guarded connection. ``Server`` and ``Tables`` come first: others lean on them.
FROM_SERVER: Mapping[type[Any], Callable[[Any], Any]] = {
    Server: server.read,
    Tables: tables.read,
    Indexes: indexes.read,
    ForeignKeys: foreign_keys.read,
    ColumnStatistics: column_statistics.read,
    IndexContents: index_contents.read,
    Collations: collations.read,
    Sequences: sequences.read,
    Sessions: sessions.read,
}

#: What is had only with an extension, and the facts that each is read with; in this order.
OF_STATEMENTS: Mapping[type[Any], tuple[Callable[..., Any], tuple[type[Any], ...]]] = {
    Statements: (statements.read, ()),
    StatementPlans: (_statement_plans, (Statements, Tables, Indexes)),
}

#: Facts about the schema: a database without a table leaves nothing to say about them.
OF_SCHEMA: Collection[type[Any]] = (
    Tables,
    Indexes,
    ForeignKeys,
    ColumnStatistics,
    IndexContents,
    Sequences,
)

#: Facts read from the project's code, for one alias, without touching its database.
FROM_PROJECT: Mapping[type[Any], Callable[[str], Any]] = {
    DeclaredIndexes: models.read,
    MigrationIndexes: migrations.read,
}

#: Facts read from the project's code, the same for every alias; they need no connection.
OF_CODE: Mapping[type[Any], Callable[[], Any]] = {
    Effects: _effects,
}

#: Facts that all aliases have in common: a rule that asks for nothing else runs once.
SHARED: Collection[type[Any]] = (*OF_CODE, Traffic)

#: Read from our own tables, for a database whose `Server` is known.
FROM_STORE: Collection[type[Any]] = (IndexHistory,)

ALL: Mapping[str, type[Any]] = {
    kind.__name__: kind for kind in (*FROM_SERVER, *OF_STATEMENTS, *FROM_PROJECT, *FROM_STORE, *SHARED)
}
