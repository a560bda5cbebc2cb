"""Functions that Django and Python make around others, known by the code they share."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, TypeAlias

from django_dbaudit.callback import is_bound
from django_dbaudit.project.effects import blocks, known_views
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    UNKNOWN,
    Arguments,
    AtomicFunction,
    Bound,
    Closure,
    ContextManager,
    Live,
    Partial,
    Value,
)

Wrapper: TypeAlias = Callable[[Machine, Any, Arguments, Site], Value]


def of(thing: Any) -> Wrapper | None:
    """What a function does that is known by its code; its name is that of what it wraps."""
    return _of_code(thing.__code__) if isinstance(thing, types.FunctionType) else None


@functools.cache
def _of_code(code: types.CodeType) -> Wrapper | None:
    path = code.co_filename.replace("\\", "/")
    for (end, name), wrapper in WRAPPERS.items():
        if code.co_name == name and path.endswith(end):
            return wrapper
    return None


def _cells(function: types.FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells if is_bound(cell)}


def _context_decorator(machine: Machine, function: Any, arguments: Arguments, site: Site) -> Value:
    """``@transaction.atomic``, and any other context manager used as a decorator."""
    cells = _cells(function)
    inside = Live(cells.get("func"))
    block = blocks.atomic_block(Live(cells.get("self")))
    if block is None:
        return machine.call(inside, arguments, site)
    return machine.call(AtomicFunction(block, inside), arguments, site)


def _context_manager(machine: Machine, function: Any, arguments: Arguments, site: Site) -> Value:
    return ContextManager(Live(_cells(function).get("func")), arguments)


def _class_view(machine: Machine, function: Any, arguments: Arguments, site: Site) -> Value:
    cells = _cells(function)
    return known_views.run_class(
        machine,
        cells["cls"],
        cells.get("initkwargs") or {},
        cells.get("actions") or {},
        arguments,
        site,
    )


def _method_decorator(machine: Machine, function: Any, arguments: Arguments, site: Site) -> Value:
    """``@method_decorator(...)``: each decorator around the method, the first one innermost."""
    cells = _cells(function)
    if not arguments.positional:
        return UNKNOWN
    target, *rest = arguments.positional
    method: Value = Bound(Live(cells.get("method")), target)
    decorators = cells.get("decorators") or ()
    for decorator in decorators if isinstance(decorators, (list, tuple)) else (decorators,):
        decorated = machine.call(Live(decorator), Arguments((method,)), site)
        # What it makes of a method, if we can tell; else the method as it was.
        method = decorated if isinstance(decorated, DECORATED) else method
    return machine.call(method, Arguments(tuple(rest), arguments.named, arguments.rest), site)


def _view_in_cell(machine: Machine, function: Any, arguments: Arguments, site: Site) -> Value:
    """The admin's wrapper around each of its pages."""
    return machine.call(Live(_cells(function).get("view")), arguments, site)


def _api_view(machine: Machine, function: Any, arguments: Arguments, site: Site) -> Value:
    """The method that ``@api_view`` makes of a function."""
    given = Arguments(arguments.positional[1:], arguments.named, arguments.rest)
    return machine.call(Live(_cells(function).get("func")), given, site)


DECORATED = (AtomicFunction, Closure, Partial, Bound)

WRAPPERS: dict[tuple[str, str], Wrapper] = {
    ("/contextlib.py", "inner"): _context_decorator,
    ("/contextlib.py", "helper"): _context_manager,
    ("/django/views/generic/base.py", "view"): _class_view,
    ("/rest_framework/viewsets.py", "view"): _class_view,
    ("/django/utils/decorators.py", "_wrapper"): _method_decorator,
    ("/django/contrib/admin/options.py", "wrapper"): _view_in_cell,
    ("/django/contrib/admin/sites.py", "wrapper"): _view_in_cell,
    ("/django/contrib/admin/sites.py", "inner"): _view_in_cell,
    ("/rest_framework/decorators.py", "handler"): _api_view,
}
