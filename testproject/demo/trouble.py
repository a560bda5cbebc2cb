"""Sessions that behave badly on purpose, each under a name that says how.

They are raw driver connections, because Django's own close or commit too willingly to be bad.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.management.base import CommandError
from django.db import ProgrammingError, connection, connections

from stock.models import StockItem

# The database's own limit while the trouble lasts, and how many of it are left to those who look.
LIMIT = 30
SPARE = 2
PATIENCE = 10

# A server that protects itself would end the trouble too soon.
NO_TIMEOUTS = (
    "-c statement_timeout=0 -c lock_timeout=0"
    " -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0"
)

TAKE_ONE_SCOOP = "UPDATE stock_stockitem SET scoops = scoops - 1 WHERE id = %s"
SLOW_REPORT = "SELECT flavor_id, sum(scoops * price) FROM orders_orderline, pg_sleep(%s) GROUP BY flavor_id"
READ_MENU = "SELECT title, price FROM flavors_flavor WHERE is_available ORDER BY title LIMIT 24"

IN_PLACE = """
    SELECT EXISTS (SELECT FROM pg_stat_activity
                    WHERE pid = %(forgetful)s AND state = 'idle in transaction')
       AND %(forgetful)s = ANY (pg_blocking_pids(%(waiting)s))
       AND EXISTS (SELECT FROM pg_stat_activity
                    WHERE pid = %(slow)s AND state = 'active' AND wait_event = 'PgSleep')
"""


class Session:
    """One connection of our own, under a name of its own."""

    def __init__(self, application_name: str) -> None:
        wrapper: Any = connections["default"].copy()
        options = wrapper.settings_dict["OPTIONS"]
        options.pop("pool", None)
        options.update(application_name=application_name, options=NO_TIMEOUTS)
        wrapper.ensure_connection()
        self.errors = wrapper.Database.Error
        # Out of the wrapper's hands: other threads may use it, which a wrapper forbids.
        self.raw: Any = wrapper.connection
        self.pid: int = self.raw.info.backend_pid

    def execute(self, sql: str, *params: object) -> None:
        self.raw.cursor().execute(sql, params)

    def execute_in_background(self, sql: str, *params: object) -> None:
        def run() -> None:
            # Cancelled in the end: that is how all of them finish.
            with contextlib.suppress(self.errors):
                self.execute(sql, *params)

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()


class Sins(NamedTuple):
    """The sessions one looks for; those that only sit idle are told apart by nothing."""

    forgetful: Session
    waiting: Session
    slow: Session


@contextlib.contextmanager
def trouble(seconds: float) -> Iterator[None]:
    """Make all the trouble there is, wait until the server shows it, and clean up in the end."""
    with contextlib.ExitStack() as stack:
        sins = start_sins(stack, seconds)
        crowd_the_database(stack)
        wait_until_in_place(sins)
        yield


def start_sins(stack: contextlib.ExitStack, seconds: float) -> Sins:
    item = StockItem.objects.order_by("pk").values_list("pk", flat=True).first()
    # Sin: idle-in-transaction. A worker locks a row and never commits.
    forgetful = open_session(stack, "shop worker: forgot to commit")
    forgetful.raw.autocommit = False
    forgetful.execute(TAKE_ONE_SCOOP, item)
    # Sin: blocked-session. Another worker wants the same row.
    waiting = open_session(stack, "shop worker: waits for a lock")
    waiting.execute_in_background(TAKE_ONE_SCOOP, item)
    stack.callback(cancel, waiting)
    # Sin: long-running-query. A little longer than wanted, so that it ends even if we are killed.
    slow = open_session(stack, "shop report: takes for ever")
    slow.execute_in_background(SLOW_REPORT, seconds + 2 * PATIENCE)
    stack.callback(cancel, slow)
    return Sins(forgetful, waiting, slow)


def crowd_the_database(stack: contextlib.ExitStack) -> None:
    # Sin: connections-near-limit. A pool too big for the database's own limit.
    here, free = count_sessions()
    idle = min(max(LIMIT - SPARE - here, 10), free)
    if idle < 5:
        raise CommandError(f"The server has only {free} connections left, too few for a crowd.")
    for _ in range(idle):
        open_session(stack, "shop worker: idle in the pool").execute(READ_MENU)
    stack.enter_context(connection_limit(here + idle + SPARE))


def open_session(stack: contextlib.ExitStack, application_name: str) -> Session:
    session = Session(application_name)
    stack.callback(session.raw.close)
    return session


def cancel(session: Session) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_cancel_backend(%s)", [session.pid])
    session.thread.join(PATIENCE)


def count_sessions() -> tuple[int, int]:
    """Count the database's sessions, and the connections the server has left for all databases."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE datname = current_database()),"
            " current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int - count(*)"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        here, free = cursor.fetchone()
    # Leave some to whoever else is on the server.
    return here, free - 5


@contextlib.contextmanager
def connection_limit(limit: int) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datconnlimit FROM pg_database WHERE datname = current_database()")
        (before,) = cursor.fetchone()
    try:
        set_connection_limit(limit)
    except ProgrammingError as error:
        raise CommandError(f"Only the owner may set the database's limit: {error}") from error
    try:
        yield
    finally:
        set_connection_limit(before)


def set_connection_limit(limit: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_database())")
        (name,) = cursor.fetchone()
        cursor.execute(f"ALTER DATABASE {name} CONNECTION LIMIT {limit:d}")


def wait_until_in_place(sins: Sins) -> None:
    pids = {name: session.pid for name, session in sins._asdict().items()}
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(IN_PLACE, pids)
            if cursor.fetchone() == (True,):
                return
        time.sleep(0.05)
    raise CommandError(f"The server did not show the trouble within {PATIENCE} seconds.")
