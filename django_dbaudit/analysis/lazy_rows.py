"""Rows that are made where somebody looks for them first: ``get_or_create()``, or the same by hand."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Several
from itertools import islice

from django_dbaudit.analysis.steps import Step
from django_dbaudit.project.effects.tree import (
    Atomic,
    Branch,
    Call,
    Node,
    Raise,
    Read,
    Return,
    Sequence,
    Try,
    Write,
    walk,
)

#: What looks and makes in one call.
TOGETHER = ("get_or_create", "update_or_create")
LOOKS = ("exists", "first", "get")
#: Steps after the look within which it is decided upon.
NEAR = 2


def made_after(step: Step, read: Read) -> Several[Write]:
    """The inserts that come right after this look, on one way and not on another."""
    found: list[Write] = []
    if read.how not in LOOKS:
        return found
    for each in islice(step.following(), NEAR):
        if isinstance(each, Branch):
            found += _on_one_way(each.alternatives, read)
    for outer in step.around():
        node = outer.node
        if isinstance(node, Call):
            break
        if isinstance(node, Try) and read.how == "get":
            found += [write for handler in node.handlers for write in inserts(handler.body, read.model)]
    return found


def made_past(step: Step, read: Read) -> Several[Write]:
    """The inserts that come after ``if …exists(): return``, or after an exception there."""
    if read.how not in LOOKS:
        return ()
    following = list(step.following())
    for place, each in enumerate(following[:NEAR]):
        if isinstance(each, Branch):
            leaving = list(map(_leaves, each.alternatives))
            if any(leaving) and not all(leaving):
                return [write for later in following[place + 1 :] for write in inserts(later, read.model)]
    return ()


def _leaves(node: Node) -> bool:
    """Whether it ends in a ``return`` or an exception."""
    last = node.steps[-1] if isinstance(node, Sequence) and node.steps else node
    return isinstance(last, (Return, Raise))


def _on_one_way(alternatives: Several[Node], read: Read) -> Several[Write]:
    ways = [inserts(each, read.model) for each in alternatives]
    if any(ways) and not all(ways):
        return [write for way in ways for write in way]
    inner = (each for each in alternatives if isinstance(each, Branch))
    return [write for each in inner for write in _on_one_way(each.alternatives, read)]


def inserts(node: Node, model: str = "") -> list[Write]:
    """The inserts of this model, or of any, below a node."""
    return [
        each
        for each in walk(node)
        if isinstance(each, Write) and each.statement == "insert" and model in ("", each.model)
    ]


def of(steps: Iterable[Step]) -> frozenset[int]:
    """The ``id`` of each write that makes a row only because it was not there yet."""
    found: list[Write] = []
    for step in steps:
        node = step.node
        if isinstance(node, Read):
            found += made_after(step, node)
        elif isinstance(node, Atomic) and node.how == "QuerySet.get_or_create":
            found += inserts(node)
        elif isinstance(node, Try):
            # ``user.profile`` is a look too, that no step stands for.
            missing = [each for each in node.handlers if any(map(_is_missing, each.catches))]
            found += [write for handler in missing for write in inserts(handler.body)]
    return frozenset(map(id, found))


def _is_missing(name: str) -> bool:
    return name.endswith(("DoesNotExist", "Http404"))
