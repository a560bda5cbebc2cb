"""The line of a coroutine that awaits the thread in which a query runs.

``await instance.asave()`` executes in a thread on whose stack no coroutine is, and builds no queryset
that would know its line. But the task that serves the request is suspended meanwhile, and what it
awaits can be followed down to the last coroutine of the project. In tasks of the view's own making,
such as ``asyncio.gather`` has, that is the line which awaits them all.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from types import FrameType
from typing import Any

from django_dbaudit.traffic import frames
from django_dbaudit.traffic.callsite import Site, site_of_line
from django_dbaudit.traffic.frames import Owner

#: Coroutines that are followed at most.
DEEPEST = 200
#: A look takes less time than a thread has before it must let another one run.
LOOKS = 3


def current_task() -> weakref.ref[asyncio.Task[Any]] | None:
    """The task that runs now; None outside of an event loop."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    return None if task is None else weakref.ref(task)


def awaiting_site(task: weakref.ref[asyncio.Task[Any]] | None) -> Site | None:
    """The innermost line of the project at which the task is suspended, or about to be."""
    awaiting = None if task is None else task()
    coroutine = None if awaiting is None else awaiting.get_coro()
    found = None
    # The thread may be quicker than its coroutine, which is suspended while we look at it.
    for _ in range(LOOKS):
        is_running = getattr(coroutine, "cr_running", False)
        found = _innermost(coroutine) if is_running else _deepest(coroutine)
        if found is not None or not is_running:
            break
    return None if found is None else site_of_line(found)


def _deepest(coroutine: Any) -> FrameType | None:
    """Of a suspended coroutine, and what it awaits, the innermost frame of the project."""
    found = None
    for _ in range(DEEPEST):
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frames.info_of(frame.f_code).owner is Owner.PROJECT:
            found = frame
        coroutine = getattr(coroutine, "cr_await", None)
        if coroutine is None:
            break
    return found


def _innermost(coroutine: Any) -> FrameType | None:
    """Of the thread that runs this coroutine, the innermost frame of the project within it."""
    for frame in sys._current_frames().values():  # noqa: SLF001  # CPython's, and documented
        found = None
        walker: FrameType | None = frame
        while walker is not None:
            if found is None and frames.info_of(walker.f_code).owner is Owner.PROJECT:
                found = walker
            if walker is coroutine.cr_frame:
                return found
            walker = walker.f_back
    return None
