"""What a statement is, by its text: its fingerprint, its kind, the tables it writes.

The text is looked at once and kept, bounded, because the same few come again and again. What is
longer than `LONGEST` is judged by its beginning and its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

#: Characters of a statement that are looked at, and how many of them are the end's.
LONGEST, TAIL = 4_000, 1_000
#: Characters of a fingerprint that are kept.
LONGEST_FINGERPRINT = 4_000
#: Stands for what was left out.
CUT = "…"

_TOKEN = re.compile(
    r"""
    (?P<name>"(?:[^"]|"")*")
    | (?P<space>--[^\n]*|/\*(?s:.*?)(?:\*/|\Z)|\s+)
    | (?P<literal>
        %s | %\(\w+\)s | %b | %t
        | (?<![\w$])(?:[eEnNbBxX]|[uU]&)?'(?:[^'\\]|''|\\(?s:.))*'
        | \$(?P<tag>\w*)\$(?s:.*?)\$(?P=tag)\$
        | (?<![\w$."])[+-]?(?<!\w)\d+(?:\.\d*)?(?:[eE][+-]?\d+)?\b
    )
    """,
    re.VERBOSE,
)
#: Placeholders in a row, and rows of nothing else: most of a long text, folded before it is read.
_PLACEHOLDERS = re.compile(rf"%s(?:, (?:%s|{CUT}))+")
_PLACEHOLDER_ROWS = re.compile(rf"\(%s\)(?:, (?:\(%s\)|\(%s(?=, \()|%s\)|{CUT}))+")
_LIST = re.compile(rf"\?(?:, ?[?{CUT}])+")
_ROW = r"(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))"
#: Rows of a VALUES list that differ in nothing but their values.
_ROWS = re.compile(rf"{_ROW}(?:, ?(?:\1|{CUT}))+")
#: Branches of the CASE that bulk_update writes.
_BRANCHES = re.compile(r"(WHEN \([^()]*\) THEN [^ ]+)(?: \1)+")
_CLAUSE = re.compile(r'"[^"]*"|[()]|\b(?P<clause>WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|OFFSET|FOR|UNION)\b')
_SAVEPOINT = re.compile(r"^((?:ROLLBACK TO |RELEASE )?SAVEPOINT) .*", re.IGNORECASE)

_FIRST_WORD = re.compile(r"[\s(]*([A-Za-z]+)")
_IDENTIFIER = r'((?:"(?:[^"]|"")*"|[\w$]+)(?:\.(?:"(?:[^"]|"")*"|[\w$]+))*)'
_WRITTEN = re.compile(
    r"(?<!FOR )(?<!DO )(?<!KEY )(?<!ON )(?<![\w$\"])"
    rf"(?:INSERT INTO|UPDATE(?: ONLY)?|DELETE FROM(?: ONLY)?|MERGE INTO(?: ONLY)?) {_IDENTIFIER}",
    re.IGNORECASE,
)
_EMPTIED = re.compile(rf"^TRUNCATE(?: TABLE)?(?: ONLY)? {_IDENTIFIER}", re.IGNORECASE)
_COPIED = re.compile(rf"^COPY {_IDENTIFIER}[^?]*? FROM ", re.IGNORECASE)
_LOCKING = re.compile(r"\bFOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b", re.IGNORECASE)

_KINDS = {
    word: kind
    for kind, words in {
        "read": "SELECT WITH VALUES TABLE SHOW EXPLAIN FETCH",
        "write": "INSERT UPDATE DELETE MERGE TRUNCATE",
        "transaction": "BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE",
        "lock": "LOCK",
        "ddl": "CREATE ALTER DROP COMMENT GRANT REVOKE REINDEX CLUSTER REFRESH IMPORT REASSIGN SECURITY",
    }.items()
    for word in words.split()
}
#: Which kind a text of several statements is of: the first of these that is among them.
_STRONGEST = ("write", "ddl", "lock", "transaction", "read", "other")


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One text. Two texts with the same fingerprint may have one each: tell them by the fingerprint."""

    fingerprint: str
    kind: str
    tables: tuple[str, ...]
    #: The first word in upper case: ``BEGIN``, ``ROLLBACK`` …
    verb: str
    is_limited: bool
    #: Hash of what says which rows it is about: what stands behind the outermost WHERE, order and limit
    #: left out. The text would take as much room as the fingerprint, and is compared and nothing else.
    conditions: int
    #: Placeholders before FROM: values that are asked for, and not asked about.
    leading: int


def shortened(sql: Any) -> str:
    """The text, or enough of it, of whatever a cursor takes: str, bytes or psycopg's composed SQL."""
    if isinstance(sql, str):
        # An exact copy: what a subclass says of its length, hash or equality is its own code.
        sql = str.__str__(sql)
        return sql if len(sql) <= LONGEST else _cut(sql)
    if isinstance(sql, (bytes, bytearray)):
        return shortened(bytes(sql[: LONGEST + 1]).decode(errors="replace"))
    as_string = getattr(sql, "as_string", None)
    if as_string is None:
        return f"({type(sql).__name__})"
    try:
        return shortened(as_string(None))
    except (AttributeError, TypeError, ValueError):
        # psycopg 2 quotes names with the help of a connection, and refuses without.
        return f"({type(sql).__name__})"


def _cut(sql: str) -> str:
    # At commas, so that no placeholder is halved.
    head, tail = sql[: LONGEST - TAIL], sql[-TAIL:]
    return f"{head.rpartition(', ')[0] or head}, {CUT}, {tail.partition(', ')[2] or tail}"


def parse(sql: str) -> Statement:
    """Look at a text, not longer than `shortened` makes it."""
    if "%s, " in sql:
        sql = _PLACEHOLDER_ROWS.sub("(%s)", _PLACEHOLDERS.sub("%s", sql))
    text = _TOKEN.sub(_token, sql).strip(" ;")
    fingerprint = _SAVEPOINT.sub(r"\1 ?", _folded(text))[:LONGEST_FINGERPRINT]
    pieces = [piece.strip() for piece in text.split(";")]
    kinds = {_kind(piece) for piece in pieces}
    verb = _FIRST_WORD.match(text)
    return Statement(
        fingerprint=fingerprint,
        kind=next(kind for kind in _STRONGEST if kind in kinds),
        tables=_tables(pieces),
        verb=verb[1].upper() if verb else "",
        is_limited=" LIMIT " in fingerprint or " OFFSET " in fingerprint,
        conditions=hash(_conditions(fingerprint)),
        leading=sql.partition(" FROM ")[0].count("%s"),
    )


def _conditions(fingerprint: str) -> str:
    """What stands behind the outermost WHERE of a SELECT; empty where there is none."""
    depth, begin = 0, 0
    for match in _CLAUSE.finditer(fingerprint):
        if match["clause"] is None:
            depth += {"(": 1, ")": -1}.get(match[0], 0)
        elif depth == 0:
            if begin:
                return fingerprint[begin : match.start()].strip()
            if match["clause"] == "WHERE":
                begin = match.end()
    return fingerprint[begin:].strip() if begin else ""


def _token(match: re.Match[str]) -> str:
    if match["name"]:
        return match[0]
    return " " if match["space"] else "?"


def _folded(text: str) -> str:
    text = _LIST.sub("?", re.sub(r" {2,}", " ", text))
    if ")," in text:
        text = _ROWS.sub(r"\1", text)
    return _BRANCHES.sub(r"\1", text) if "WHEN" in text else text


def _kind(text: str) -> str:
    first = _FIRST_WORD.match(text)
    word = first[1].upper() if first else ""
    if word == "SET" and text.upper().startswith(("SET TRANSACTION", "SET SESSION CHARACTERISTICS")):
        return "transaction"
    if word == "COPY":
        return "write" if _COPIED.match(text) else "read"
    kind = _KINDS.get(word, "other")
    if kind == "read" and word != "EXPLAIN":
        if word == "WITH" and _WRITTEN.search(text):
            return "write"
        if _LOCKING.search(text):
            return "lock"
    return kind


def _tables(pieces: list[str]) -> tuple[str, ...]:
    found = {
        match[1].replace('"', "")
        for piece in pieces
        if _kind(piece) == "write"
        for pattern in (_WRITTEN, _EMPTIED, _COPIED)
        for match in pattern.finditer(piece)
    }
    return tuple(sorted(found))
