"""``# dbaudit: ok TXN001 because …``: what the authors say of a line, read from the comments."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django_dbaudit.finding import Location
from django_dbaudit.project import source_lines

MARK = re.compile(r"#\s*dbaudit:\s*(?P<text>.*)$")
SAID = re.compile(
    r"ok\s+(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)(?:\s+because\b\s*(?P<reason>.*))?$", re.IGNORECASE
)
#: What a file must hold to be looked at twice.
TRACE = b"dbaudit:"


@dataclass(frozen=True, slots=True)
class Remark:
    """One such comment."""

    location: Location
    #: Lines that it speaks of: of its statement or, at a ``def`` or a ``with``, of the whole block.
    first: int
    last: int
    #: Codes and names, as they are written; empty where the comment cannot be understood.
    rules: tuple[str, ...]
    reason: str

    def covers(self, place: Location) -> bool:
        return place.path == self.location.path and self.first <= place.line <= self.last


def read() -> tuple[Remark, ...]:
    """The remarks in every module of the project that is loaded."""
    files = {str(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}
    own = (
        file for file in sorted(files) if file.endswith(".py") and not source_lines.is_installed_path(file)
    )
    return tuple(remark for file in own for remark in _of_file(file))


def _of_file(file: str) -> Iterator[Remark]:
    try:
        source = Path(file).read_bytes()
    except OSError:
        return
    if TRACE in source:
        yield from of_source(source, source_lines.relative(file))


def of_source(source: bytes, path: str) -> Iterator[Remark]:
    """The remarks in one file; none in one that Python cannot read."""
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
        spans = list(_spans(ast.parse(source)))
    # RecursionError, MemoryError: an expression nested deeper than the parser can hold.
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError):
        return
    for token in tokens:
        found = MARK.match(token.string) if token.type == tokenize.COMMENT else None
        if found is not None:
            line = token.start[0]
            # A comment on a line of its own speaks of the line below.
            stands_alone = not token.line[: token.start[1]].strip()
            first, last = _span(spans, line + 1 if stands_alone else line)
            said = SAID.match(found["text"].strip())
            rules = tuple(re.split(r"\s*,\s*", said["rules"])) if said else ()
            reason = (said["reason"] or "").strip() if said else ""
            yield Remark(Location(path, line), first, last, rules, reason)


def _spans(tree: ast.Module) -> Iterator[tuple[int, int, int]]:
    """Of each statement its first line, the last of its head, and its last."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.ExceptHandler)):
            decorators = getattr(node, "decorator_list", ())
            first = min([node.lineno, *(each.lineno for each in decorators)])
            last = node.end_lineno or node.lineno
            body = getattr(node, "body", None)
            yield first, body[0].lineno - 1 if body else last, last


def _span(spans: list[tuple[int, int, int]], line: int) -> tuple[int, int]:
    """The lines of the innermost statement whose head this line belongs to."""
    held = [(first, last) for first, head, last in spans if first <= line <= max(first, head)]
    return max(held, default=(line, line))
