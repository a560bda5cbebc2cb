"""Django's caches: beside the database, or a table in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import BaseDatabaseCache
from django.utils.connection import ConnectionProxy

from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import SCALAR, Arguments, Live, Unknown, Value

WRITES = frozenset(
    {"set", "set_many", "add", "delete", "delete_many", "clear", "incr", "decr", "touch", "get_or_set"}
)


def is_cache(thing: Any) -> bool:
    """Whether it is a cache, or the name of one."""
    if isinstance(thing, ConnectionProxy):
        return vars(thing).get("_connections") is caches
    return isinstance(thing, BaseCache)


def method(name: str) -> Callable[[Machine, Value, Arguments, Site], Value]:
    """What the method of a cache does."""

    def run(machine: Machine, target: Value, arguments: Arguments, site: Site) -> Value:
        plain = name.removeprefix("a") if name.removeprefix("a") in WRITES and name not in WRITES else name
        if plain == "get_or_set":
            default = arguments.get(1, "default")
            if default is not None:
                machine.branch(site, lambda: machine.call(default, Arguments(), site), lambda: SCALAR)
        if plain in WRITES:
            _write(machine, target, plain, site)
            return SCALAR
        return Unknown("a value out of a cache")

    return run


def _write(machine: Machine, target: Value, name: str, site: Site) -> None:
    table = _table(target.thing) if isinstance(target, Live) else None
    if table is None:
        machine.emit(tree.SideEffect("cache", f"cache.{name}", site.location))
    else:
        statement = "delete" if name in ("delete", "delete_many", "clear") else "save"
        machine.emit(tree.Write("", table, None, statement, f"cache.{name}", site.location))


def _table(cache: Any) -> str | None:
    """The table of a database cache; None for any other."""
    alias = vars(cache).get("_alias") if isinstance(cache, ConnectionProxy) else None
    if alias is None:
        return str(vars(cache)["_table"]) if isinstance(cache, BaseDatabaseCache) else None
    options = caches.settings.get(alias, {})
    return (
        str(options.get("LOCATION", "")) if options.get("BACKEND", "").endswith("DatabaseCache") else None
    )
