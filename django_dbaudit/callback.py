"""What stands behind a URL: the name of a view, and the functions beneath its decorators.

One naming for what is read from the URLconf and for what is seen in requests, so that both meet.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

#: No real view wears as many decorators; what goes deeper turns in a circle.
DEEPEST = 50


def name_of(callback: Callable[..., Any], method: str = "") -> str:
    """``module.qualname`` of the function or class that a project wrote, ``#action`` of a viewset.

    ``method`` is the request's, by which a viewset chooses its action.
    """
    view_class = class_of(callback)
    if view_class is not None:
        action = (getattr(callback, "actions", None) or {}).get(method.lower())
        return _dotted(view_class) + (f"#{action}" if action else "")
    innermost = list(layers(callback))[-1]
    owner = getattr(innermost, "__self__", None)
    if isinstance(innermost, types.MethodType):
        return f"{_dotted(owner if isinstance(owner, type) else type(owner))}.{innermost.__name__}"
    return _dotted(innermost if hasattr(innermost, "__qualname__") else type(innermost))


def class_of(callback: Callable[..., Any]) -> type | None:
    """The class of a class-based view: of Django's ``as_view``, or of Django REST framework's."""
    for name in ("cls", "view_class"):
        found = getattr(callback, name, None)
        if isinstance(found, type):
            return found
    return None


def layers(callback: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The callback and, one by one, what it wraps: decorators from the outside in, then the view.

    Decorators say what they wrap by ``__wrapped__``; one that does not still holds it in its closure.
    """
    seen: set[int] = set()
    layer: Callable[..., Any] | None = callback
    while layer is not None and id(layer) not in seen and len(seen) < DEEPEST:
        yield layer
        seen.add(id(layer))
        layer = _inside(layer)


def _inside(layer: Callable[..., Any]) -> Callable[..., Any] | None:
    if isinstance(layer, (functools.partial, functools.partialmethod)):
        return layer.func
    if isinstance(layer, types.MethodType):
        # A method is what one calls; the function in it has lost its object.
        wrapped = getattr(layer.__func__, "__wrapped__", None)
        return None if wrapped is None else types.MethodType(wrapped, layer.__self__)
    wrapped = getattr(layer, "__wrapped__", None)
    if callable(wrapped) and not isinstance(layer, type):
        found: Callable[..., Any] = wrapped
        return found
    return _hidden(layer)


def _hidden(layer: Callable[..., Any]) -> Callable[..., Any] | None:
    """The one function in the closure of a decorator's inner function that is named after neither."""
    if not isinstance(layer, types.FunctionType) or "<locals>" not in layer.__qualname__:
        return None
    # Read as they are: an empty cell is a name that was never bound.
    held = [cell.cell_contents for cell in layer.__closure__ or () if is_bound(cell)]
    functions = [each for each in held if isinstance(each, types.FunctionType)]
    # What a decorator wraps is a view, whose first parameter is the request.
    views = [each for each in functions if each.__code__.co_varnames[:1] in (("request",), ("self",))]
    return views[0] if len(views) == 1 else None


def is_bound(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # looking is the only way to know
    except ValueError:
        return False
    return True


def _dotted(thing: Any) -> str:
    # Django REST framework gives the class behind @api_view the function's name, and no new qualname.
    name = thing.__qualname__
    if isinstance(thing, type) and "<locals>" not in name and name.rpartition(".")[2] != thing.__name__:
        name = thing.__name__
    return f"{thing.__module__}.{name}"
