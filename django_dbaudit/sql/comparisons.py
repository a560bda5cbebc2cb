"""Which column the constant of each mark is compared with, wherever in a SELECT that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django_dbaudit.sql import marks
from django_dbaudit.sql.conditions import Kind, Names, Term, kind_of, sides, term
from django_dbaudit.sql.grammar import IS_INSTALLED, TableName, find_all

if IS_INSTALLED:
    from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Compared:
    """The constants of these marks are compared with this column, in this way."""

    kind: Kind
    table: TableName
    term: Term
    marks: tuple[int, ...]
    #: Which end of a range the constant is: ``<`` or ``>``; empty for both and for no range.
    side: str = ""
    #: They are elements of an array that the statement puts together.
    in_array: bool = False
    #: It is not the column itself that they are compared with, but something made of it.
    is_loose: bool = False


def compared(select: exp.Select, names: Names) -> Iterator[Compared]:
    """Of every comparison in a SELECT, wherever it stands, which marks it compares with which column."""
    comparisons = (
        exp.EQ, exp.NEQ, exp.In, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Like, exp.ILike,
        exp.ArrayContainsAll, exp.ArrayContainedBy, exp.ArrayOverlaps,
    )  # fmt: skip
    for each in find_all(select, *comparisons):
        for this, other in sides(each):
            found = () if other.find(exp.Select) else tuple(_marks(other))
            subject = term(this, names)
            loose = subject or _made_of(this, names)
            if loose is not None and found:
                yield Compared(
                    kind=kind_of(each) or Kind.EQUAL,
                    table=names.tables[loose.alias],
                    term=loose,
                    marks=found,
                    side=_side(each, reverse=this is each.expression),
                    in_array=other.find(exp.Array) is not None,
                    is_loose=subject is None,
                )


def _made_of(each: exp.Expr, names: Names) -> Term | None:
    """The one column in an expression, whose values are the best guess at the expression's."""
    found = {term(column, names) for column in find_all(each, exp.Column)}
    return found.pop() if len(found) == 1 else None


def _side(each: exp.Expr, *, reverse: bool) -> str:
    if isinstance(each, (exp.GT, exp.GTE)):
        return "<" if reverse else ">"
    if isinstance(each, (exp.LT, exp.LTE)):
        return ">" if reverse else "<"
    return ""


def _marks(each: exp.Expr) -> Iterator[int]:
    for literal in find_all(each, exp.Literal):
        number = marks.number(literal.name) if literal.is_string else None
        if number is not None:
            yield number
