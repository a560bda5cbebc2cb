"""When two calls are alike, and what one of them did: so that a function is followed only once.

A call is known by what it is given: values, and objects by what is in them. What it did is kept with the
objects it was given left open, as `Slot`: so it is done over with those of the next caller.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from django_dbaudit.project.effects.models import is_model
from django_dbaudit.project.effects.tree import Node
from django_dbaudit.project.effects.values import (
    PRIMITIVES,
    Arguments,
    Bound,
    Dictionary,
    Either,
    Handled,
    Instance,
    Items,
    Live,
    Partial,
    Query,
    Scalar,
    Super,
    Unknown,
    Value,
)

Changeable: TypeAlias = Instance | Items | Dictionary

#: Objects within objects whose contents are compared; deeper ones have to be the same.
DEEPEST = 3
#: Objects in all. What holds more is hardly ever met twice, and to compare it costs more than to follow.
LARGEST = 24
#: Objects that a call may leave behind for it to be remembered.
MOST_LEFT = 150


class _TooLarge(Exception):  # noqa: N818  # no error: a call that will not be remembered
    pass


@dataclass(frozen=True, slots=True)
class Slot:
    """In what is remembered: the object that the next caller has in this place."""

    place: int


#: In place of a request's method, where it is that of the view: another's has another.
OWN_METHOD: Any = Slot(-1)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a call did."""

    body: Node
    #: Whether there is nothing in it to be told.
    is_silent: bool
    value: Any
    #: What it made of objects that it was given: their place, and a likeness of what they are now.
    changes: tuple[tuple[int, Any], ...]
    #: Whether it asked for the request's method.
    is_of_method: bool


@dataclass(slots=True)
class Memory:
    """What is remembered of all views."""

    #: By the call, and then by the HTTP method; under the empty one what is the same for all.
    summaries: dict[Any, dict[str, Summary]] = field(default_factory=dict)
    #: What objects hold, each under a number: keys stay short, and are compared at once.
    numbers: dict[Any, int] = field(default_factory=dict)
    #: What keys know by its number in memory, kept so that no other comes to that number.
    alive: dict[int, Any] = field(default_factory=dict)

    def find(self, key: Any, method: str) -> Summary | None:
        known = self.summaries.get(key)
        return None if known is None else known.get("") or known.get(method)

    def add(self, key: Any, method: str, summary: Summary) -> None:
        self.summaries.setdefault(key, {})[method if summary.is_of_method else ""] = summary


class CallKey:
    """What alike calls have in common; ``key`` is None where that is too much to compare."""

    __slots__ = ("_kept", "_memory", "_method", "_places", "key", "objects")

    def __init__(
        self,
        memory: Memory,
        method: str,
        code: types.CodeType,
        cells: Mapping[str, Any],
        arguments: Arguments,
    ) -> None:
        self._memory = memory
        self._method = method
        #: Objects that it is given, and those within them, in the order of the key.
        self.objects: list[Changeable] = []
        self._places: dict[int, int] = {}
        self._kept: set[int] = set()
        try:
            self.key: Any = (
                code,
                tuple([self._live(each) for each in cells.values()]),
                tuple([self._of(each, 0) for each in arguments.positional]),
                tuple([(name, self._of(each, 0)) for name, each in sorted(arguments.named.items())]),
                None if arguments.rest is None else self._of(arguments.rest, 0),
            )
        except _TooLarge:
            self.key = None

    def _live(self, thing: Any) -> Any:
        number = id(thing)
        self._memory.alive[number] = thing
        return number

    def _of(self, value: Value, depth: int) -> Any:  # one line a kind
        kind = type(value)
        if kind is Live:
            thing = cast("Live", value).thing
            return (type(thing), thing) if isinstance(thing, PRIMITIVES) else self._live(thing)
        if kind in CHANGEABLE:
            return self._of_object(cast("Changeable", value), depth)
        if kind in ALL_ALIKE:
            return kind
        if isinstance(value, Query):
            relation = id(value.relation)
            more = (value.is_manager, value.locks, value.is_plain)
            return (value.model, value.cls, more, value.alias, relation, value.fields, value.is_narrowed)
        if isinstance(value, Bound):
            return (Bound, self._of(value.function, depth), self._of(value.target, depth))
        if isinstance(value, Super):
            return (Super, value.after, value.cls, self._of(value.target, depth))
        if isinstance(value, Handled):
            return (Handled, value.name, value.handler, self._of(value.target, depth + 1))
        if isinstance(value, Partial):
            named = tuple([(name, self._of(each, depth + 1)) for name, each in value.named.items()])
            given = tuple([self._of(each, depth + 1) for each in value.positional])
            return (Partial, self._of(value.function, depth + 1), given, named)
        if isinstance(value, Either):
            return (Either, tuple([self._of(each, depth) for each in value.options]))
        # What is left is equal to nothing but itself, or has nothing that could change.
        return value

    def _of_object(self, value: Changeable, depth: int) -> Any:
        if depth > DEEPEST:
            # It is kept in the key, so that no other can come to its number.
            self._kept.add(id(value))
            return value
        place = self._places.get(id(value))
        if place is not None:
            return (Instance, place)
        if len(self.objects) >= LARGEST:
            raise _TooLarge
        self._places[id(value)] = len(self.objects)
        self.objects.append(value)
        numbers = self._memory.numbers
        # Below nought, where no live object's number is.
        return numbers.setdefault(self._contents(value, depth + 1), -1 - len(numbers))

    def _contents(self, value: Changeable, depth: int) -> Any:
        if isinstance(value, Instance):
            attributes = _without_own_method(value, self._method)
            names = sorted(attributes)
            held = tuple([self._of(attributes[name], depth) for name in names])
            source = value.source if is_model(value.cls) else ""
            return (value.cls, source, frozenset(value.computed), tuple(names), held)
        if isinstance(value, Items):
            known = None if value.known is None else tuple([self._of(each, depth) for each in value.known])
            return (Items, self._of(value.item, depth), known)
        named = tuple([(repr(name), self._of(each, depth)) for name, each in value.known.items()])
        return (Dictionary, named, self._of(value.rest, depth))

    def summary(
        self,
        body: Node,
        value: Value,
        changed: Iterable[Changeable],
        *,
        is_silent: bool,
        is_of_method: bool,
    ) -> Summary | None:
        """What the call did; None where it left too much, or changed what only others know."""
        slots = {id(each): Slot(place) for place, each in enumerate(self.objects)}
        likeness = _Likeness(slots, self._kept, self._method)
        changes = []
        try:
            for each in changed:
                place = self._places.get(id(each))
                if place is None:
                    return None
                changes.append((place, likeness.contents(each)))
            return Summary(body, is_silent, likeness.of(value), tuple(changes), is_of_method)
        except _TooLarge:
            return None

    def replay(self, summary: Summary) -> tuple[Value, list[Changeable]]:
        """Do it over with the objects of this call: its value, and the objects it has changed."""
        if not summary.changes and type(summary.value) in UNCHANGING:
            return summary.value, []
        likeness = _Likeness({}, self._kept, self._method, self.objects)
        changed = []
        for place, contents in summary.changes:
            each = self.objects[place]
            _become(each, likeness.contents(contents))
            changed.append(each)
        return likeness.of(summary.value), changed


class _Likeness:
    """Objects like others, those that are known put in place of theirs."""

    __slots__ = ("_kept", "_known", "_left", "_method", "_objects")

    def __init__(
        self, known: dict[int, Any], kept: set[int], method: str, objects: list[Changeable] | None = None
    ) -> None:
        self._known = known
        self._kept = kept
        self._method = method
        #: None while something is being remembered.
        self._objects = objects
        self._left = MOST_LEFT

    def of(self, value: Any) -> Any:  # one line a kind
        kind = type(value)
        if kind in UNCHANGING:
            return value
        if kind in CHANGEABLE:
            return self._of_object(value)
        if kind is Slot:
            return self._in_place(value)
        if kind is Either:
            return Either(tuple([self.of(each) for each in value.options]))
        if kind is Bound:
            return Bound(self.of(value.function), self.of(value.target))
        if kind is Super:
            return Super(value.after, value.cls, self.of(value.target))
        if kind is Handled:
            return Handled(value.name, value.handler, self.of(value.target))
        if kind is Partial:
            named = {name: self.of(each) for name, each in value.named.items()}
            return Partial(
                self.of(value.function), tuple([self.of(each) for each in value.positional]), named
            )
        return value

    def _in_place(self, slot: Slot) -> Any:
        if self._objects is None:
            return slot
        return Live(self._method) if slot == OWN_METHOD else self._objects[slot.place]

    def _of_object(self, value: Changeable) -> Any:
        known = self._known.get(id(value))
        if known is not None:
            return known
        if id(value) in self._kept:
            return value
        return self._made(value)

    def _made(self, value: Changeable) -> Changeable:
        self._left -= 1
        if self._left < 0:
            raise _TooLarge
        made = _empty(value)
        self._known[id(value)] = made
        _become(made, self.contents(value))
        return made

    def contents(self, value: Changeable) -> Changeable:
        """Another of its kind, with the likeness of all that it holds."""
        if isinstance(value, Instance):
            attributes = _without_own_method(value, self._method)
            held = {name: self.of(each) for name, each in attributes.items()}
            return Instance(value.cls, held, value.source, set(value.computed))
        if isinstance(value, Items):
            known = None if value.known is None else [self.of(each) for each in value.known]
            return Items(self.of(value.item), known)
        return Dictionary({name: self.of(each) for name, each in value.known.items()}, self.of(value.rest))


def _without_own_method(value: Instance, method: str) -> Mapping[str, Any]:
    """The attributes; a request's method is left open where it is that of the view."""
    attributes = value.attributes
    if "is_request" not in attributes:
        return attributes
    given = attributes.get("method")
    is_own = isinstance(given, Live) and given.thing == method
    return {**attributes, "method": OWN_METHOD} if is_own else attributes


def _empty(value: Changeable) -> Changeable:
    if isinstance(value, Instance):
        return Instance(value.cls)
    return Items(value.item) if isinstance(value, Items) else Dictionary({}, value.rest)


def _become(target: Any, other: Any) -> None:
    """Hold what the other holds; the dictionary stays the same, which others may have at hand."""
    if isinstance(target, Instance):
        target.cls, target.source, target.computed = other.cls, other.source, set(other.computed)
        target.attributes.clear()
        target.attributes.update(other.attributes)
    elif isinstance(target, Items):
        target.item, target.known = other.item, other.known
    else:
        target.known, target.rest = other.known, other.rest


CHANGEABLE = frozenset({Instance, Items, Dictionary})
#: Of these one is as good as another.
ALL_ALIKE = frozenset({Unknown, Scalar})
UNCHANGING = frozenset({Unknown, Scalar, Live, Query})
