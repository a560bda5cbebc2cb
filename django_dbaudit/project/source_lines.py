"""Where in its source a class declares something: the line of a field, of an entry of ``Meta``."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import os
import sys
import sysconfig
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django

from django_dbaudit.finding import Location

#: Where installed code is: this interpreter's own place, and wherever Django itself was put.
INSTALLED = tuple(
    {
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
        os.path.dirname(os.path.dirname(django.__file__)),
    }
)
#: Where Python's own modules are.
STDLIB = sysconfig.get_path("stdlib")
PACKAGES = frozenset({"site-packages", "dist-packages"})


@dataclass(slots=True)
class ClassLines:
    """Lines of one class statement, and of its ``Meta``."""

    path: str
    #: The path as the system knows it.
    file: str
    line: int
    attributes: dict[str, int] = field(default_factory=dict)
    #: For each attribute of Meta that is a list or a tuple: (name= of the entry or None, line).
    entries: dict[str, list[tuple[str | None, int]]] = field(default_factory=dict)
    meta: dict[str, int] = field(default_factory=dict)
    #: Line of ``class Meta``; None where the class has none of its own.
    meta_line: int | None = None


@functools.cache
def class_lines(cls: type) -> ClassLines | None:
    """None where there is no source, or no class of that name in it: made at run time."""
    for path in _source_files(cls):
        try:
            node = _find(_parse(path), cls.__qualname__.split("."))
        except (OSError, SyntaxError, ValueError):
            continue
        if node is not None:
            return _read(node, path)
    return None


def _source_files(cls: type) -> Iterator[str]:
    """Where the class may be written: in its module or, if it claims another, where its methods are."""
    with contextlib.suppress(OSError, TypeError):
        path = inspect.getsourcefile(cls)
        if path:
            yield path
    for value in vars(cls).values():
        code = getattr(value, "__code__", None)
        if code is not None:
            yield code.co_filename


@functools.lru_cache(maxsize=64)
def _parse(path: str) -> ast.Module:
    return ast.parse(Path(path).read_bytes())


def _find(tree: ast.AST, qualname: Sequence[str]) -> ast.ClassDef | None:
    node: ast.AST = tree
    for part in (each for each in qualname if each != "<locals>"):
        found = [each for each in _definitions(node) if each.name == part]
        if not found:
            return None
        # The last one of a name is the one that stayed.
        node = found[-1]
    return node if isinstance(node, ast.ClassDef) else None


def _definitions(node: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Classes and functions of a block, those below ``if`` and ``try`` too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, ast.FunctionDef)):
            yield child
        elif isinstance(child, (ast.stmt, ast.ExceptHandler)):
            yield from _definitions(child)


def _read(node: ast.ClassDef, path: str) -> ClassLines:
    lines = ClassLines(relative(path), path, node.lineno)
    for name, _, line in _assignments(node):
        lines.attributes[name] = line
    for child in node.body:
        if isinstance(child, ast.ClassDef) and child.name == "Meta":
            lines.meta_line = child.lineno
            for name, value, line in _assignments(child):
                lines.meta[name] = line
                if isinstance(value, (ast.List, ast.Tuple)):
                    lines.entries[name] = [(_name_of(each), each.lineno) for each in value.elts]
    return lines


def _assignments(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None, int]]:
    for child in node.body:
        if isinstance(child, ast.Assign):
            for target in child.targets:
                if isinstance(target, ast.Name):
                    yield target.id, child.value, child.lineno
        elif isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            yield child.target.id, child.value, child.lineno


def _name_of(entry: ast.expr) -> str | None:
    if isinstance(entry, ast.Call):
        for keyword in entry.keywords:
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return None


def relative(path: str) -> str:
    """The path from the working directory or, of an installed package, from where pip put it."""
    for root in (*INSTALLED, os.getcwd()):
        inside = os.path.relpath(path, root)
        if not inside.startswith(".."):
            return Path(inside).as_posix()
    return Path(path).as_posix()


def is_installed(cls: type) -> bool:
    """Whether the class comes out of a package that was installed: not the project's to change."""
    lines = class_lines(cls)
    return is_installed_path(
        lines.file if lines else getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
    )


@functools.cache
def is_installed_path(path: str) -> bool:
    """Whether the file or directory is a part of an installed package, or of Python itself."""
    return path.startswith((*INSTALLED, STDLIB)) or not PACKAGES.isdisjoint(Path(path).parts)


def file_of(thing: Any) -> str:
    """The file in which a class or a function is written; empty where there is none to be found."""
    if isinstance(thing, type):
        lines = class_lines(thing)
        return lines.file if lines else getattr(sys.modules.get(thing.__module__), "__file__", None) or ""
    code = code_of(thing)
    return code.co_filename if code else ""


def location_of(thing: Any) -> Location | None:
    """Where a class or a function is written: the line of its ``class`` or of its first decorator."""
    if isinstance(thing, type):
        lines = class_lines(thing)
        return Location(lines.path, lines.line) if lines else None
    code = code_of(thing)
    return Location(relative(code.co_filename), code.co_firstlineno) if code else None


def code_of(thing: Any) -> types.CodeType | None:
    """What runs when a function, a method or another callable is called."""
    function = getattr(thing, "__func__", thing)
    found = getattr(function, "__code__", None)
    if found is None and not isinstance(thing, type):
        held = (vars(base).get("__call__") for base in type(thing).__mro__)
        found = getattr(next(filter(None, held), None), "__code__", None)
    return found if isinstance(found, types.CodeType) else None


def declaring_class(model: type, name: str) -> type:
    """The class, among a model's bases, whose body assigns ``name``; else the model itself."""
    for cls in model.__mro__:
        lines = class_lines(cls)
        if lines and name in lines.attributes:
            return cls
    return model


def field_location(model: type, name: str) -> Location | None:
    """Where a class or one of its bases assigns ``name``; the class itself as a last resort."""
    cls = declaring_class(model, name)
    lines = class_lines(cls)
    return Location(lines.path, lines.attributes.get(name, lines.line)) if lines else None


def meta_class(model: type, option: str) -> type:
    """The class, among a model's bases, whose ``Meta`` has this option; else the model itself."""
    for cls in model.__mro__:
        lines = class_lines(cls)
        if lines is not None and option in lines.meta:
            return cls
    return model


def resolved(name: str, model: type) -> str:
    """The name of an entry of an abstract ``Meta`` as it is for one model."""
    label = getattr(getattr(model, "_meta", None), "app_label", "")
    return name.replace("%(app_label)s", label.lower()).replace("%(class)s", model.__name__.lower())


def meta_location(model: type, option: str, name: str | None, position: int) -> Location | None:
    """Where ``Meta`` lists the entry of this name, else the entry at this position."""
    lines = class_lines(meta_class(model, option))
    if lines is None:
        return None
    entries = lines.entries.get(option, [])
    for entry, line in entries:
        if name is not None and entry is not None and resolved(entry, model) == name:
            return Location(lines.path, line)
    if position < len(entries) and entries[position][0] is None:
        return Location(lines.path, entries[position][1])
    return Location(lines.path, lines.meta.get(option, lines.line))
