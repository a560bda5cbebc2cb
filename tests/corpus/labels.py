"""What must be made of the corpus: read from the comments above its views and behind its lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
VERDICT = re.compile(r"# (?P<method>[A-Z]+): (?P<word>[a-z-]+) (?P<units>\d+|loop)(?P<tables>( \w+)*)$")
MARK = re.compile(r"# finds: (?P<rules>[\w@+ -]+)$")


@dataclass(frozen=True, slots=True)
class Label:
    """What one view commits when it is asked with one method."""

    #: As the audit names it: ``corpus.views.pieces.rents``.
    view: str
    method: str
    verdict: str
    #: None where a loop makes them.
    units: int | None
    tables: frozenset[str]


def modules() -> list[str]:
    """The modules with views."""
    return sorted(path.stem for path in (HERE / "views").glob("[a-z]*.py"))


def views(module: str) -> list[str]:
    """The names of the views of a module: what has a label."""
    return [name for name, _ in _labelled(module)]


def labels() -> Iterator[Label]:
    for module in modules():
        for name, found in _labelled(module):
            for match in found:
                units = None if match["units"] == "loop" else int(match["units"])
                tables = frozenset(f"corpus_{each}" for each in match["tables"].split())
                yield Label(f"corpus.views.{module}.{name}", match["method"], match["word"], units, tables)


def _labelled(module: str) -> Iterator[tuple[str, list[re.Match[str]]]]:
    text = (HERE / "views" / f"{module}.py").read_text()
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            # Above the first decorator, or right above a class.
            firsts = {node.lineno, *(each.lineno for each in node.decorator_list)}
            found = [match for first in sorted(firsts) for match in _above(lines, first)]
            if found:
                yield node.name, found


def _above(lines: list[str], line: int) -> Iterator[re.Match[str]]:
    for text in reversed(lines[: line - 1]):
        match = VERDICT.match(text)
        if match is None:
            return
        yield match


def marks() -> set[tuple[str, str]]:
    """Rule, and ``path:line`` below the corpus, of all that must be found."""
    return {mark for path in HERE.rglob("*.py") for mark in _marks(path)}


def _marks(path: Path) -> Iterator[tuple[str, str]]:
    if path.name == "labels.py":
        return
    for number, text in enumerate(path.read_text().splitlines(), 1):
        match = MARK.search(text)
        for word in match["rules"].split() if match else ():
            # ``rule@+2``: two lines below.
            rule, _, more = word.partition("@")
            yield rule, f"{path.relative_to(HERE.parent).as_posix()}:{number + int(more or 0)}"
