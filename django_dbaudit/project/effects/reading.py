"""Of every view and method, what it may do, by its source."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

from django_dbaudit.finding import Location
from django_dbaudit.project import views
from django_dbaudit.project.effects import calls, known_views, lookup, remarks, tree
from django_dbaudit.project.effects.facts import Effects, ViewEffects
from django_dbaudit.project.effects.machine import Machine, Site, sequence
from django_dbaudit.project.effects.memory import Memory
from django_dbaudit.project.effects.tree import Node
from django_dbaudit.project.effects.values import SCALAR, Arguments, Live
from django_dbaudit.project.views import LiveView

logger = logging.getLogger("django_dbaudit")

#: Calls of ours for each call of theirs: enough for `machine.DEEPEST` of theirs.
RECURSION_LIMIT = 10_000


def read() -> Effects:
    """Interpret every view; what could not be followed is in the tree, as `tree.Unresolved`."""
    found, problems = views.walk()
    memory = Memory()
    with _deep():
        return Effects(tuple(_of_view(each, memory) for each in found), problems, remarks.read())


def _of_view(live: LiveView, memory: Memory) -> ViewEffects:
    bodies = [interpret(each, live.view.method, memory, live.view.location) for each in live.callbacks]
    place = live.view.location or Location("", 0)
    body = bodies[0] if len(bodies) == 1 else tree.Branch(tuple(dict.fromkeys(bodies)), place)
    for alias in live.view.atomic_requests:
        body = tree.Atomic(body, alias, "request", place)
    return ViewEffects(live.view, body)


def interpret(
    callback: Callable[..., Any],
    method: str,
    memory: Memory | None = None,
    place: Location | None = None,
) -> Node:
    """What a callback may do with a request of this method."""
    machine = Machine(method, calls.call, lookup.attribute)
    machine.memory = Memory() if memory is None else memory
    site = Site(place.path, place.line) if place else Site("", 0)
    with machine.collected() as steps:
        try:
            request = known_views.request_of(method)
            machine.call(Live(callback), Arguments((request,), rest=SCALAR), site)
        # Whatever we do not foresee in somebody's code costs that view alone.
        except Exception as error:  # RecursionError among them
            logger.debug("a view could not be interpreted: %r", callback, exc_info=True)
            why = f"a defect of django-dbaudit, please report it: {type(error).__name__}: {error}"
            machine.emit(
                tree.Unresolved(getattr(callback, "__qualname__", repr(callback)), why, site.location)
            )
    return sequence(steps)


@contextlib.contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
