"""Read facts from the server, the project, its code and our own tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections

from django_dbaudit import derived
from django_dbaudit.conf import Config
from django_dbaudit.errors import AuditError
from django_dbaudit.facts.kinds import (
    ALL,
    FROM_PROJECT,
    FROM_SERVER,
    OF_CODE,
    OF_SCHEMA,
    OF_STATEMENTS,
    SHARED,
)
from django_dbaudit.facts.known import AliasFacts, Facts, Unavailable
from django_dbaudit.finding import Database
from django_dbaudit.postgres import failure
from django_dbaudit.postgres.connection import GuardedConnection
from django_dbaudit.postgres.failure import LackingError
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.source import Source
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project import replication
from django_dbaudit.store.history import IndexHistory
from django_dbaudit.store.reading import HistoryReader
from django_dbaudit.store.traffic import reading as traffic_reading
from django_dbaudit.traffic.facts import Traffic


def gather(
    aliases: Iterable[str],
    kinds: Collection[type[Any]],
    config: Config,
    progress: Callable[[str], None] = lambda _: None,
    since: date | None = None,
) -> Facts:
    """Read the facts of these kinds for each alias; what cannot be had becomes `Unavailable`.

    ``since`` is the first day, in UTC, of the traffic that counts; by default all that is kept does.
    """
    of_aliases = [kind for kind in kinds if kind not in SHARED]
    with HistoryReader(config) as history:
        known = tuple([_of_alias(alias, of_aliases, config, history, progress) for alias in aliases])
    code = {kind: _of_code(kind, progress) for kind in OF_CODE if kind in kinds}
    if Traffic in kinds:
        progress("the store: Traffic")
        code[Traffic] = _traffic(config, since)
    return Facts(known, code)


def _traffic(config: Config, since: date | None) -> Any:
    try:
        return traffic_reading.read(config, since)
    except AuditError as error:
        # A project need not keep traffic, nor anything in PostgreSQL's tables of ours.
        return Unavailable(str(error).rstrip("."))


def _of_code(kind: type[Any], progress: Callable[[str], None]) -> Any:
    progress(f"the code: {kind.__name__}")
    if not getattr(settings, "ROOT_URLCONF", None):
        return Unavailable("the settings have no ROOT_URLCONF, and so no views")
    try:
        return OF_CODE[kind]()
    except Exception as error:  # noqa: BLE001  # the URLconf is the project's code, which may raise anything
        why = f"{type(error).__name__}: {failure.first_line(error)}"
        return Unavailable(f"loading the URLconf {settings.ROOT_URLCONF} failed: {why}", failed=True)


def _of_alias(
    alias: str,
    kinds: Collection[type[Any]],
    config: Config,
    history: HistoryReader,
    progress: Callable[[str], None],
) -> AliasFacts:
    if not kinds:
        # Whoever asks for nothing of the server does not wake it.
        return AliasFacts(Database(alias, _vendor(alias)), {}, replication.read(alias))
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


def _vendor(alias: str) -> str:
    try:
        return connections[alias].vendor
    except ImproperlyConfigured:
        return "unknown"


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
