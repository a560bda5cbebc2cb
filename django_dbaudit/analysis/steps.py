"""Where a step of a view stands: in which blocks, loops, handlers and functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django_dbaudit.derived import DerivedFact
from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.facts import Effects, ViewEffects
from django_dbaudit.project.effects.tree import Atomic, Call, Later, Node, OnCommit


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A node of the tree, and the one around it."""

    node: Node
    outer: Step | None = None

    def around(self) -> Iterator[Step]:
        """What it stands in, the innermost first."""
        each = self.outer
        while each is not None:
            yield each
            each = each.outer

    @property
    def blocks(self) -> tuple[Atomic, ...]:
        """The atomic blocks that are open when it runs, innermost first."""
        found = []
        for each in self.around():
            # What runs later does so when the blocks that it was written in are left.
            if isinstance(each.node, (Later, OnCommit)):
                break
            # A block around a generator or a coroutine has ended before any of it runs.
            if isinstance(each.node, Atomic) and not each.node.wraps:
                found.append(each.node)
        return tuple(found)

    def blocks_on(self, alias: str | None) -> tuple[Atomic, ...]:
        """Those that may hold what is done on this alias."""
        return tuple(block for block in self.blocks if may_be(block.alias, alias))

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that lead to it, from the view on."""
        return tuple(each.node for each in self.around() if isinstance(each.node, Call))[::-1]

    @property
    def function(self) -> Call | None:
        """The innermost of them: the function that it is written in."""
        return next((each.node for each in self.around() if isinstance(each.node, Call)), None)

    @property
    def is_ours(self) -> bool:
        """Whether it is written in the project, and not in an installed package."""
        function = self.function
        return function is None or function.origin == "project"

    @property
    def when(self) -> str:
        """on_commit, streaming, rendering or thread; empty for what runs in its turn."""
        for each in self.around():
            if isinstance(each.node, Later):
                return each.node.when
            if isinstance(each.node, OnCommit):
                return "on_commit"
        return ""

    def following(self) -> Iterator[Node]:
        """What may run after it: later siblings, and those of what it stands in."""
        left, inner = False, self
        for each in self.around():
            if isinstance(each.node, (Later, OnCommit)):
                return
            if isinstance(each.node, tree.Sequence) and not left:
                for sibling in each.node.steps[_place(each.node, inner.node) + 1 :]:
                    yield sibling
                    left = left or isinstance(sibling, (tree.Return, tree.Raise, tree.Leave))
            if isinstance(each.node, Call):
                # A return leaves this function, and what called it goes on.
                left = False
            inner = each


def _place(sequence: tree.Sequence, node: Node) -> int:
    return next(place for place, each in enumerate(sequence.steps) if each is node)


def may_be(one: str | None, other: str | None) -> bool:
    """Whether two aliases may be the same; None is one that could not be told."""
    return one is None or other is None or one == other


def walk(node: Node, outer: Step | None = None) -> Iterator[Step]:
    """The node and all below it, each with what is around it, in the order in which they run."""
    step = Step(node, outer)
    yield step
    for child in tree.children(node):
        yield from walk(child, step)


class ViewSteps(DerivedFact):
    """Every step of every view."""

    __slots__ = ("items",)

    def __init__(self, effects: Effects) -> None:
        self.items: tuple[tuple[ViewEffects, tuple[Step, ...]], ...] = tuple(
            (each, tuple(walk(each.body))) for each in effects.items
        )

    def __iter__(self) -> Iterator[tuple[ViewEffects, Step]]:
        for view, steps in self.items:
            for step in steps:
                yield view, step
