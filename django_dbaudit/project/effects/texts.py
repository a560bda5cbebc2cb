"""Text that is known: what its methods make of it, as where a setting names a class by its path."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    PRIMITIVES,
    SCALAR,
    Arguments,
    Handled,
    Items,
    Live,
    Value,
    constant,
)

Method: TypeAlias = Callable[[Machine, Value, Arguments, Site], Value]

#: Methods that are worked out where all that they are given is known: none of them can run long.
METHODS = frozenset(
    {"split", "rsplit", "partition", "rpartition", "lower", "upper", "capitalize", "title", "strip"}
    | {"lstrip", "rstrip", "removeprefix", "removesuffix", "replace", "startswith", "endswith"}
)
#: Longer ones name nothing.
LONGEST = 2_000


def attribute(text: str, name: str) -> Value:
    """An attribute of a text that is known."""
    # Nothing of the project's runs for this: a str of its own may have methods of its own.
    if name in METHODS and type(text) is str and len(text) <= LONGEST:
        return Handled(name, _method(name), Live(text))
    return SCALAR


@functools.cache
def _method(name: str) -> Method:
    def call(machine: Machine, target: Value, arguments: Arguments, site: Site) -> Value:
        given = [*arguments.positional, *arguments.named.values()]
        if arguments.rest is not None or not all(map(_is_short, given)):
            return SCALAR
        named = {each: constant(value) for each, value in arguments.named.items()}
        try:
            found = getattr(str, name)(constant(target), *map(constant, arguments.positional), **named)
        except (TypeError, ValueError):
            return SCALAR
        if isinstance(found, (list, tuple)):
            return Items(SCALAR, [Live(each) for each in found])
        # Which way a test goes may differ between environments.
        return Live(found) if isinstance(found, str) else SCALAR

    return call


def _is_short(value: Value) -> bool:
    thing: Any = value.thing if isinstance(value, Live) else object()
    return isinstance(thing, PRIMITIVES) and len(str(thing)) <= LONGEST
