"""Facts that follow from other facts: worked out once for an alias, whoever asks for them."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any


class DerivedFact:
    """A fact that is made from others: what its constructor takes, found by type as a rule's are.

    A rule asks for it as for any fact, and so may another derived fact. It is made when it is first
    asked for; where a fact that it is made from cannot be had, it cannot be had either. It is never
    saved, because what it is made from is.
    """

    __slots__ = ()


@functools.cache
def parameters(function: Callable[..., Any]) -> Mapping[str, type[Any]]:
    """What a function takes, by name: the types that its annotations mean."""
    hints = typing.get_type_hints(function)
    return {name: hints[name] for name in inspect.signature(function).parameters if name in hints}


def needs(kind: type[DerivedFact]) -> Mapping[str, type[Any]]:
    """The facts that a derived one is made from, by the name of the parameter."""
    return parameters(kind.__init__)


def sources(kind: type[Any]) -> frozenset[type[Any]]:
    """The facts, themselves not derived, that this one comes from; of another kind, just that."""
    if not issubclass(kind, DerivedFact):
        return frozenset({kind})
    return frozenset(source for each in needs(kind).values() for source in sources(each))
