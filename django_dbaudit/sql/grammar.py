"""From the text of a statement to a query that PostgreSQL can be asked to plan, and never to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

from django_dbaudit.sql import marks

# Note [The parser is an extra]
# Only advice on missing indexes needs it. Where it is not installed that rule is not run, and says so.
try:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
except ImportError:  # pragma: no cover  # the tests' environments have it
    IS_INSTALLED = False
else:
    IS_INSTALLED = True

#: Characters; longer statements are left alone.
LONGEST = 20_000
NOT_UNDERSTOOD = "not understood by the parser"
_BEGINNING = re.compile(r"[\s(]*(select|with|insert|update|delete)\b", re.IGNORECASE)

T = TypeVar("T", bound="exp.Expr")


class UnreadableError(Exception):
    """A statement that we do not look into; its text says why, to be counted by."""


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a statement names it: without a schema, the search path says which one is meant."""

    schema: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """What of a statement reads: a SELECT itself, or the rows that an UPDATE or DELETE looks for."""

    tree: exp.Query
    #: With ``'$1'`` for ``$1``; `marks.bind` makes it complete.
    text: str

    @property
    def tables(self) -> frozenset[TableName]:
        """Every name that stands for a table, those of its own WITH included."""
        return frozenset(table_name(each) for each in find_all(self.tree, exp.Table))


def parse(text: str) -> Query | None:
    """Read one statement of pg_stat_statements; an `UnreadableError` says why it cannot be.

    None is a statement that no index could help: one that only inserts, or reads no table.
    """
    if len(text) > LONGEST:
        if text.lstrip()[:6].lower() == "insert":
            # Rows and rows of marks.
            return None
        raise UnreadableError(f"longer than {LONGEST:,} characters")
    plain = marks.quoted(text).strip().rstrip(";")
    if not _BEGINNING.match(plain):
        # The parser would say on stderr that it takes these for commands.
        return None
    # Two statements would be two, and the second one executed. No string that holds a semicolon is
    # worth the risk of taking one for the other.
    if ";" in plain or "\\" in plain:
        raise UnreadableError("a semicolon or a backslash in it")
    try:
        (tree,) = sqlglot.parse(plain, read="postgres")
    except (SqlglotError, ValueError, RecursionError):
        raise UnreadableError(NOT_UNDERSTOOD) from None
    return _query(tree, plain)


def _query(tree: object, plain: str) -> Query | None:
    reading = _reading(tree)
    if reading is None or not any(find_all(reading, exp.Table)):
        return None
    if any(find_all(reading, exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        raise UnreadableError("a WITH that writes")
    if any(find_all(reading, exp.Into)):
        raise UnreadableError("SELECT INTO")
    locking = [each for each in find_all(reading, exp.Select) if each.args.get("locks")]
    if reading is tree and not locking:
        # The statement's own text, because nothing else is sure to mean the same.
        return Query(reading, plain)
    for each in locking:
        # FOR UPDATE asks for the right to update, and is refused by a replica.
        each.set("locks", None)
    return Query(reading, reading.sql("postgres", comments=False))


def _reading(tree: object) -> exp.Query | None:
    """The query whose rows the statement reads or writes.

    An UPDATE that is only explained still takes the lock of one; its WHERE as a SELECT takes none.
    """
    if isinstance(tree, exp.Query):
        return tree
    if isinstance(tree, exp.Insert):
        source = tree.expression
        return source if isinstance(source, exp.Query) else None
    if isinstance(tree, exp.Update) and isinstance(tree.this, exp.Table):
        tables = [tree.this, *_joined(tree.args.get("from_"))]
        return _selected(tree, tables)
    if isinstance(tree, exp.Delete) and isinstance(tree.this, exp.Table):
        return _selected(tree, [tree.this, *(tree.args.get("using") or ())])
    return None


def _joined(clause: exp.Expr | None) -> list[exp.Expr]:
    return [clause.this] if clause is not None else []


def _selected(tree: exp.Expr, tables: list[exp.Expr]) -> exp.Query | None:
    where = tree.args.get("where")
    if where is None:
        return None
    first, *others = tables
    select = exp.select(exp.Literal.number(1)).from_(first.copy())
    for each in others:
        select = select.join(each.copy(), join_type="cross")
    select.set("where", where.copy())
    if tree.args.get("with_") is not None:
        select.set("with_", tree.args["with_"].copy())
    return select


def table_name(table: exp.Table) -> TableName:
    """As PostgreSQL folds it."""
    db = table.args.get("db")
    return TableName(folded(db) if db is not None else None, folded(table.this))


def folded(identifier: exp.Expr) -> str:
    """What PostgreSQL calls what is written so: lower case unless it is quoted."""
    name = identifier.name
    return name if identifier.args.get("quoted") else name.lower()


def find_all(tree: exp.Expr, *kinds: type[T]) -> Iterator[T]:
    """All parts of a statement that are of these kinds."""
    return cast("Iterator[T]", tree.find_all(*kinds))
