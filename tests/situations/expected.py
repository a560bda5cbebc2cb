"""What must be found of a situation: read from the comments behind its own lines."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"
MARK = re.compile(r"(?:#|\{#) finds: ([\w -]+?)(?: @ (\S+))?(?: #\})?$")
NAMED = re.compile(r"situations/\w+\.html")

#: Name of the rule; and where it points: the file's name and line, or the function's name.
Expected = tuple[str, str]


def expected_of(view: Callable[..., Any]) -> set[Expected]:
    found: set[Expected] = set()
    for source in _objects(view):
        lines, first = inspect.getsourcelines(source)
        found.update(_marks(lines, first, Path(inspect.getfile(source)).name))
        for name in NAMED.findall("".join(lines)):
            found.update(_of_template(name))
    return found


def _objects(view: Callable[..., Any]) -> Iterator[Any]:
    cls = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if cls is None:
        yield inspect.unwrap(view)
        return
    yield cls
    if (
        hasattr(cls, "serializer_class")
        and "queryset" in vars(cls)
        and "select_related" not in inspect.getsource(cls)
    ):
        yield cls.serializer_class


def _of_template(name: str) -> set[Expected]:
    path = TEMPLATES / name
    lines = path.read_text().splitlines(keepends=True)
    found = set(_marks(lines, 1, path.name))
    for other in NAMED.findall("".join(lines)):
        found |= _of_template(other)
    return found


def _marks(lines: list[str], first: int, file: str) -> Iterator[Expected]:
    for number, line in enumerate(lines, first):
        match = MARK.search(line.rstrip())
        if match:
            where = match[2] or f"{file}:{number}"
            yield from ((rule, where) for rule in match[1].split())
