"""Frozen dataclasses to JSON values and back: how facts are saved, and how rows become facts.

Both ways go by the type hints alone. What does not fit is a `ValueError` that names the place, so
that a damaged file is told from a good one. What no field asks for is passed over: a newer version of
ours may have known more.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Hashable, Mapping
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
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _optional(hint)
    if origin is tuple:
        return _tuple(_decoder(typing.get_args(hint)[0]))
    if hint is datetime:
        return _datetime
    if dataclasses.is_dataclass(hint):
        return _Record(hint)
    return _float if hint is float else _exactly(hint)


def _optional(hint: Any) -> Decoder:
    (inner,) = (each for each in typing.get_args(hint) if each is not types.NoneType)
    inside = _decoder(inner)
    return lambda value: None if value is None else inside(value)


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


def _float(value: object) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"expected a number, found {value!r:.60}")
    return float(cast("float", value))


class _Record:
    """Makes one kind of dataclass; its fields are looked up once, when the first one is built."""

    def __init__(self, cls: Any) -> None:
        self.cls = cls
        self.required = {
            each.name
            for each in dataclasses.fields(cls)
            if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        }

    @functools.cached_property
    def fields(self) -> dict[str, Decoder]:
        hints = typing.get_type_hints(self.cls)
        return {each.name: _decoder(hints[each.name]) for each in dataclasses.fields(self.cls)}

    def __call__(self, value: object) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a {self.cls.__name__}, found {value!r:.60}")
        fields = self.fields
        key = ""
        try:
            # One try for all and not one a field: tens of thousands of indexes come through here.
            values = {}
            for key, each in value.items():
                if key in fields:
                    values[key] = fields[key](each)
        except ValueError as error:
            raise ValueError(f"{self.cls.__name__}.{key}: {error}") from None
        if len(values) < len(fields) and not self.required <= values.keys():
            missing = ", ".join(sorted(self.required - values.keys()))
            raise ValueError(f"{self.cls.__name__}: missing: {missing}")
        return self.cls(**values)
