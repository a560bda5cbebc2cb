"""Reads the records of a database; where there are none, says why, and fails nobody."""

from __future__ import annotations

import contextlib
from datetime import date
from typing import Any

from django_dbaudit.codec import decode
from django_dbaudit.conf import Config
from django_dbaudit.errors import AuditError
from django_dbaudit.postgres.server import Server
from django_dbaudit.store.connection import Store, Transaction
from django_dbaudit.store.history import HOW, IndexHistory, IndexRecord, ServerRecord, SnapshotRecord


def key(alias: str, server: Server) -> dict[str, str]:
    """What a database is recorded under, on whatever server of its cluster it is seen."""
    return {"cluster": server.system_identifier or f"alias:{alias}", "name": server.database}


class HistoryReader:
    """Reads from the store, which is opened by the first question and closed at the end."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stack = contextlib.ExitStack()
        self._store: Store | None = None
        self._absence = ""

    def __enter__(self) -> HistoryReader:  # noqa: PYI034  # Self is in typing from 3.11 on
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, alias: str, server: Server) -> IndexHistory:
        """The records of this alias' database. Nothing is ever written for it."""
        if self._absence:
            return IndexHistory(absence=self._absence)
        try:
            if self._store is None:
                self._store = self._stack.enter_context(Store(self._config))
            with self._store.reading() as transaction:
                return read(transaction, alias, server)
        except AuditError as error:
            # Once is enough: a store that is down takes its time to say so.
            self._absence = str(error).rstrip(".")
            return IndexHistory(absence=self._absence)


def read(transaction: Transaction, alias: str, server: Server) -> IndexHistory:
    (tables,) = transaction.rows("tables")
    if not tables["are_there"]:
        return IndexHistory(absence=f"no index was recorded yet: migrate, then {HOW}")
    where = key(alias, server)
    servers = tuple([decode(ServerRecord, row) for row in transaction.rows("servers", **where)])
    if not servers:
        return IndexHistory(absence=f"no index of this database was recorded yet: {HOW}")
    (days,) = transaction.rows("reference_days", **where)
    reference = {"week_ago": days["week_ago"], "month_ago": days["month_ago"]}
    return IndexHistory(
        servers=servers,
        snapshots=tuple([decode(SnapshotRecord, row) for row in transaction.rows("snapshots", **where)]),
        indexes=tuple(
            [decode(IndexRecord, row) for row in transaction.rows("indexes", **where, **reference)]
        ),
        days_since_week_ago=_days(days["week_ago"], days["last_day"]),
        days_before_week_ago=_days(days["month_ago"], days["week_ago"]),
    )


def _days(begin: Any, end: Any) -> int:
    if begin is None or end is None:
        return 0
    return (date.fromisoformat(end) - date.fromisoformat(begin)).days
