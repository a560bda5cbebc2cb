"""The facts that rules ask for, by type: read from the server and the project, or from a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections

from django_dbaudit import derived
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.codec import decode, encode
from django_dbaudit.conf import Config
from django_dbaudit.derived import DerivedFact
from django_dbaudit.files import WRITER, FileKind
from django_dbaudit.finding import Database
from django_dbaudit.planning import statement_plans
from django_dbaudit.postgres import (
    collations,
    column_statistics,
    failure,
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
from django_dbaudit.postgres.connection import GuardedConnection
from django_dbaudit.postgres.failure import LackingError
from django_dbaudit.postgres.foreign_keys import ForeignKeys
from django_dbaudit.postgres.index_contents import IndexContents
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.plans import StatementPlans
from django_dbaudit.postgres.sequences import Sequences
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Sessions
from django_dbaudit.postgres.source import Source
from django_dbaudit.postgres.statements import Statements
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project import migrations, models, replication
from django_dbaudit.project.migrations import MigrationIndexes
from django_dbaudit.project.replication import DeclaredAlias
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.store.history import IndexHistory
from django_dbaudit.store.reading import HistoryReader
from django_dbaudit.version import VERSION

FILE = FileKind("the facts file", "facts_version", 1, "Save it again with --save-facts.")

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
    StatementPlans: (statement_plans.read, (Statements, Tables, Indexes)),
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

#: Read from our own tables, for a database whose `Server` is known.
FROM_STORE: Collection[type[Any]] = (IndexHistory,)

ALL: Mapping[str, type[Any]] = {
    kind.__name__: kind for kind in (*FROM_SERVER, *OF_STATEMENTS, *FROM_PROJECT, *FROM_STORE)
}

#: What it means that a fact is not there, for those without which rules know less but still enough.
ABSENT: Mapping[type[Any], Any] = {
    IndexHistory: IndexHistory(absence="the facts were saved without records"),
    Cluster: Cluster(),
}


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A fact that cannot be had. ``failed`` tells what went wrong from what is merely so."""

    reason: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class AliasFacts:
    """What is known of one alias."""

    database: Database
    known: Mapping[type[Any], Any]
    #: Known also of an alias that cannot be reached.
    declared: DeclaredAlias = field(default_factory=DeclaredAlias)
    #: What was made of it; another `AliasFacts`, which knows other things, begins anew.
    _derived: dict[type[Any], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def get(self, kind: type[Any]) -> Any:
        """The fact, or `Unavailable`; a `DerivedFact` is made when it is first asked for."""
        if kind in self.known:
            return self.known[kind]
        if not issubclass(kind, DerivedFact):
            return ABSENT.get(kind, Unavailable("not among the facts that were gathered"))
        if kind not in self._derived:
            self._derived[kind] = self._derive(kind)
        return self._derived[kind]

    def having(self, *facts: Any) -> AliasFacts:
        """The same with these facts, in place of what it knows of their kinds."""
        if all(self.known.get(type(each)) is each for each in facts):
            return self
        return replace(self, known={**self.known, **{type(each): each for each in facts}})

    def _derive(self, kind: type[DerivedFact]) -> Any:
        parts = {name: self.get(each) for name, each in derived.needs(kind).items()}
        missing = next((each for each in parts.values() if isinstance(each, Unavailable)), None)
        return missing or kind(**parts)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of all the aliases that were asked for."""

    aliases: tuple[AliasFacts, ...] = field(default=())

    @property
    def databases(self) -> tuple[Database, ...]:
        return tuple(each.database for each in self.aliases)

    def having(self, *facts: Any) -> Facts:
        """The same with these facts about every alias."""
        return Facts(tuple([each.having(*facts) for each in self.aliases]))


def gather(
    aliases: Iterable[str],
    kinds: Collection[type[Any]],
    config: Config,
    progress: Callable[[str], None] = lambda _: None,
) -> Facts:
    """Read the facts of these kinds for each alias; what cannot be had becomes `Unavailable`."""
    with HistoryReader(config) as history:
        return Facts(tuple([_of_alias(alias, kinds, config, history, progress) for alias in aliases]))


def _of_alias(
    alias: str,
    kinds: Collection[type[Any]],
    config: Config,
    history: HistoryReader,
    progress: Callable[[str], None],
) -> AliasFacts:
    wanted = _with_prerequisites(kinds)
    try:
        vendor = connections[alias].vendor
    except ImproperlyConfigured as error:
        # What Django says here sends its reader to "the above exception", which is the cause.
        why = failure.first_line(error.__cause__ or error)
        engine = connections.settings[alias]["ENGINE"]
        return _nothing(alias, "unknown", wanted, f"cannot load its ENGINE {engine!r}: {why}", failed=True)
    if vendor != "postgresql":
        return _nothing(alias, vendor, wanted, f"not PostgreSQL: the alias is {vendor}")
    try:
        with GuardedConnection(alias, config) as connection:
            known = _from_server(connection, wanted, progress)
            for kind in wanted:
                if kind in OF_STATEMENTS:
                    progress(f"{alias}: {kind.__name__}")
                    known[kind] = _of_statements(connection, kind, known)
    # ImproperlyConfigured: the backend's own word on OPTIONS that it cannot connect with.
    # UnicodeError: a HOST that cannot be the name of one.
    except (Error, ImproperlyConfigured, UnicodeError) as error:
        reason = f"could not connect: {failure.first_line(error)}"
        return _nothing(alias, vendor, wanted, reason, failed=True)
    for kind in wanted:
        if kind in FROM_PROJECT:
            known[kind] = _from_project(alias, kind)
    head = known[Server]
    if IndexHistory in wanted:
        known[IndexHistory] = head if isinstance(head, Unavailable) else history.read(alias, head)
    version = head.version_text if isinstance(head, Server) else None
    return AliasFacts(Database(alias, vendor, version), known, replication.read(alias))


def _of_statements(connection: GuardedConnection, kind: type[Any], known: Mapping[type[Any], Any]) -> Any:
    read, needed = OF_STATEMENTS[kind]
    facts = [known[each] for each in needed]
    for fact in facts:
        if isinstance(fact, Unavailable):
            return fact
    return _tried(lambda: read(connection, *facts))


def _from_project(alias: str, kind: type[Any]) -> Any:
    try:
        return FROM_PROJECT[kind](alias)
    except Exception as error:  # noqa: BLE001  # a router's or a field's own code, which may raise anything
        why = f"{type(error).__name__}: {failure.first_line(error)}"
        return Unavailable(f"reading the project's models failed: {why}", failed=True)


def _with_prerequisites(kinds: Collection[type[Any]]) -> list[type[Any]]:
    needed = {Server}.union(*map(derived.sources, kinds))
    for kind, (_, prerequisites) in reversed(tuple(OF_STATEMENTS.items())):
        if kind in needed:
            needed.update(prerequisites)
    if needed.intersection(OF_SCHEMA):
        needed.add(Tables)
    return [kind for kind in ALL.values() if kind in needed]


def _nothing(
    alias: str, vendor: str, kinds: Iterable[type[Any]], reason: str, *, failed: bool = False
) -> AliasFacts:
    gone = Unavailable(reason, failed)
    return AliasFacts(Database(alias, vendor), dict.fromkeys(kinds, gone), replication.read(alias))


def _from_server(
    connection: GuardedConnection, kinds: Iterable[type[Any]], progress: Callable[[str], None]
) -> dict[type[Any], Any]:
    known: dict[type[Any], Any] = {}
    for kind in kinds:
        if kind not in FROM_SERVER:
            continue
        if kind in OF_SCHEMA and known.get(Tables) == Tables(()):
            known[kind] = known[Tables]
            continue
        progress(f"{connection.alias}: {kind.__name__}")
        known[kind] = _read(connection, kind)
    if known.get(Tables) == Tables(()):
        known.update((kind, _without_tables(connection.alias)) for kind in OF_SCHEMA if kind in known)
    return known


def _without_tables(alias: str) -> Unavailable:
    return Unavailable(
        f"the database has no tables; run 'manage.py migrate --database {alias}', "
        "or check where the alias points",
        failed=True,
    )


def _read(source: Source, kind: type[Any]) -> Any:
    return _tried(lambda: FROM_SERVER[kind](source))


def _tried(read: Callable[[], Any]) -> Any:
    for attempt in (1, 2):
        try:
            return read()
        except LackingError as error:
            return Unavailable(str(error))
        # ValueError: a row that lost a part of itself to a DROP between two looks at the catalog.
        except (Error, ValueError) as error:
            code = failure.sqlstate(error)
            if attempt == 1 and (code in failure.VANISHED or isinstance(error, ValueError)):
                continue
            return Unavailable(failure.explain(error), code != failure.INSUFFICIENT_PRIVILEGE)
    raise AssertionError("the second attempt returns")


def save(facts: Facts) -> str:
    """The text of a facts file. It holds query texts and names of the server: treat it as private."""
    document = {
        FILE.key: FILE.version,
        WRITER: VERSION,
        "aliases": [
            {
                "database": encode(each.database),
                "declared": encode(each.declared),
                "known": {
                    name: _encode(each.known[kind]) for name, kind in ALL.items() if kind in each.known
                },
            }
            for each in facts.aliases
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _encode(fact: Any) -> dict[str, Any]:
    return {"unavailable" if isinstance(fact, Unavailable) else "fact": encode(fact)}


def load(path: Path) -> Facts:
    """Read a facts file; an `AuditError` says what is wrong with one that cannot be read."""
    return FILE.read(path, lambda document: Facts(tuple(map(_decode_alias, document["aliases"]))))


def _decode_alias(value: Mapping[str, Any]) -> AliasFacts:
    known: dict[type[Any], Any] = {}
    for name, boxed in value["known"].items():
        kind = ALL.get(name)
        if kind is None:
            # A kind of fact that only another version knows is of no use to any rule of this one.
            continue
        known[kind] = (
            decode(Unavailable, boxed["unavailable"])
            if "unavailable" in boxed
            else decode(kind, boxed["fact"])
        )
    declared = decode(DeclaredAlias, value.get("declared", {}))
    return AliasFacts(decode(Database, value["database"]), known, declared)
