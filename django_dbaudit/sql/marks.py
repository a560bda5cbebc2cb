"""The ``$1`` that pg_stat_statements leaves in the place of every constant.

A constant may stand where the grammar allows no parameter, as in ``INTERVAL '1 day'``. So a statement
is parsed, and explained, with a string in each of these places, which is right in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

#: What may hold a dollar that is none of ours, then ours: strings, names, comments.
_TOKENS = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\$([0-9]{1,5})\b""",
    re.DOTALL,
)


def quoted(text: str) -> str:
    """The statement with ``'$1'`` for each ``$1``, and without its comments.

    >>> quoted("SELECT '$9', a FROM t /* x */ WHERE b = $1")
    "SELECT '$9', a FROM t   WHERE b = '$1'"
    """
    return _replaced(text, lambda number: f"'${number}'")


def number(literal: str) -> int | None:
    """Which mark a string of a parsed statement is; None for a string of the statement's own.

    >>> number("$12"), number("$"), number("abc")
    (12, None, None)
    """
    return int(literal[1:]) if re.fullmatch(r"\$[0-9]{1,5}", literal) else None


def bind(text: str, values: Mapping[int, str]) -> str:
    """Put values in the place of the strings that `quoted` made.

    Numbers go in as they are: a bare ``1`` fits ``sum(1)``, where a string would be taken for text.

    >>> bind("SELECT '$1' FROM t WHERE a = '$2'", {1: "1", 2: "'it''s'"})
    "SELECT 1 FROM t WHERE a = 'it''s'"
    """

    def value(match: re.Match[str]) -> str:
        mark = number(match[0][1:-1]) if match[0].startswith("'") else None
        return match[0] if mark is None or mark not in values else values[mark]

    return _TOKENS.sub(value, text)


def literal(value: str) -> str:
    """A string for SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def _replaced(text: str, mark: Callable[[str], str]) -> str:
    def new(match: re.Match[str]) -> str:
        if match[1]:
            return mark(match[1])
        return " " if match[0].startswith(("--", "/*")) else match[0]

    return _TOKENS.sub(new, text)
