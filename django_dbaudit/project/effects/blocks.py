"""``with`` blocks: transactions, cursors, context managers of the project's; and late imports."""

from __future__ import annotations

import ast
import contextlib
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.machine import Machine, Site, sequence
from django_dbaudit.project.effects.values import (
    UNKNOWN,
    Arguments,
    AtomicBlock,
    ContextManager,
    Either,
    Instance,
    Live,
    Unknown,
    Value,
    is_none,
)

#: Runs what stands below the ``with``, given what was entered; False if what follows is not reached.
Body = Callable[[Value], bool]


def enter(machine: Machine, manager: Value, body: Body, site: Site, origin: str) -> bool:
    """``with manager as entered: body``."""
    if isinstance(manager, Either):
        known = [each for each in manager.options if not is_none(each)]
        manager = next(
            (each for each in known if isinstance(each, AtomicBlock)), known[0] if known else UNKNOWN
        )
    block = atomic_block(manager)
    if block is not None:
        return within(machine, block, lambda: body(UNKNOWN), site, origin)
    if isinstance(manager, ContextManager):
        return _served(machine, manager, body, site)
    if isinstance(manager, Instance) and not manager.cls.__module__.startswith("django."):
        entered = _entered(machine, manager, site)
        goes_on = body(entered)
        machine.call_method(manager, "__exit__", Arguments((UNKNOWN, UNKNOWN, UNKNOWN)), site)
        return goes_on
    return body(manager)


def _entered(machine: Machine, manager: Instance, site: Site) -> Value:
    found = machine.call_method(manager, "__enter__", Arguments(), site)
    return manager if isinstance(found, Unknown) else found


def atomic_block(value: Value) -> AtomicBlock | None:
    """The block that a value stands for, be it made here or when the module was loaded."""
    if isinstance(value, AtomicBlock):
        return value
    thing: Any = value.thing if isinstance(value, Live) else None
    if isinstance(thing, transaction.Atomic):
        # The stubs do not know all that an Atomic holds.
        atomic: Any = thing
        return AtomicBlock(atomic.using or "default", atomic.durable, atomic.savepoint)
    return None


def within(
    machine: Machine, block: AtomicBlock, body: Callable[[], bool], site: Site, origin: str, wraps: str = ""
) -> bool:
    """Everything that the body emits stands in one atomic block."""
    with machine.collected() as steps:
        goes_on = body()
    machine.emit(
        tree.Atomic(
            sequence(steps),
            block.alias,
            origin,
            site.location,
            block.durable,
            block.savepoint,
            wraps=wraps,
        )
    )
    return goes_on


def _served(machine: Machine, manager: ContextManager, body: Body, site: Site) -> bool:
    """A function below ``@contextmanager``: its ``yield`` is where the body runs."""
    went_on: list[bool] = []

    def at_yield(value: Value) -> Value:
        went_on.append(body(value))
        return UNKNOWN

    machine.at_yield = at_yield
    machine.call(manager.function, manager.arguments, site)
    machine.at_yield = None
    # Not served at all: it could not be followed.
    return went_on[0] if went_on else body(UNKNOWN)


def imported(names: Mapping[str, Any], node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Value:
    """What an ``import`` in a function binds, of modules that are loaded already."""
    if isinstance(node, ast.Import):
        name = alias.name if alias.asname else alias.name.split(".")[0]
        return _module(name)
    base = node.module or ""
    if node.level:
        package = str(names.get("__package__") or "").split(".")
        package = package[: len(package) - node.level + 1]
        base = ".".join([*package, *([node.module] if node.module else [])])
    outer = _module(base)
    module = outer.thing if isinstance(outer, Live) else None
    if module is not None and alias.name in vars(module):
        return Live(vars(module)[alias.name])
    return _module(f"{base}.{alias.name}")


def loaded(name: str) -> Any:
    """The module of this name if it is loaded; nothing is imported."""
    return sys.modules.get(name)


def _module(name: str) -> Value:
    module = sys.modules.get(name)
    if module is None and name.startswith("django."):
        # Of Django itself a view is no project's, and importing it does nothing else.
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
    return Live(module) if module is not None else Unknown(f"{name}, which is not loaded")
