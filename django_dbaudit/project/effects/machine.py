"""What interpreting needs at every place: the tree as it grows, the calls in progress, the bounds."""

from __future__ import annotations

import ast
import contextlib
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, replace
from typing import Any

from django_dbaudit.finding import Location
from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.memory import CallKey, Memory, Summary
from django_dbaudit.project.effects.tree import Node
from django_dbaudit.project.effects.values import Arguments, Dictionary, Instance, Items, Value, births

#: Calls within calls. Real views stay below 30.
DEEPEST = 60
#: Expressions looked at for one view; more than any real view has, and still below a second.
MOST_STEPS = 60_000


@dataclass(slots=True)
class Site:
    """Where a call stands, and how it reads there."""

    file: str
    line: int
    node: ast.expr | None = None

    @property
    def location(self) -> Location:
        return Location(self.file, self.line)

    @property
    def text(self) -> str:
        """The called expression, cut short."""
        called = self.node.func if isinstance(self.node, ast.Call) else self.node
        return textwrap.shorten(ast.unparse(called), 60, placeholder="…") if called else ""

    @property
    def method(self) -> str:
        """The name after the last dot of what is called."""
        called = self.node.func if isinstance(self.node, ast.Call) else None
        return called.attr if isinstance(called, ast.Attribute) else ""


@dataclass(slots=True)
class Frame:
    """A function in progress."""

    key: object
    #: As locations show it.
    file: str
    #: project, or package for an installed one.
    origin: str = "project"
    #: What alike calls of it have in common, if anything.
    alike: Any = None
    #: Objects that it has changed, by their number in memory, and that were there before it.
    changed: dict[int, Instance | Items | Dictionary] = field(default_factory=dict)
    born: int = field(default_factory=births)
    #: Whether it asked for the request's method.
    is_of_method: bool = False
    #: Values of ``return`` and of ``yield``.
    returned: list[Value] = field(default_factory=list)
    yielded: list[Value] = field(default_factory=list)
    #: Names that a ``for`` around the statement in progress gives a new value each time.
    looping: set[str] = field(default_factory=set)
    #: What runs at a ``yield``: the body of the ``with`` that a ``@contextmanager`` serves.
    on_yield: Callable[[Value], Value] | None = None
    #: The class whose method it is, and the object: for ``super()``.
    owner: type | None = None
    target: Value | None = None


#: What shows nothing by itself; a call is in the tree only if it does something.
SILENT = (tree.Sequence, tree.Branch, tree.Loop, tree.Try, tree.Return, tree.Raise, tree.Leave)

#: How the modules below the interpreter reach it: a call, and an attribute.
Caller = Callable[["Machine", Value, Arguments, Site], Value]
Getter = Callable[["Machine", Value, str, Site], Value]


class Machine:
    """One view being interpreted. ``call`` is how everything calls everything."""

    def __init__(self, method: str, call: Caller, attribute: Getter) -> None:
        self._method = method
        self.frames: list[Frame] = []
        self.steps = 0
        #: What was seen twice is told once.
        #: Grows whenever something was left out: what was seen then is not all there is.
        self.cuts = 0
        #: Functions in progress that were called once more from within.
        self.recursive: set[object] = set()
        self.memory = Memory()
        #: For the function that is called next: what runs at its ``yield``.
        self.at_yield: Callable[[Value], Value] | None = None
        self._call = call
        self._attribute = attribute
        self._open: list[list[Node]] = [[]]

    @property
    def method(self) -> str:
        """The request's; who asks for it may do otherwise for another."""
        self.asked_for_method()
        return self._method

    def asked_for_method(self) -> None:
        if self.frames:
            self.frames[-1].is_of_method = True

    def call_key(self, code: types.CodeType, cells: Mapping[str, Any], arguments: Arguments) -> CallKey:
        return CallKey(self.memory, self._method, code, cells, arguments)

    def recall(self, known: CallKey) -> Summary | None:
        """What is remembered of a call like this."""
        return None if known.key is None else self.memory.find(known.key, self._method)

    def replay(self, known: CallKey, summary: Summary) -> Value:
        """What the call gives; the objects that it was given are changed as it changes them."""
        value, changed = known.replay(summary)
        for each in changed:
            self.changed(each)
        if summary.is_of_method:
            self.asked_for_method()
        return value

    def remember(self, known: CallKey, frame: Frame, body: Node, value: Value) -> None:
        """Keep what the call did for those like it."""
        summary = known.summary(
            body,
            value,
            frame.changed.values(),
            is_silent=is_silent(body),
            is_of_method=frame.is_of_method,
        )
        if summary is not None:
            self.memory.add(known.key, self._method, summary)

    def leave(self, frame: Frame) -> None:
        """The function is over: what it did to older objects, its caller did."""
        self.frames.pop()
        if self.frames:
            outer = self.frames[-1]
            outer.is_of_method = outer.is_of_method or frame.is_of_method
            for number, each in frame.changed.items():
                if each.born < outer.born:
                    outer.changed[number] = each

    def call(self, function: Value, arguments: Arguments, site: Site) -> Value:
        return self._call(self, function, arguments, site)

    def changed(self, thing: Instance | Items | Dictionary) -> None:
        """An object was changed that others may hold too."""
        if self.frames and thing.born < self.frames[-1].born:
            self.frames[-1].changed[id(thing)] = thing

    def attribute(self, value: Value, name: str, site: Site) -> Value:
        return self._attribute(self, value, name, site)

    def call_method(self, value: Value, name: str, arguments: Arguments, site: Site) -> Value:
        return self.call(self.attribute(value, name, site), arguments, site)

    def emit(self, node: Node) -> None:
        if isinstance(node, tree.Write) and self.frames:
            node = replace(node, origin=self.frames[-1].origin)
        self._open[-1].append(node)

    @contextlib.contextmanager
    def collected(self) -> Iterator[list[Node]]:
        """What is emitted within goes to this list and not to the tree."""
        steps: list[Node] = []
        self._open.append(steps)
        try:
            yield steps
        finally:
            self._open.pop()

    @contextlib.contextmanager
    def django_block(self, alias: str | None, how: str, site: Site) -> Iterator[None]:
        """A block that Django opens itself around what is emitted within."""
        with self.collected() as steps:
            yield
        self.emit(tree.Atomic(sequence(steps), alias, "django", site.location, how=how, savepoint=False))

    @contextlib.contextmanager
    def loop(self, site: Site) -> Iterator[None]:
        with self.collected() as steps:
            yield
        if steps:
            self.emit(tree.Loop(sequence(steps), site.location))

    def branch(self, site: Site, *alternatives: Callable[[], Value]) -> list[Value]:
        """Run each on its own; what they emit become the alternatives of one branch."""
        values, nodes = [], []
        for each in alternatives:
            with self.collected() as steps:
                values.append(each())
            nodes.append(sequence(steps))
        if any(node != tree.NOTHING for node in nodes):
            self.emit(tree.Branch(tuple(nodes), site.location))
        return values

    def emit_call(self, name: str, body: Node, site: Site, *, is_async: bool, origin: str) -> None:
        """A call that was followed, if it does anything."""
        if not is_silent(body):
            self.emit(tree.Call(name, body, site.location, is_async=is_async, origin=origin))

    def unresolved(self, site: Site, reason: str) -> None:
        self.emit(tree.Unresolved(site.text, reason, site.location))

    @property
    def is_exhausted(self) -> bool:
        return self.steps > MOST_STEPS


def is_silent(node: Node) -> bool:
    """Whether nothing in it reads, writes or is told to anybody."""
    return all(isinstance(each, SILENT) for each in tree.walk(node))


def sequence(steps: Several[Node]) -> Node:
    """Steps as one node: nested sequences are laid flat."""
    flat: list[Node] = []
    for step in steps:
        if isinstance(step, tree.Sequence):
            flat.extend(step.steps)
        else:
            flat.append(step)
    return flat[0] if len(flat) == 1 else tree.Sequence(tuple(flat))
