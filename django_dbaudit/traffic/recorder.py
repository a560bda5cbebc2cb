"""The execute wrapper that sees every query, and ``record()``, which keeps what it sees.

One function for all connections, found again by its identity. It stands first in each connection's
``execute_wrappers``: there it sees the SQL as Django made it, before other wrappers add comments, and
a tool that removes the last wrapper, whichever that is, does not remove this one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from django.core.signals import setting_changed
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from django_dbaudit.traffic import coroutines, patches, trails, trouble
from django_dbaudit.traffic.facts import BLOCK, Traffic
from django_dbaudit.traffic.recording import Recording, current, leave
from django_dbaudit.traffic.totals import Answer, Totals

_DISPATCH_UID = "django_dbaudit.traffic"
#: Some four megabytes of them, for a store that is down and for a process whose traffic is not kept.
MOST_KEYS_OF_A_PROCESS = 4_000


def observe(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute, and have the current recording count it; see ``connection.execute_wrappers``."""
    recording = current.get()
    if recording is None or not recording.is_open:
        return execute(sql, params, many, context)
    began = perf_counter()
    try:
        result = execute(sql, params, many, context)
    except BaseException:
        took = perf_counter() - began
        try:
            recording.note(sql, params, context, took, True)  # noqa: FBT003  # a keyword costs
        except RecursionError:
            pass  # a full stack: see trouble.tell
        except Exception:  # noqa: BLE001  # whatever goes wrong with us, the query's own error is raised
            trouble.tell()
        raise
    took = perf_counter() - began
    try:
        recording.note(sql, params, context, took, False)  # noqa: FBT003  # as above
    except RecursionError:
        pass  # a full stack: see trouble.tell
    except Exception:  # noqa: BLE001  # as above: the query's result is returned
        trouble.tell()
    return result


def install() -> None:
    """See every connection from now on, those included that are open already."""
    connection_created.connect(_on_connection, dispatch_uid=_DISPATCH_UID)
    patches.install()
    ensure()


def uninstall() -> None:
    connection_created.disconnect(dispatch_uid=_DISPATCH_UID)
    patches.uninstall()
    for connection in connections.all(initialized_only=True):
        _remove(connection.execute_wrappers)


def _on_setting_changed(*, setting: str, **_: object) -> None:
    # After conf has forgotten the old one, because it is imported first.
    if setting == "DBAUDIT":
        trails.forget()


setting_changed.connect(_on_setting_changed, dispatch_uid=_DISPATCH_UID)


def ensure() -> None:
    """Put the wrapper back on this thread's connections, should somebody have removed it."""
    for connection in connections.all(initialized_only=True):
        wrappers = connection.execute_wrappers
        if not wrappers or wrappers[0] is not observe:
            _add(wrappers)


def _on_connection(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    _add(connection.execute_wrappers)


def _add(wrappers: list[Any]) -> None:
    _remove(wrappers)
    wrappers.insert(0, observe)


def _remove(wrappers: list[Any]) -> None:
    # By identity: another wrapper's == may do anything.
    for position in reversed(range(len(wrappers))):
        if wrappers[position] is observe:
            del wrappers[position]


#: Requests of this process, added up until somebody takes them: every few seconds, as a rule.
totals = Totals(MOST_KEYS_OF_A_PROCESS)
#: Called with each recording of a request, once it is over, and what came of the request.
listeners: list[Callable[[Recording, Answer], None]] = []


def deliver(recording: Recording, answer: Answer) -> None:
    """Count a request: for the blocks that it is a part of, or for the process."""
    if recording.parent is None:
        totals.add(recording, answer)
    else:
        _deliver_within(recording.parent, recording, answer)
    for listener in listeners:
        listener(recording, answer)


def _deliver_within(parent: Recording | None, recording: Recording, answer: Answer) -> None:
    is_in_block = False
    while parent is not None:
        if parent.requests is not None:
            is_in_block = True
            parent.requests.add(recording, answer)
        parent = parent.parent
    if not is_in_block:
        totals.add(recording, answer)


class Recorded:
    """What ``with record() as traffic:`` gives; ``facts`` is there once the block is over."""

    def __init__(self) -> None:
        self.facts = Traffic()


@contextlib.contextmanager
def record() -> Iterator[Recorded]:
    """Record what this block does, and the requests within it, in this context and its copies."""
    recorded = Recorded()
    install()
    parent = current.get()
    requests = Totals()
    recording = Recording.of_block(parent, requests)
    recording.task = coroutines.current_task()
    token = current.set(recording)
    try:
        yield recorded
    finally:
        recording.is_open = False
        leave(token, recording)
        recording.close_units()
        requests.add(recording, Answer((BLOCK, "", "")))
        recorded.facts = requests.take()
        if parent is not None:
            parent.absorb(recording)
