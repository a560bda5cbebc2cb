"""Conditions and expressions as Django writes them, held against what PostgreSQL deparses.

PostgreSQL keeps an expression as it was parsed and writes it in its own way: with casts and brackets,
``= ANY (ARRAY[…])`` for ``IN``, ``~~`` for ``LIKE``. Only a server that creates the expression could tell
for certain whether two texts mean the same, and an audit creates nothing. So a text is boiled down to what
no such rewriting changes: the columns it reads, the constants it names, whether it asks for NULL or for its
absence, and which of a few functions it calls. Texts that differ in one of these differ; where a text
holds anything else than is known here, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

TOKEN = re.compile(
    r"""
    (?P<escaped>\bE'(?:[^'\\]|''|\\.)*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<cast>::\s*(?P<type>(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?
        (?:\s+(?:varying|precision))?(?:\s*\(\s*\d+(?:\s*,\s*\d+)?\s*\))?
        (?:\s+with(?:out)?\s+time\s+zone)?)(?P<array>(?:\[\])*))
    | (?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<other>\S)
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: Words of either side that say nothing of their own, or that the other may write as a sign.
SILENT = frozenset({"and", "or", "in", "any", "array", "like", "between"})
#: Functions that both write alike.
FUNCTIONS = frozenset({"lower", "upper", "coalesce", "length", "abs", "md5"})
#: Types whose constants are written in one way only.
PLAIN_TYPES = re.compile(
    r"(?:pg_catalog\.)?(?:text|character varying|varchar|bpchar|character|integer|smallint|bigint|"
    r"int[248]|numeric|double precision|real)\b",
    re.IGNORECASE,
)
NUMERIC_TYPES = re.compile(
    r"(?:integer|smallint|bigint|int[248]|numeric|double precision|real)\b", re.IGNORECASE
)
NULL_TEST = re.compile(r"\bis\s+(not\s+)?null\b", re.IGNORECASE)


@dataclass(slots=True)
class Gist:
    """What is left of a text."""

    columns: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    constants: set[str] = field(default_factory=set)
    #: False where a constant's type can be written in several ways.
    has_plain_constants: bool = True
    #: What is asked of NULL: "is null", "is not null". None where a NOT or a truth value may turn it round.
    null_tests: frozenset[str] | None = frozenset()


def differ(one: str, other: str, columns: Collection[str]) -> bool:
    """Whether two texts over a table of these columns surely mean different things."""
    first, second = gist(one, columns), gist(other, columns)
    if first is None or second is None:
        return False
    plain = first.has_plain_constants and second.has_plain_constants
    nulls_known = first.null_tests is not None and second.null_tests is not None
    return (
        first.columns != second.columns
        or first.functions != second.functions
        or (plain and first.constants != second.constants)
        or (nulls_known and first.null_tests != second.null_tests)
    )


def gist(text: str, columns: Collection[str]) -> Gist | None:
    """None for a text that holds what is not known here."""
    found = Gist()
    rest, tests = NULL_TEST.subn("", text)
    if tests:
        found.null_tests = frozenset(
            "is not null" if match[1] else "is null" for match in NULL_TEST.finditer(text)
        )
    tokens = list(TOKEN.finditer(rest))
    for position, token in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if not _take(token, following, columns, found):
            return None
    return found


def _take(
    token: re.Match[str], following: re.Match[str] | None, columns: Collection[str], found: Gist
) -> bool:
    """Note one token; False if it is none that is known."""
    kind, text = token.lastgroup, token.group()
    if kind == "quoted":
        name = text[1:-1].replace('""', '"')
        found.columns.add(name)
        return name in columns
    if kind == "word":
        return _take_word(text, following, columns, found)
    if kind in ("string", "number"):
        _take_constant(text, following, found)
    elif kind == "escaped":
        found.has_plain_constants = False
    return True


def _take_word(text: str, following: re.Match[str] | None, columns: Collection[str], found: Gist) -> bool:
    word = text.lower()
    if word in SILENT:
        return True
    if word in ("not", "true", "false"):
        found.null_tests = None
        return True
    if following is not None and following.group() == "(":
        found.functions.add(word)
        return word in FUNCTIONS
    found.columns.add(text)
    return text in columns


def _take_constant(text: str, following: re.Match[str] | None, found: Gist) -> None:
    cast = following["type"] if following else None
    if following and cast and (following["array"] or not PLAIN_TYPES.match(cast)):
        found.has_plain_constants = False
    if text.startswith("'"):
        value = text[1:-1]
        if not (cast and NUMERIC_TYPES.match(cast)):
            found.constants.add(value)
            return
        text = value.lstrip("-")
    try:
        found.constants.add(str(Decimal(text).normalize()))
    except ArithmeticError:
        found.has_plain_constants = False
