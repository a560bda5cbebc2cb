"""Sessions in every state: real ones at work in threads, and posed ones for what cannot be had at will."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from django_dbaudit import audit
from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import AliasFacts, Facts
from django_dbaudit.finding import Database
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Session, Sessions
from django_dbaudit.rule import get_rule
from scratch import Scratch

NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


def ago(seconds: float) -> datetime:
    """So long before the server's clock was read."""
    return NOON - timedelta(seconds=seconds)


def posed(pid: int = 1, **fields: Any) -> Session:
    """An idle client, but for these fields."""
    idle: dict[str, Any] = {
        "pid": pid,
        "leader_pid": None,
        "database": "shop",
        "user": "app",
        "application_name": "web",
        "client_address": None,
        "backend_type": "client backend",
        "state": "idle",
        "wait_event_type": "Client",
        "wait_event": "ClientRead",
        "started_at": ago(3600),
        "transaction_started_at": None,
        "query_started_at": ago(3600),
        "state_changed_at": ago(3600),
        "query": "SELECT 1",
        "hidden": False,
        "xmin_age": None,
        "lock_type": None,
        "lock_mode": None,
        "waiting_since": None,
        "lock_relation": None,
        "blocked_by": (),
        "locked_tables": (),
    }
    return Session(**{**idle, **fields})


def hidden(pid: int = 1, **fields: Any) -> Session:
    """What a role without rights sees of a session."""
    nothing = dict.fromkeys(
        ("backend_type", "state", "wait_event_type", "wait_event", "started_at", "query_started_at")
    )
    text = {"application_name": "", "query": "<insufficient privilege>", "state_changed_at": None}
    return posed(pid, **{**nothing, **text, "hidden": True, **fields})


def posed_server(**fields: Any) -> Server:
    plain: dict[str, Any] = {
        "version": 180006,
        "version_text": "18.6",
        "database": "shop",
        "user": "app",
        "taken_at": NOON,
        "started_at": ago(86400),
        "statistics_reset_at": None,
        "in_recovery": False,
        "reads_all_stats": True,
        "track_counts": True,
        "max_connections": 100,
        "reserved_connections": 3,
        "database_connection_limit": None,
        "role_connection_limit": None,
    }
    return Server(**{**plain, **fields})


def outcome(rule: str, *sessions: Session, server: Server | None = None, **thresholds: Any) -> audit.Audit:
    """What a rule makes of sessions that a test poses."""
    known = {Server: server or posed_server(), Sessions: Sessions(sessions)}
    posed_facts = Facts((AliasFacts(Database("default", "postgresql"), known),))
    result = audit.run([get_rule(rule)], posed_facts, Thresholds(**thresholds))
    assert not result.failures, result.failures
    return result


def pid_of(session: BaseDatabaseWrapper) -> int:
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def execute(session: BaseDatabaseWrapper, *statements: str) -> None:
    with session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextlib.contextmanager
def at_work(scratch: Scratch, session: BaseDatabaseWrapper, statement: str) -> Iterator[int]:
    """Keep a statement running, or waiting, in a thread; cancelled at the end. Gives its pid."""
    pid = pid_of(session)
    # The driver's own connection: Django's wrapper belongs to the thread that made it.
    cursor = session.connection.cursor()

    def work() -> None:
        # It is meant to be cancelled.
        with contextlib.suppress(Exception):
            cursor.execute(statement)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        scratch.wait_until(lambda: not thread.is_alive() or _is_in(scratch, pid, statement))
        assert thread.is_alive(), f"it did not wait: {statement}"
        yield pid
    finally:
        scratch.run(f"SELECT pg_cancel_backend({pid})")
        thread.join()
        cursor.close()


def _is_in(scratch: Scratch, pid: int, statement: str) -> bool:
    """It waits, for a lock or in ``pg_sleep``, and for nothing that passes by itself."""
    rows = scratch.run(
        "SELECT query FROM pg_stat_activity WHERE state = 'active' "
        f"AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep') AND pid = {pid}"
    )
    return rows == [(statement,)]
