"""Ways through a view that end in an error for the client, and what they leave written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from django_dbaudit.analysis.verdicts import is_bookkeeping
from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.tree import Node, Write

#: From this status on an answer tells the client that it failed.
ERROR = 400
#: What Django REST framework makes a response of, so that it never reaches a block around the view.
API_EXCEPTION = "rest_framework.exceptions.APIException"
ANSWERED = (
    "rest_framework.exceptions.",
    "django.http.response.Http404",
    "django.core.exceptions.PermissionDenied",
)

Writes: TypeAlias = tuple[Write, ...]


class ErrorAnswers:
    """The error answers below a node, each with the writes that may stand when it is given."""

    def __init__(self, node: Node) -> None:
        #: A `Return` with an error's status, or a `Raise` that becomes a response; and the writes.
        self.found: list[tuple[tree.Return | tree.Raise, Writes]] = []
        self._raised: list[list[tuple[tree.Raise, Writes]]] = [[]]
        self._returned: list[list[Writes]] = [[]]
        self._left: list[list[Writes]] = [[]]
        self._run(node, ())

    def _run(self, node: Node, before: Writes) -> Writes | None:
        """What may be written when the node is through; None if nothing after it is reached."""
        handler: Callable[[Node, Writes], Writes | None] | None = getattr(self, f"_{node.kind}", None)
        return handler(node, before) if handler is not None else before

    def _sequence(self, node: tree.Sequence, before: Writes) -> Writes | None:
        written: Writes | None = before
        for step in node.steps:
            if written is None:
                break
            written = self._run(step, written)
        return written

    def _branch(self, node: tree.Branch, before: Writes) -> Writes | None:
        return _either(*(self._run(each, before) for each in node.alternatives))

    def _write(self, node: Write, before: Writes) -> Writes:
        return before if is_bookkeeping(node) or node in before else (*before, node)

    def _atomic(self, node: tree.Atomic, before: Writes) -> Writes | None:
        known = len(self._raised[-1])
        after = self._run(node.body, before)
        if not node.wraps:
            # What leaves the block by an exception takes its writes along.
            for place, (each, written) in enumerate(self._raised[-1][known:], known):
                kept = tuple(one for one in written if one in before)
                self._raised[-1][place] = (each, kept)
        return after

    def _loop(self, node: tree.Loop, before: Writes) -> Writes | None:
        self._left.append([])
        after = self._run(node.body, before)
        return _either(before, after, *self._left.pop())

    def _try(self, node: tree.Try, before: Writes) -> Writes | None:
        self._raised.append([])
        after = self._run(node.body, before)
        raised = self._raised.pop()
        answered = any(API_EXCEPTION in handler.catches for handler in node.handlers)
        if answered:
            self.found += [each for each in raised if each[1] and each[0].exception.startswith(ANSWERED)]
        if answered or not node.handlers:
            self._raised[-1] += raised
        interrupted = (*before, *_kept(node.body))
        handled = [
            self._run(handler.body, _caught(handler, raised, interrupted) or ())
            for handler in node.handlers
            if not answered
        ]
        if after is not None:
            after = self._run(node.otherwise, after)
        ended = _either(after, *handled)
        return None if ended is None else self._run(node.final, ended)

    def _call(self, node: tree.Call, before: Writes) -> Writes | None:
        self._returned.append([])
        after = self._run(node.body, before)
        return _either(after, *self._returned.pop())

    def _return(self, node: tree.Return, before: Writes) -> None:
        if before and node.status is not None and node.status >= ERROR:
            self.found.append((node, before))
        self._returned[-1].append(before)

    def _raise(self, node: tree.Raise, before: Writes) -> None:
        self._raised[-1].append((node, before))

    def _leave(self, node: tree.Leave, before: Writes) -> None:
        self._left[-1].append(before)

    def _rollback(self, node: tree.Rollback, before: Writes) -> Writes:
        return ()


def _caught(
    handler: tree.Handler, raised: Iterable[tuple[tree.Raise, Writes]], interrupted: Writes
) -> Writes | None:
    """What may be written when the handler begins: what raises its exceptions, where that is known."""
    known = [written for each, written in raised if each.exception in handler.catches]
    return _either(*known) if known else _either(interrupted, *(written for _, written in raised))


def _either(*several: Writes | None) -> Writes | None:
    """What may be written where these ways meet; None if none of them gets there."""
    known = [each for each in several if each is not None]
    return tuple(dict.fromkeys(write for each in known for write in each)) if known else None


def _kept(body: Node) -> Writes:
    """What a body has committed for certain when an exception leaves it: not the statement that failed."""
    bare: list[Write] = []
    is_open = False
    for node in _outside_blocks(body):
        if isinstance(node, Write):
            is_open = False
            bare += [] if is_bookkeeping(node) else [node]
        elif isinstance(node, (tree.SideEffect, tree.Unresolved, tree.Atomic)):
            is_open = True
    return tuple(bare if is_open else bare[:-1])


def _outside_blocks(node: Node) -> Iterator[Node]:
    yield node
    if not isinstance(node, (tree.Atomic, tree.Later, tree.OnCommit)):
        for child in tree.children(node):
            yield from _outside_blocks(child)
