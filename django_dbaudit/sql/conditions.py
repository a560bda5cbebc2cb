"""Conditions of a SELECT that an index can serve."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django_dbaudit.sql import marks
from django_dbaudit.sql.grammar import IS_INSTALLED, TableName, find_all

if IS_INSTALLED:
    from sqlglot import exp


class Kind(enum.Enum):
    EQUAL = "equal"
    #: Less, greater, between.
    RANGE = "range"
    #: Equal to a column of another table.
    JOIN = "join"
    #: LIKE with a pattern; ILIKE counts as one that begins with %.
    PATTERN = "pattern"
    #: @>, &&, ? and their like, of arrays and jsonb.
    CONTAINS = "contains"
    NULL = "null"
    NOT_NULL = "not null"
    TRUE = "true"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class Term:
    """What is compared: a column, or a function of one that may be indexed as well."""

    alias: str
    column: str
    #: lower, upper, date, or date_trunc with its unit: ``date_trunc:day``.
    function: str = ""
    #: Cast to text, which is nothing for a column that is text already.
    as_text: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    kind: Kind
    term: Term
    #: Of a pattern: whether it begins with a letter; None where its constant is not known.
    is_prefix: bool | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The tables of a SELECT by alias, and the aliases of its other sources."""

    tables: Mapping[str, TableName]
    others: frozenset[str]
    columns: Mapping[TableName, Collection[str]]

    def alias(self, column: exp.Column) -> str | None:
        """Which of the SELECT's own tables the column is of; None if it is not one's, or any's."""
        if column.table:
            known = self.tables.get(column.table)
            return column.table if known and column.name in self.columns[known] else None
        having = [alias for alias, table in self.tables.items() if column.name in self.columns[table]]
        return having[0] if len(having) == 1 and not self.others else None


def of(select: exp.Select, names: Names) -> Iterator[Condition]:
    """All that WHERE and the ON of its joins ask for together; what stands below OR is left out."""
    for clause in _clauses(select):
        for each in _conjuncts(clause):
            yield from _conditions(each, names)


def _clauses(select: exp.Select) -> Iterator[exp.Expr]:
    where = select.args.get("where")
    if where is not None:
        yield where.this
    for join in select.args.get("joins") or ():
        if join.args.get("on") is not None:
            yield join.args["on"]


def _conjuncts(clause: exp.Expr) -> Iterator[exp.Expr]:
    clause = clause.unnest()
    if isinstance(clause, exp.And):
        yield from _conjuncts(clause.this)
        yield from _conjuncts(clause.expression)
    else:
        yield clause


def _conditions(each: exp.Expr, names: Names) -> Iterator[Condition]:
    negative = isinstance(each, exp.Not)
    inner = each.this.unnest() if negative else each
    found = _null(inner, names, negative=negative) or _boolean(inner, names, negative=negative)
    if found is not None:
        yield found
    elif not negative:
        yield from _comparison(each, names)


def _null(each: exp.Expr, names: Names, *, negative: bool) -> Condition | None:
    if not isinstance(each, exp.Is) or not isinstance(each.expression, exp.Null):
        return None
    subject = term(each.this, names)
    return Condition(Kind.NOT_NULL if negative else Kind.NULL, subject) if subject else None


def _boolean(each: exp.Expr, names: Names, *, negative: bool) -> Condition | None:
    if isinstance(each, exp.Is) and isinstance(each.expression, exp.Boolean):
        # "x IS NOT TRUE" takes NULL in, which no equality does.
        if negative:
            return None
        negative, each = not each.expression.this, each.this
    if not isinstance(each, exp.Column):
        return None
    subject = term(each, names)
    return Condition(Kind.FALSE if negative else Kind.TRUE, subject) if subject else None


def _comparison(each: exp.Expr, names: Names) -> Iterator[Condition]:
    if isinstance(each, exp.Escape):
        each = each.this
    kind = kind_of(each)
    if kind is None:
        return
    for this, other in sides(each):
        subject = term(this, names)
        if subject is None:
            continue
        if kind is Kind.PATTERN:
            yield Condition(kind, subject, is_prefix=_is_prefix(each, other))
        elif kind is Kind.EQUAL and isinstance(column := other.unnest(), exp.Column):
            if names.alias(column) != subject.alias:
                yield Condition(Kind.JOIN, subject)
        elif not _mentions(other, subject, names):
            yield Condition(kind, subject)


def kind_of(each: exp.Expr) -> Kind | None:
    if each.args.get("negate"):
        return None
    if isinstance(each, exp.EQ):
        other = each.expression
        # "= ALL ($1)" reads like a function.
        return None if isinstance(other, exp.Anonymous) and other.name.lower() == "all" else Kind.EQUAL
    if isinstance(each, exp.In):
        return None if isinstance(each.this, exp.Tuple) else Kind.EQUAL
    if isinstance(each, (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)):
        return Kind.RANGE
    if isinstance(each, (exp.Like, exp.ILike)):
        return Kind.PATTERN
    contains = (
        exp.ArrayContainsAll,
        exp.ArrayOverlaps,
        exp.JSONBContainsTopKey,
        exp.JSONBContainsAnyTopKeys,
        exp.JSONBContainsAllTopKeys,
    )
    return Kind.CONTAINS if isinstance(each, contains) else None


def sides(each: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """What is compared, and what with; of an equality or inequality it may be either."""
    if isinstance(each, exp.In):
        query = each.args.get("query")
        yield each.this, query if query is not None else exp.Tuple(expressions=each.expressions)
    elif isinstance(each, exp.Between):
        yield each.this, exp.Tuple(expressions=[each.args["low"], each.args["high"]])
    else:
        yield each.this, each.expression
        if isinstance(each, (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE)):
            yield each.expression, each.this


def _is_prefix(each: exp.Expr, pattern: exp.Expr) -> bool | None:
    if isinstance(each, exp.ILike):
        return False
    text = pattern.find(exp.Literal)
    if text is None or not text.is_string or marks.number(text.name) is not None:
        return None
    return text.name[:1] not in ("%", "_", "")


def _mentions(other: exp.Expr, subject: Term, names: Names) -> bool:
    """Whether what a column is compared with depends on its own table, so that no index can be asked."""
    if isinstance(other, exp.Query) or other.find(exp.Select) is not None:
        return False
    return any(names.alias(column) == subject.alias for column in find_all(other, exp.Column))


def term(each: exp.Expr, names: Names) -> Term | None:
    """A column of the SELECT's own tables, or a function of it that an index may be made of."""
    each = each.unnest()
    if isinstance(each, exp.Column):
        alias = names.alias(each)
        return Term(alias, each.name) if alias is not None else None
    if isinstance(each, exp.Cast) and isinstance(each.this.unnest(), exp.Column):
        inner = term(each.this, names)
        if inner is not None and each.to.is_type("text", "varchar"):
            return Term(inner.alias, inner.column, as_text=True)
        if inner is not None and each.to.is_type("date"):
            return Term(inner.alias, inner.column, "date")
        return None
    function = _function(each)
    inner = term(each.this, names) if function else None
    if inner is None or inner.function:
        return None
    return Term(inner.alias, inner.column, function, inner.as_text)


def _function(each: exp.Expr) -> str:
    if isinstance(each, exp.Lower):
        return "lower"
    if isinstance(each, exp.Upper):
        return "upper"
    if isinstance(each, exp.TimestampTrunc) and each.args.get("zone") is None:
        unit = each.args["unit"].name.lower()
        # A unit that stands for a mark is one of many that nobody knows.
        return f"date_trunc:{unit}" if unit.isalpha() else ""
    return ""
