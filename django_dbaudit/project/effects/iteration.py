"""What comes out of a value when somebody iterates over it, and what that does."""

from __future__ import annotations

from typing import Any

from django_dbaudit.project.effects import models, queries
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    PRIMITIVES,
    SCALAR,
    UNKNOWN,
    Arguments,
    Dictionary,
    Either,
    Generator,
    Instance,
    Items,
    Live,
    Query,
    Scalar,
    Value,
    is_none,
    join,
)

#: A live list longer than this is taken for data.
LONGEST = 8


def items(machine: Machine, value: Value, site: Site, how: str = "iterate") -> Value:
    """One of the items; a queryset runs, a generator does what it does."""
    if isinstance(value, Live):
        value = models.of_live(value.thing) or value
    if isinstance(value, Either):
        found = [each for each in value.options if not is_none(each)]
        if not found:
            return UNKNOWN
        return join(*machine.branch(site, *(_iterating(machine, each, site, how) for each in found)))
    if isinstance(value, Query):
        return queries.items(machine, value, site, how)
    if isinstance(value, Generator):
        machine.emit(value.steps)
        return value.item
    if isinstance(value, Items):
        return value.item
    if isinstance(value, (Dictionary, Scalar)):
        return SCALAR
    if isinstance(value, Instance):
        return _of_instance(machine, value, site)
    return _of_live(value.thing) if isinstance(value, Live) else UNKNOWN


def _iterating(machine: Machine, value: Value, site: Site, how: str) -> Any:
    return lambda: items(machine, value, site, how)


def _of_instance(machine: Machine, value: Instance, site: Site) -> Value:
    if "forms" in value.attributes:
        return items(machine, value.attributes["forms"], site)
    made = machine.call_method(value, "__iter__", Arguments(), site)
    return items(machine, made, site) if isinstance(made, (Query, Generator, Items)) else UNKNOWN


def _of_live(thing: Any) -> Value:
    if isinstance(thing, PRIMITIVES):
        return SCALAR
    if type(thing) is dict:
        return SCALAR
    if type(thing) in (list, tuple, set, frozenset):
        several = list(thing)
        if all(isinstance(each, PRIMITIVES) for each in several):
            return SCALAR
        return join(*map(Live, several)) if len(several) <= LONGEST else UNKNOWN
    return UNKNOWN
