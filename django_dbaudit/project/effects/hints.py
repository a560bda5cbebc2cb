"""What annotations promise, where nothing better is known."""

from __future__ import annotations

import ast
import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from django.db.models import Manager, Model, QuerySet

from django_dbaudit.project.effects import models
from django_dbaudit.project.effects.values import NONE, SCALAR, Instance, Items, Live, Value, join

Resolve = Callable[[str], Any]
SEVERAL = frozenset(
    {"list", "List", "tuple", "Tuple", "set", "Set", "frozenset", "Iterable", "Iterator", "Sequence"}
    | {"Collection", "Generator", "AsyncIterator", "AsyncIterable", "deque"}
)
WRAPPERS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "Awaitable"})


def of_expression(node: ast.expr | None, resolve: Resolve) -> Value | None:
    """The value that an annotation stands for; None where it says nothing we can use."""
    if isinstance(node, ast.Constant):
        if node.value is None:
            return NONE
        return _of_text(node.value, resolve) if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _either(of_expression(node.left, resolve), of_expression(node.right, resolve))
    if isinstance(node, ast.Subscript):
        return _of_subscript(node, resolve)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _of_class(_resolved(node, resolve))
    return None


def _of_text(text: str, resolve: Resolve) -> Value | None:
    try:
        return of_expression(ast.parse(text, mode="eval").body, resolve)
    except (SyntaxError, ValueError):
        return None


def _of_subscript(node: ast.Subscript, resolve: Resolve) -> Value | None:
    name = _last_name(node.value)
    inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if not inside:
        return None
    if name in WRAPPERS:
        found = of_expression(inside[0], resolve)
        return _either(found, NONE) if name == "Optional" else found
    if name == "Union":
        return _either(*(of_expression(each, resolve) for each in inside))
    if name in SEVERAL:
        item = of_expression(inside[0], resolve)
        return Items(item) if item is not None else None
    outer = _resolved(node.value, resolve)
    if isinstance(outer, type) and issubclass(outer, (QuerySet, Manager)):
        model = _resolved(inside[0], resolve)
        if isinstance(model, type) and issubclass(model, Model):
            return models.queryset(model)
        return None
    if name in ("type", "Type"):
        found = _resolved(inside[0], resolve)
        return Live(found) if isinstance(found, type) else None
    return _of_class(outer)


def _of_class(cls: Any) -> Value | None:
    if not isinstance(cls, type) or cls is object:
        return None
    if issubclass(cls, (QuerySet, Manager)):
        return None
    if cls.__module__ in ("builtins", "datetime", "decimal", "uuid", "pathlib"):
        # What a list or a dict holds is not said; of a number there is nothing to say.
        return SCALAR if cls not in (list, dict, tuple, set, frozenset, type) else None
    return Instance(cls)


def _either(*values: Value | None) -> Value | None:
    known = [each for each in values if each is not None]
    return join(*known) if known and len(known) == len(values) else None


def _resolved(node: ast.expr, resolve: Resolve) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return resolve(node.value)
    if isinstance(node, ast.Name):
        return resolve(node.id)
    if isinstance(node, ast.Attribute):
        outer = _resolved(node.value, resolve)
        return vars(outer).get(node.attr) if isinstance(outer, (types.ModuleType, type)) else None
    return None


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@functools.cache
def _declared(cls: type) -> dict[str, Any]:
    declared = vars(cls).get("__annotations__")
    # From Python 3.14 on they are worked out when asked for; that would run code of the project's.
    return dict(declared) if isinstance(declared, dict) else {}


def of_attribute(cls: type, name: str) -> Value | None:
    """What the class body, or a base's, declares about an attribute of its instances."""
    for base in cls.__mro__:
        declared = _declared(base).get(name)
        if declared is not None:
            module = sys.modules.get(base.__module__)
            names = vars(module) if module else {}
            if isinstance(declared, str):
                return _of_text(declared, names.get)
            return _of_class(declared)
    return None
