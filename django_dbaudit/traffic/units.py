"""Commit units: what the database commits at once, as far as the writes of one recording go.

A bare statement in autocommit is a unit. So is all that happens in an outermost ``atomic`` block, be it
the request's, the project's, or one that Django opens itself. The blocks of a ``TestCase``, and blocks
that were entered before the request, do not count: in production they are not there.
"""

from __future__ import annotations

import contextlib
from types import FrameType
from typing import TYPE_CHECKING, Any

from django_dbaudit.traffic import frames
from django_dbaudit.traffic.frames import Owner

if TYPE_CHECKING:
    from django_dbaudit.traffic.callsite import Probe
    from django_dbaudit.traffic.recording import Recording
    from django_dbaudit.traffic.sql import Statement

AUTOCOMMIT, REQUEST, ATOMIC, LIBRARY, DJANGO, MANUAL = (
    "autocommit", "request", "atomic", "library", "django", "manual",
)  # fmt: skip

#: Writes of one unit, and kinds of units of one recording, that are kept.
MOST_WRITES, MOST_UNITS = 1_000, 20
#: libpq's PQTRANS_INERROR: whatever is said now, the transaction is rolled back.
IN_ERROR = 3


class Unit:
    """An open transaction of one connection."""

    __slots__ = ("connection", "has_failure", "kind", "level", "marks", "writes")

    def __init__(self, connection: Any, kind: str, level: int) -> None:
        #: Held so that its id is not another's as long as the unit stands under it.
        self.connection = connection
        self.kind = kind
        #: How many atomic blocks are open, this one counted; 0 for a transaction without a block.
        self.level = level
        self.writes: list[Probe] = []
        #: How many writes there were when each nested block was entered.
        self.marks: list[int] = []
        self.has_failure = False


class Writes:
    """Units with writes that are over: those committed, in order, and how many were rolled back."""

    __slots__ = ("committed", "count", "is_cut", "rolled_back")

    def __init__(self) -> None:
        self.committed: dict[tuple[str, tuple[Probe, ...]], int] = {}
        self.count = 0
        self.is_cut = False
        self.rolled_back = 0

    def note(self, unit: Unit | None, probe: Probe) -> None:
        """A write that had an effect."""
        if unit is None:
            self.commit(AUTOCOMMIT, (probe,))
        elif len(unit.writes) < MOST_WRITES:
            unit.writes.append(probe)

    def commit(self, kind: str, probes: tuple[Probe, ...]) -> None:
        self.count += 1
        key = (kind, probes)
        if key in self.committed or len(self.committed) < MOST_UNITS:
            self.committed[key] = self.committed.get(key, 0) + 1
        else:
            self.is_cut = True

    def add(self, other: Writes) -> None:
        for key, times in other.committed.items():
            self.commit(*key)
            if key in self.committed:
                self.committed[key] += times - 1
        self.count += other.count - len(other.committed)
        self.is_cut = self.is_cut or other.is_cut
        self.rolled_back += other.rolled_back

    def close(self, unit: Unit, *, rolled_back: bool) -> None:
        if not unit.writes:
            return
        if rolled_back:
            self.rolled_back += 1
        else:
            self.commit(unit.kind, tuple(dict.fromkeys(unit.writes)))


def unit_of(recording: Recording, connection: Any, statement: Statement) -> Unit | None:
    """The unit that a statement belongs to which is not plainly a bare one; None if it is, all the same."""
    key = id(connection)
    unit = recording.units.get(key)
    if unit is None:
        if connection.in_atomic_block:
            unit = _entered_before(recording, connection)
        elif not connection.autocommit or statement.verb in ("BEGIN", "START"):
            unit = recording.units[key] = Unit(connection, MANUAL, 0)
    elif not connection.in_atomic_block and unit.kind != MANUAL:
        # The block is over, and its on_commit callbacks run before it is left.
        return None
    elif not connection.in_atomic_block and statement.kind == "transaction":
        _end_by_statement(recording, connection, unit, statement)
    return unit


def _entered_before(recording: Recording, connection: Any, *, is_entering: bool = False) -> Unit | None:
    """The unit of a block that was open already when ``record()`` began. A request has none of these."""
    if not recording.is_block:
        return None
    blocks = connection.atomic_blocks[:-1] if is_entering else connection.atomic_blocks
    for level, block in enumerate(blocks, start=1):
        if not block._from_testcase:  # noqa: SLF001  # Django's own mark, and the only one
            unit = recording.units[id(connection)] = Unit(connection, ATOMIC, level)
            unit.marks = [0] * (len(connection.atomic_blocks) - level)
            return unit
    return None


def _end_by_statement(recording: Recording, connection: Any, unit: Unit, statement: Statement) -> None:
    if statement.verb in ("COMMIT", "END"):
        ended(recording, connection, rolled_back=unit.has_failure and is_broken(connection))
    elif statement.verb == "ABORT" or statement.fingerprint.upper() in ("ROLLBACK", "ROLLBACK TRANSACTION"):
        ended(recording, connection, rolled_back=True)


def entered(recording: Recording, connection: Any, block: Any, frame: FrameType | None) -> None:
    """An atomic block was entered by the code of ``frame``."""
    unit = recording.units.get(id(connection))
    if unit is not None:
        unit.marks.append(len(unit.writes))
        return
    if _entered_before(recording, connection, is_entering=True) or block._from_testcase:  # noqa: SLF001  # as above
        return
    manual = not connection.commit_on_exit
    kind = MANUAL if manual else _kind(connection, frame)
    level = 0 if manual else len(connection.atomic_blocks)
    recording.units[id(connection)] = Unit(connection, kind, level)


def exited(recording: Recording, connection: Any, level: int, *, rolled_back: bool) -> None:
    """The block at this level was left."""
    unit = recording.units.get(id(connection))
    if unit is None or level < unit.level:
        return
    if level > unit.level:
        mark = unit.marks.pop() if unit.marks else 0
        if rolled_back:
            del unit.writes[mark:]
        return
    del recording.units[id(connection)]
    recording.writes.close(unit, rolled_back=rolled_back)


def ended(recording: Recording, connection: Any, *, rolled_back: bool) -> None:
    """The transaction was committed or rolled back: before its block is left, which then has no unit."""
    unit = recording.units.pop(id(connection), None)
    if unit is not None:
        recording.writes.close(unit, rolled_back=rolled_back)


def is_broken(connection: Any) -> bool:
    """Whether PostgreSQL will make a ROLLBACK of what we call COMMIT; the driver knows without asking."""
    # Whatever a driver says of a connection that is closed.
    with contextlib.suppress(Exception):
        return bool(connection.connection.info.transaction_status == IN_ERROR)
    return False


def _kind(connection: Any, frame: FrameType | None) -> str:
    is_decorator = frame is not None and _is_decorated(frame)
    if is_decorator and connection.settings_dict.get("ATOMIC_REQUESTS") and _is_called_by_handler(frame):
        return REQUEST
    while frame is not None:
        if _is_decorated(frame):
            code = getattr(frame.f_locals.get("func"), "__code__", None)
            info = frames.info_of(frame.f_code if code is None else code)
        else:
            info = frames.info_of(frame.f_code)
        if info.is_django:
            return DJANGO
        if info.owner is not Owner.MACHINERY:
            return ATOMIC if info.owner is Owner.PROJECT else LIBRARY
        frame = frame.f_back
    return ATOMIC


def _is_decorated(frame: FrameType) -> bool:
    """Whether it is the function that ``ContextDecorator`` puts around another."""
    return frame.f_code.co_name == "inner" and frame.f_code.co_filename == contextlib.__file__


def _is_called_by_handler(frame: FrameType | None) -> bool:
    """Whether the decorated function was called by Django's handler, for an alias that is not exempt."""
    while frame is not None and _is_decorated(frame):
        frame = frame.f_back
    if frame is None:
        return False
    if frame.f_code.co_name == "_get_response":
        callback = frame.f_locals.get("callback")
        return not getattr(callback, "_non_atomic_requests", None)
    # Under ASGI a view runs in a thread, called by asgiref.
    return frames.info_of(frame.f_code).owner is Owner.MACHINERY
