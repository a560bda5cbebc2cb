"""What is known of a value without running the program."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

#: Objects are numbered as they are made, so that a call is known to have changed only its own.
_births = itertools.count()

PRIMITIVES = (str, int, float, bool, bytes, type(None))


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known; ``why`` says what it came from."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Scalar:
    """Data without a database behind it: text, numbers, dates, parsed JSON, responses."""


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """An object that exists: a module, a class, a function, a constant."""

    thing: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Live):
            return NotImplemented
        if isinstance(self.thing, PRIMITIVES):
            return type(self.thing) is type(other.thing) and self.thing == other.thing
        return self.thing is other.thing

    def __hash__(self) -> int:
        return hash(self.thing) if isinstance(self.thing, PRIMITIVES) else id(self.thing)


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a known class, made by the program: a row, a view, a form.

    ``source``, of a row: created, fetched, locked or unknown. ``computed`` are the fields that were
    given a value worked out from the row's old ones.
    """

    cls: type
    attributes: dict[str, Value] = field(default_factory=dict)
    source: str = "unknown"
    computed: set[str] = field(default_factory=set)
    born: int = field(default_factory=_births.__next__)


@dataclass(frozen=True, slots=True)
class Query:
    """A manager or a queryset; ``relation`` is the field whose other side it holds."""

    model: Any
    cls: type
    is_manager: bool = False
    locks: bool = False
    alias: str | None = None
    relation: Any = None
    #: values(), values_list(): what comes out are no rows of the model.
    is_plain: bool = False
    #: Fields that are compared for equality.
    fields: frozenset[str] = frozenset()
    #: Narrowed by more than these: other comparisons, Q objects, exclude().
    is_narrowed: bool = False


@dataclass(slots=True, eq=False)
class Items:
    """A list, tuple, set or iterator. ``known`` are its elements where each is known."""

    item: Value
    known: list[Value] | None = None
    born: int = field(default_factory=_births.__next__)


@dataclass(slots=True, eq=False)
class Dictionary:
    """A dict: what is known under constant keys, and what anything else may be."""

    known: dict[Any, Value]
    rest: Value
    born: int = field(default_factory=_births.__next__)


@dataclass(slots=True, eq=False)
class Closure:
    """A function or lambda that the interpreted program defines."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Any
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A method and its object."""

    function: Value
    target: Value


@dataclass(frozen=True, slots=True, eq=False)
class Super:
    """``super()``: the classes after ``after`` in the method resolution order of ``cls``."""

    after: type
    cls: type
    target: Value


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """``functools.partial``."""

    function: Value
    positional: tuple[Value, ...]
    named: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class AtomicBlock:
    """``transaction.atomic(...)``, not yet entered; ``alias`` is None where it could not be told."""

    alias: str | None
    durable: bool = False
    savepoint: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class AtomicFunction:
    """A function below ``@transaction.atomic``."""

    block: AtomicBlock
    function: Value


@dataclass(frozen=True, slots=True, eq=False)
class ContextManager:
    """What calling a function below ``@contextmanager`` gives."""

    function: Value
    arguments: Arguments


@dataclass(frozen=True, slots=True, eq=False)
class Generator:
    """A generator that was made: ``steps`` run when somebody iterates."""

    steps: Any
    item: Value


@dataclass(frozen=True, slots=True, eq=False)
class Handled:
    """A callable that we know by heart; ``handler`` is a function of `Machine`, `Request of a call`."""

    name: str
    handler: Any
    target: Value


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One of several."""

    options: tuple[Value, ...]


Value: TypeAlias = (
    Unknown
    | Scalar
    | Live
    | Instance
    | Query
    | Items
    | Dictionary
    | Closure
    | Bound
    | Super
    | Partial
    | AtomicBlock
    | AtomicFunction
    | ContextManager
    | Generator
    | Handled
    | Either
)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call hands over. ``rest`` is what a ``*`` or ``**`` of unknown contents may hold."""

    positional: tuple[Value, ...] = ()
    named: Mapping[str, Value] = field(default_factory=dict)
    rest: Value | None = None

    def get(self, position: int, name: str) -> Value | None:
        """The argument at this position or of this name; not one that may be among ``rest``."""
        if name in self.named:
            return self.named[name]
        return self.positional[position] if 0 <= position < len(self.positional) else None

    def after(self, *first: Value) -> Arguments:
        """The same with others before it."""
        return replace(self, positional=(*first, *self.positional))


def births() -> int:
    """A number above that of every object so far."""
    return next(_births)


UNKNOWN = Unknown()
SCALAR = Scalar()
NONE = Live(None)

#: More alternatives than these are not told apart.
MOST_OPTIONS = 6


def options(value: Value) -> tuple[Value, ...]:
    return value.options if isinstance(value, Either) else (value,)


YES, NO = Live(True), Live(False)  # noqa: FBT003  # the constants themselves


def join(*values: Value) -> Value:
    """A value that may be any of these."""
    first = values[0]
    if all(value is first for value in values):
        return first
    found: list[Value] = []
    for value in values:
        for option in options(value):
            if not any(_same(option, each) for each in found):
                found.append(option)
    if len(found) > MOST_OPTIONS:
        return UNKNOWN
    return found[0] if len(found) == 1 else Either(tuple(found))


def _same(one: Value, other: Value) -> bool:
    if one is other or one == other:
        return True
    if isinstance(one, Instance) and isinstance(other, Instance):
        return (
            one.cls is other.cls
            and one.source == other.source
            and not one.attributes
            and not other.attributes
            and one.computed == other.computed
        )
    if isinstance(one, Items) and isinstance(other, Items):
        return one.known is None and other.known is None and _same(one.item, other.item)
    return isinstance(one, Unknown) and isinstance(other, Unknown)


def constant(value: Value | None) -> Any:
    """The constant behind a value; None where it is none, and for None."""
    return value.thing if isinstance(value, Live) and isinstance(value.thing, PRIMITIVES) else None


def truth(value: Value | None) -> bool | None:
    """Whether a test of it succeeds; None where that cannot be told."""
    if isinstance(value, Live):
        thing = value.thing
        # Nothing of the project's runs for this: only what cannot have a __bool__ of its own.
        is_plain = isinstance(thing, PRIMITIVES) or type(thing) in (tuple, list, dict, set, frozenset, type)
        return bool(thing) if is_plain else True if callable(thing) else None
    if isinstance(value, Instance):
        has_say = any("__bool__" in vars(base) or "__len__" in vars(base) for base in value.cls.__mro__)
        return None if has_say else True
    if isinstance(value, Items) and value.known is not None:
        return bool(value.known) or None
    if isinstance(value, Either):
        found = {truth(option) for option in value.options}
        return found.pop() if len(found) == 1 else None
    return True if isinstance(value, (Closure, Bound, Partial, AtomicFunction, Handled)) else None


def is_none(value: Value) -> bool | None:
    """Whether it is None; None where that cannot be told."""
    if isinstance(value, Live):
        return value.thing is None
    if isinstance(value, Either):
        found = {is_none(option) for option in value.options}
        return found.pop() if len(found) == 1 else None
    return None if isinstance(value, (Unknown, Scalar)) else False
