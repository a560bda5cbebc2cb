"""Which HTTP methods a callback really handles."""

from __future__ import annotations

import dis
import types
from collections.abc import Callable
from typing import Any

from django_dbaudit import callback as callbacks
from django_dbaudit.project import source_lines

#: In the order in which they are shown. HEAD runs what GET runs, and OPTIONS what Django has for it,
#: unless a view has code of its own for them.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
#: What a function that never asks for the method is called with.
PLAIN = ("GET", "POST")
#: How decorators that restrict the methods name them in their closure.
RESTRICTION = "request_method_list"


def of(callback: Callable[..., Any]) -> tuple[str, ...]:
    """Methods for which code of the view's own runs, in the order of `METHODS`."""
    view_class = callbacks.class_of(callback)
    handled = _of_function(callback) if view_class is None else _of_class(view_class, callback)
    allowed = _restriction(callback)
    found = [each for each in METHODS if each in handled and (allowed is None or each in allowed)]
    # HEAD is GET without a body; only a view that takes no GET has it for itself.
    if "GET" in found and "HEAD" in found and not _has_own_head(view_class):
        found.remove("HEAD")
    return tuple(found)


def api_view_function(view_class: type, method: str) -> Callable[..., Any] | None:
    """The function below ``@api_view``, which hides it in the closure of a made-up handler."""
    handler = vars(view_class).get(method.lower())
    if getattr(handler, "__qualname__", "") != "api_view.<locals>.decorator.<locals>.handler":
        return None
    return _closure(handler).get("func")


def _of_class(view_class: Any, callback: Callable[..., Any]) -> set[str]:
    actions = getattr(callback, "actions", None)
    names = {each.upper() for each in (getattr(view_class, "http_method_names", None) or METHODS)}
    if actions:
        return {each.upper() for each in actions} & names - {"HEAD", "OPTIONS"}
    if getattr(view_class, "dispatch", None) is None:
        return set(PLAIN)
    handled = {each for each in names if callable(getattr(view_class, each.lower(), None))}
    if not _has_own(view_class, "options"):
        handled.discard("OPTIONS")
    # A class whose methods all live in its own dispatch.
    return handled or ({*PLAIN} & names)


def _has_own_head(view_class: type | None) -> bool:
    return view_class is not None and hasattr(view_class, "head")


def _has_own(view_class: type, name: str) -> bool:
    function = getattr(view_class, name, None)
    module = getattr(function, "__module__", "") or ""
    return function is not None and not module.startswith(("django.", "rest_framework."))


def _restriction(callback: Callable[..., Any]) -> set[str] | None:
    """What ``@require_http_methods`` and its like leave over; None without any of them."""
    allowed: set[str] | None = None
    for layer in callbacks.layers(callback):
        if RESTRICTION in getattr(getattr(layer, "__code__", None), "co_freevars", ()):
            named = {str(each).upper() for each in _closure(layer).get(RESTRICTION) or ()}
            allowed = named if allowed is None else allowed & named
    return allowed


def _of_function(callback: Callable[..., Any]) -> set[str]:
    restriction = _restriction(callback)
    if restriction is not None:
        return restriction
    mentioned: set[str] = set()
    for layer in callbacks.layers(callback):
        code = source_lines.code_of(layer)
        if code is not None:
            mentioned |= _mentions(code)
    return {*PLAIN} | mentioned


def _mentions(code: types.CodeType) -> set[str]:
    """Names of HTTP methods among the constants of a function that asks for the request's method."""
    if not any(each.argval == "method" for each in dis.get_instructions(code) if each.argval):
        return set()
    words: set[str] = set()
    for constant in code.co_consts:
        words |= {constant} if isinstance(constant, str) else set()
        if isinstance(constant, (tuple, frozenset)):
            words |= {each for each in constant if isinstance(each, str)}
    return words & {*METHODS} - {"HEAD", "OPTIONS"}


def _closure(function: Any) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells if callbacks.is_bound(cell)}
