"""A guarded session on an alias of the project: read only, bounded, and named.

It is a connection of its own, made by the project's own backend from the project's own settings,
so that drivers, pools, ``assume_role``, services and wrapped engines all work, and nothing of ours
ever runs on a connection that serves requests.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from django.db import Error, connections
from django.db.backends.base.base import NO_DB_ALIAS, BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from django_dbaudit.conf import Config
from django_dbaudit.postgres import queries
from django_dbaudit.words import quote

APPLICATION_NAME = "django-dbaudit"

# Note [One transaction a query]
# Behind PgBouncer in transaction mode a session-level SET stays behind for the next client, and
# startup parameters such as "options" are refused. So every query is a read-only transaction with
# settings that end with it. It also keeps each snapshot, and each lock, as short as can be.
BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY"
#: With work_mem as it is by default, sorting 20,000 indexes would write temporary files; to compile a
#: statement that runs once takes longer than to run it.
GUARD = """\
SELECT pg_catalog.set_config('statement_timeout', %s, true),
    pg_catalog.set_config('lock_timeout', %s, true),
    pg_catalog.set_config('search_path', 'pg_catalog', true),
    pg_catalog.set_config('work_mem', '32MB', true),
    pg_catalog.set_config('jit', 'off', true)"""
#: For statements of the project's own: names mean what they mean to it, and memory is what it has.
#: To weigh a merge join the planner looks up the ends of real indexes, which would count as scans of them.
GUARD_AS_PROJECT = """\
SELECT pg_catalog.set_config('statement_timeout', %s, true),
    pg_catalog.set_config('lock_timeout', %s, true),
    pg_catalog.set_config('enable_mergejoin', 'off', true)"""
ASK = "SELECT pg_catalog.set_config('django_dbaudit.request', %s, true)"
ANSWER = "SELECT pg_catalog.textsend(pg_catalog.current_setting('django_dbaudit.answer'))"


class GuardedConnection:
    """Use it as a context manager; `rows` is all that it does."""

    def __init__(self, alias: str, config: Config) -> None:
        self.alias = alias
        self.config = config
        self._timeouts = (milliseconds(config.statement_timeout), milliseconds(config.lock_timeout))
        self._wrapper = private_copy(alias, config)

    def __enter__(self) -> GuardedConnection:  # noqa: PYI034  # Self is in typing from 3.11 on
        # Opened here, so that a server that is down is told from a query that failed.
        self._wrapper.ensure_connection()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wrapper.close()

    @property
    def server_version(self) -> int:
        return int(self._wrapper.pg_version)  # type: ignore[attr-defined]  # of the PostgreSQL backend

    def rows(
        self,
        query: str,
        values: Mapping[str, object] | None = None,
        identifiers: Mapping[str, str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Run the query of this name in a transaction of its own. See Note [One transaction a query].

        ``values`` are bound to its ``%(name)s``, ``identifiers`` quoted in the place of ``{name}``.
        It has run, and the transaction is over, when this returns; each row is read out of its JSON
        as it is asked for, so that not all of them are held twice.
        """
        text = queries.get(query, self.server_version)
        for name, identifier in (identifiers or {}).items():
            # Doubled where the driver looks for its placeholders, which is in the whole text.
            quoted = quote(identifier).replace("%", "%%") if values else quote(identifier)
            text = text.replace(f"{{{name}}}", quoted)
        with self._transaction(GUARD) as cursor:
            return _select(cursor, text, values)

    def rows_as_project(self, query: str, values: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """As `rows`, but with the project's own search path."""
        with self._transaction(GUARD_AS_PROJECT) as cursor:
            return _select(cursor, queries.get(query, self.server_version), values)

    def answer(self, script: str, request: Any) -> Any:
        """Run a script that takes its request from a setting, and leaves its answer in one, as JSON."""
        with self._transaction(GUARD_AS_PROJECT) as cursor:
            cursor.execute(ASK, [json.dumps(request)])
            cursor.execute(queries.get(script, self.server_version))
            cursor.execute(ANSWER)
            return json.loads(_text(cursor.fetchone()))

    def _transaction(self, guard: str) -> contextlib.AbstractContextManager[CursorWrapper]:
        return transaction(self._wrapper, (BEGIN, "ROLLBACK"), guard, self._timeouts)


@contextlib.contextmanager
def transaction(
    wrapper: BaseDatabaseWrapper, ends: tuple[str, str], guard: str, settings: Sequence[str]
) -> Iterator[CursorWrapper]:
    """A transaction with settings of its own; ``ends`` are the statements that begin and end it."""
    begin, end = ends
    with wrapper.cursor() as cursor:
        cursor.execute(begin)
        try:
            cursor.execute(guard, settings)
            yield cursor
        except BaseException:
            # A connection that is gone cannot roll back; the first error is the one to tell.
            with contextlib.suppress(Error):
                cursor.execute("ROLLBACK")
            raise
        cursor.execute(end)


def _select(cursor: Any, text: str, values: Mapping[str, object] | None) -> Iterator[dict[str, Any]]:
    # As JSON both drivers give the same, whatever the project registered; as bytes, because
    # pg_stat_activity shows the statements of databases in other encodings. Without values the driver
    # leaves a percent sign alone.
    cursor.execute(
        f"SELECT pg_catalog.textsend(pg_catalog.row_to_json(q)::text) FROM ({text}) AS q", values
    )
    found = cursor.fetchall()
    return (json.loads(_text(row)) for row in found)


def _text(row: Any) -> str:
    return bytes(row[0]).decode(errors="replace")


def milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def private_copy(alias: str, config: Config) -> BaseDatabaseWrapper:
    """A session of our own on an alias, not yet opened."""
    # Under its own alias, receivers of connection_created, django.contrib.postgres first of all, would
    # ask connections[alias] for more, and so open the project's own connection, or its whole pool.
    wrapper: BaseDatabaseWrapper = connections[alias].copy(NO_DB_ALIAS)
    options = wrapper.settings_dict["OPTIONS"]
    # One session is all we need; a pool would open its minimum and keep it.
    options.pop("pool", None)
    options["application_name"] = APPLICATION_NAME
    options.setdefault("connect_timeout", max(2, round(config.connect_timeout)))
    # Django opens its transactions itself otherwise, and would hide our BEGIN READ ONLY.
    wrapper.settings_dict["AUTOCOMMIT"] = True
    return wrapper
