"""A session on the alias that holds our tables: bounded like all of ours, and writing only on demand."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from types import TracebackType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.db.backends.utils import CursorWrapper

from django_dbaudit.conf import Config
from django_dbaudit.errors import AuditError
from django_dbaudit.postgres import failure
from django_dbaudit.postgres.connection import milliseconds, private_copy, transaction

READ = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
WRITE = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"
# Unlike where we audit, search_path stays as the project has it: it says where migrate made our tables.
GUARD = """\
SELECT pg_catalog.set_config('statement_timeout', %s, true),
    pg_catalog.set_config('lock_timeout', %s, true)"""

#: What the server says of tables or columns that are not there, and of a server that cannot write.
UNDEFINED = frozenset({"42P01", "42703"})
#: The second is what a replica says of BEGIN READ WRITE.
READ_ONLY = frozenset({"25006", "0A000"})


class Transaction:
    """What may be asked within a transaction: the queries of ``queries/``, by name.

    Those that go for several tables have ``{table}`` where its name belongs.
    """

    def __init__(self, cursor: CursorWrapper) -> None:
        self._cursor = cursor

    def rows(self, query: str, table: str = "", /, **parameters: Any) -> list[dict[str, Any]]:
        """The rows, each as the JSON object that the server makes of it: the same by both drivers."""
        return self.select(_text(query).replace("{table}", table), **parameters)

    def select(self, text: str, **parameters: Any) -> list[dict[str, Any]]:
        """As `rows`, of a query that is made as it is needed."""
        self._cursor.execute(f"SELECT pg_catalog.row_to_json(q)::text FROM ({text}) AS q", parameters)
        return [json.loads(row[0]) for row in self._cursor.fetchall()]

    def run(self, query: str, table: str = "", /, **parameters: Any) -> int:
        """Execute a statement; how many rows it wrote."""
        return self.change(_text(query).replace("{table}", table), **parameters)

    def change(self, text: str, **parameters: Any) -> int:
        """As `run`, of a statement that is made as it is needed."""
        self._cursor.execute(text, parameters)
        return int(self._cursor.rowcount)

    def number(self, query: str, **parameters: Any) -> int:
        """Execute a statement that returns one number."""
        self._cursor.execute(_text(query), parameters)
        return int(self._cursor.fetchone()[0])


@functools.cache
def _text(query: str) -> str:
    return resources.files(f"{__package__}.queries").joinpath(f"{query}.sql").read_text(encoding="utf-8")


class Store:
    """Use it as a context manager; an `AuditError` says why the alias cannot be the store."""

    def __init__(self, config: Config) -> None:
        self.alias = config.store
        self._timeout = milliseconds(config.statement_timeout)
        self._lock_timeout = milliseconds(config.lock_timeout)
        check_alias(self.alias)
        self._wrapper = private_copy(self.alias, config)

    def __enter__(self) -> Store:  # noqa: PYI034  # Self is in typing from 3.11 on
        with self._explained("open"):
            self._wrapper.ensure_connection()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wrapper.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One look at the records, all of them as of one moment."""
        with self._explained("read"), self._transaction(READ, self._lock_timeout) as records:
            yield records

    @contextlib.contextmanager
    def writing(self) -> Iterator[Transaction]:
        """All or nothing, and one writer after the other."""
        # Nobody but another writer of ours waits for the lock that we wait for: there is time.
        with self._explained("write"), self._transaction(WRITE, self._timeout) as records:
            yield records

    @contextlib.contextmanager
    def _transaction(self, begin: str, lock_timeout: str) -> Iterator[Transaction]:
        with transaction(self._wrapper, (begin, "COMMIT"), GUARD, (self._timeout, lock_timeout)) as cursor:
            yield Transaction(cursor)

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        # As in facts: what OPTIONS or HOST do to a connection that cannot be made.
        except (Error, ImproperlyConfigured, UnicodeError) as error:
            raise AuditError(f"Cannot {what} the store, {named(self.alias)}: {self._why(error)}") from error

    def _why(self, error: BaseException) -> str:
        code = failure.sqlstate(error)
        if code in UNDEFINED:
            return not_migrated(self.alias)
        if code in READ_ONLY:
            return (
                "it is a read replica and cannot be written to. "
                "Set DBAUDIT['STORE'] to the alias of its primary."
            )
        if code == failure.INSUFFICIENT_PRIVILEGE:
            user = self._wrapper.settings_dict["USER"]
            return (
                f"{failure.first_line(error)}. GRANT SELECT, INSERT, UPDATE, DELETE on the tables "
                f"django_dbaudit_…, and USAGE on their sequences, to {user or 'its role'}."
            )
        if code == failure.LOCK_NOT_AVAILABLE:
            return "another session held a lock on our tables for too long. Try again."
        return f"{failure.explain(error)}."


def named(alias: str) -> str:
    return f"alias {alias!r} (DBAUDIT['STORE'])"


def not_migrated(alias: str) -> str:
    return (
        f"our tables are not there. Run 'manage.py migrate django_dbaudit --database {alias}'; where that "
        "makes none, a router's allow_migrate is against it."
    )


def check_alias(alias: str) -> None:
    known: Mapping[str, Any] = connections.settings
    if alias not in known:
        raise AuditError(f"DBAUDIT['STORE'] is {alias!r}; DATABASES has: {', '.join(known)}.")
    try:
        vendor = connections[alias].vendor
    except ImproperlyConfigured as error:
        raise AuditError(
            f"Cannot open the store, {named(alias)}: cannot load its ENGINE: "
            f"{failure.first_line(error.__cause__ or error)}."
        ) from error
    if vendor != "postgresql":
        raise AuditError(
            f"The store, {named(alias)}, is {vendor}; it must be PostgreSQL: set DBAUDIT['STORE'] to an "
            "alias that is."
        )
