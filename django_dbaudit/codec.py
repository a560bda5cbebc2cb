"""Frozen dataclasses to JSON values and back: how facts are saved, and how rows become facts.

Both ways go by the type hints alone. What does not fit is a `ValueError` that names the place, so
that a damaged file is told from a good one. What no field asks for is passed over: a newer version of
ours may have known more.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from django.utils.dateparse import parse_datetime

T = TypeVar("T")
Decoder = Callable[[object], Any]


def encode(value: object) -> Any:
    """Turn a fact, or anything that a fact may hold, into what ``json`` can write."""
    if dataclasses.is_dataclass(value):
        return {each.name: encode(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [encode(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def decode(hint: type[T], value: object) -> T:
    """Make a value of type ``hint`` from what ``json`` has read."""
    return cast("T", _decoder(cast("Hashable", hint))(value))


@functools.cache
def _decoder(hint: Any) -> Decoder:
    if _is_union(hint):
        return _optional(hint)
    if typing.get_origin(hint) is tuple:
        return _tuple(_decoder(typing.get_args(hint)[0]))
    if hint is datetime:
        return _datetime
    if dataclasses.is_dataclass(hint):
        return _Record(hint)
    return _float if hint is float else _exactly(hint)


def _optional(hint: Any) -> Decoder:
    several = [each for each in typing.get_args(hint) if each is not types.NoneType]
    if len(several) > 1:
        return _one_of(several)
    inside = _decoder(several[0])
    return lambda value: None if value is None else inside(value)


def _one_of(classes: list[Any]) -> Decoder:
    """Dataclasses that are told apart by a field ``kind``, which each has a constant of its own for."""
    by_kind = {
        each.default: cls for cls in classes for each in dataclasses.fields(cls) if each.name == "kind"
    }

    def decode_one_of(value: object) -> Any:
        kind = value.get("kind") if isinstance(value, Mapping) else None
        if kind not in by_kind:
            raise ValueError(f"expected one of {', '.join(map(str, by_kind))}, found {value!r:.60}")
        return _decoder(by_kind[kind])(value)

    return decode_one_of


def _tuple(item: Decoder) -> Decoder:
    def decode_tuple(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"expected a list, found {value!r:.60}")
        return tuple([item(each) for each in value])

    return decode_tuple


def _datetime(value: object) -> datetime:
    # Not datetime.fromisoformat: Python 3.10's refuses the fractions of a second that PostgreSQL writes.
    parsed = parse_datetime(value) if isinstance(value, str) else None
    if parsed is None or parsed.tzinfo is None:
        raise ValueError(f"expected a time with its zone, found {value!r:.60}")
    return parsed


def _exactly(hint: type) -> Decoder:
    def decode_exactly(value: object) -> object:
        # Not isinstance: true is no number here.
        if type(value) is not hint:
            raise ValueError(f"expected {hint.__name__}, found {value!r:.60}")
        return value

    return decode_exactly


def _right_already(hint: Any) -> frozenset[type]:
    """The types whose values need not be decoded, because they are in JSON what they are here."""
    if _is_union(hint):
        return frozenset(each for choice in typing.get_args(hint) for each in _right_already(choice))
    if typing.get_origin(hint) is tuple:
        # JSON has none: it was decoded before, for several records to share.
        return frozenset({tuple})
    return frozenset({hint} & {bool, int, float, str, types.NoneType})


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (types.UnionType, typing.Union)


def _float(value: object) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"expected a number, found {value!r:.60}")
    return float(cast("float", value))


class _Record:
    """Makes one kind of dataclass.

    Tens of thousands of rows look alike: which of their values are right as they are is found out
    once for each shape, that is, for each sequence of keys and types.
    """

    def __init__(self, cls: Any) -> None:
        self.cls = cls
        #: What the class sets itself, and takes from nobody.
        self.constants = tuple(each.name for each in dataclasses.fields(cls) if not each.init)
        self.required = {
            each.name
            for each in dataclasses.fields(cls)
            if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        }
        self._shapes: dict[Hashable, _Shape] = {}

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        # Looked up when the first one is made, because a class may name one that comes after it.
        hints = typing.get_type_hints(self.cls)
        return {each.name: hints[each.name] for each in dataclasses.fields(self.cls)}

    def __call__(self, value: object) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"expected a {self.cls.__name__}, found {value!r:.60}")
        looks = tuple(value), tuple(map(type, value.values()))
        shape = self._shapes.get(looks)
        if shape is None:
            shape = self._shapes[looks] = self._shape(value)
        values, key = dict(zip(shape.names, value.values(), strict=True)), ""
        for key in shape.unknown:
            del values[key]
        try:
            for key, decoder in shape.to_decode:
                values[key] = decoder(values[key])
        except ValueError as error:
            raise ValueError(f"{self.cls.__name__}.{key}: {error}") from None
        for key in self.constants:
            values.pop(key, None)
        return self.cls(**values)

    def _shape(self, value: Mapping[str, object]) -> _Shape:
        if not self.required <= value.keys():
            missing = ", ".join(sorted(self.required - value.keys()))
            raise ValueError(f"{self.cls.__name__}: missing: {missing}")
        return _Shape(
            names=tuple(map(sys.intern, value)),
            to_decode=tuple(
                (key, _decoder(self.hints[key]))
                for key, each in value.items()
                if key in self.hints and type(each) not in _right_already(self.hints[key])
            ),
            unknown=tuple(key for key in value if key not in self.hints),
        )


@dataclass(frozen=True, slots=True)
class _Shape:
    """What records of the same keys and types have in common."""

    #: Interned: a call takes arguments by name quickly only if the names are the very same objects.
    names: tuple[str, ...]
    to_decode: tuple[tuple[str, Decoder], ...]
    #: What no field asks for.
    unknown: tuple[str, ...]
