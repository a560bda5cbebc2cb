"""The thread that takes what requests have counted and adds it to the store, every few seconds.

It starts with the first request of a process and has a connection of its own. Whatever is wrong with
the store is told once, and again only after it had been right; meanwhile counting goes on in memory,
as bounded as ever (see ``totals``), and nothing is lost but what finds no room there.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import random
import sys
import threading
from contextvars import Context
from datetime import date, datetime, timezone
from typing import Any

from django.db import Error

from django_dbaudit.conf import Config, get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.postgres import failure
from django_dbaudit.store.connection import Store
from django_dbaudit.store.traffic.room import Room
from django_dbaudit.store.traffic.writing import prune, write
from django_dbaudit.traffic import recorder, trouble
from django_dbaudit.traffic.facts import Traffic
from django_dbaudit.traffic.totals import Totals

logger = logging.getLogger("django_dbaudit.traffic")

#: Seconds between two tries while the store is down, at most.
LONGEST_PAUSE = 300
#: Seconds without anything to write after which the connection is closed.
IDLE_SECONDS = 60
#: Seconds that the end of a process may wait for the last of it.
EXIT_SECONDS = 5
#: Classes of SQLSTATE that say that it is the data, which no second try will mend.
OF_DATA = ("21", "22", "23", "54")


class Flusher:
    """Moves what `Totals` holds into the store. One thread uses it at a time."""

    def __init__(self, config: Config, totals: Totals) -> None:
        self._config = config
        self._totals = totals
        self._store: Store | None = None
        self._room = Room()
        #: Taken, and not written yet.
        self._pending: tuple[date, Traffic] | None = None
        self._failures = 0
        self._idle_seconds = 0.0
        self._pruned: date | None = None

    @property
    def is_failing(self) -> bool:
        return self._failures > 0

    def flush(self) -> float:
        """Write what there is; how many seconds to wait before the next time."""
        try:
            self._write()
        except AuditError as error:
            self._failed(error)
        except Exception:  # noqa: BLE001  # whatever goes wrong with us, the next batch is tried
            trouble.tell()
            self._pending = None
            self.close()
        else:
            self._recovered()
        pause: float = self._config.flush_seconds * 2 ** min(self._failures, 10)
        # By lot, so that workers that started together do not write together for ever.
        return min(pause, max(LONGEST_PAUSE, self._config.flush_seconds)) * random.uniform(0.75, 1.25)  # noqa: S311  # no secret

    def close(self) -> None:
        if self._store is not None:
            store, self._store = self._store, None
            with contextlib.suppress(Error):
                store.__exit__(None, None, None)

    def _write(self) -> None:
        if self._pending is None:
            taken = self._totals.take()
            if not taken.views:
                self._rest()
                return
            self._pending = datetime.now(timezone.utc).date(), taken
        self._idle_seconds = 0
        day, traffic = self._pending
        was_open = self._store is not None
        try:
            write(self._opened(), traffic, day, self._room)
        except AuditError:
            if not was_open:
                raise
            # A connection that had gone stale is no news.
            self.close()
            write(self._opened(), traffic, day, self._room)
        self._pending = None
        if self._pruned != day:
            prune(self._opened(), day, self._config.traffic_days)
            self._pruned = day

    def _rest(self) -> None:
        self._idle_seconds += self._config.flush_seconds
        if self._idle_seconds >= IDLE_SECONDS:
            self.close()

    def _opened(self) -> Store:
        if self._store is None:
            store = Store(self._config)
            store.__enter__()
            self._store = store
        return self._store

    def _failed(self, error: AuditError) -> None:
        self.close()
        state = failure.sqlstate(error.__cause__) if error.__cause__ else None
        if state is not None and state.startswith(OF_DATA):
            self._pending = None
        self._failures += 1
        if self._failures == 1:
            logger.warning("Traffic is not kept: %s Requests go on; told once.", error)

    def _recovered(self) -> None:
        if self._failures:
            logger.warning("Traffic is kept again.")
        self._failures = 0


class _Thread:
    """The process' own flusher and its thread."""

    def __init__(self) -> None:
        self.flusher: Flusher | None = None
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()
        self.stop = threading.Event()

    def start(self) -> None:
        with self.lock:
            if self.thread is None:
                self.flusher = Flusher(get_config(), recorder.totals)
                # A context of its own: what a request records is not for this thread.
                self.thread = threading.Thread(
                    target=Context().run, args=(self.run,), name="django-dbaudit traffic", daemon=True
                )
                self.thread.start()

    def run(self) -> None:
        flusher = self.flusher
        if flusher is None:
            return
        pause = get_config().flush_seconds * random.uniform(0.1, 1)  # noqa: S311  # as above
        while not self.stop.wait(pause):
            pause = flusher.flush()
        if not flusher.is_failing:
            flusher.flush()
        flusher.close()

    def end(self) -> None:
        self.stop.set()
        if self.thread is not None:
            self.thread.join(EXIT_SECONDS)


_own = _Thread()
#: Connections of the parent of a fork: to close them here would end its sessions.
_left_to_parent: list[Any] = []


def install() -> None:
    """Keep what requests count, from the first of them on."""
    if _on_request not in recorder.listeners:
        recorder.listeners.append(_on_request)
        atexit.register(_at_exit)


def uninstall() -> None:
    if _on_request in recorder.listeners:
        recorder.listeners.remove(_on_request)
        atexit.unregister(_at_exit)


def _on_request(*_: object) -> None:
    if _own.thread is None and not is_under_test():
        _own.start()


def _at_exit() -> None:
    _own.end()


def is_under_test() -> bool:
    """Whether Django's test environment is set up: databases come and go, and traffic is not real."""
    utils = sys.modules.get("django.test.utils")
    return hasattr(getattr(utils, "_TestState", None), "saved_data")


def _after_fork() -> None:
    global _own  # noqa: PLW0603  # once a process, and this is another
    _left_to_parent.append(_own)
    _own = _Thread()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
