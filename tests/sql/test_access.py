"""How a statement gets at its tables, as Django and pg_stat_statements write it."""

from __future__ import annotations

import pytest

from django_dbaudit.sql import access, grammar
from django_dbaudit.sql.access import Access
from django_dbaudit.sql.grammar import TableName

COLUMNS = {
    TableName(None, "t"): frozenset("abcdef"),
    TableName(None, "u"): frozenset({"id", "k", "t_id"}),
}


def accesses(statement: str) -> dict[str, Access]:
    query = grammar.parse(statement)
    assert query is not None
    return {each.table.name: each for each in access.read(query, COLUMNS).accesses}


def conditions(statement: str, table: str = "t") -> set[tuple[str, str, str]]:
    found = accesses(statement)[table].conditions
    return {(each.kind.value, each.term.column, each.term.function) for each in found}


@pytest.mark.parametrize(
    "where",
    ["a <> $1", "NOT (a = $1)", "a NOT IN ($1)", "a = $1 OR b = $2", "a IS NOT TRUE", "a = b",
     "a + $1 = $2", "a = ALL ($1)", "a NOT LIKE $1", "coalesce(a, $1) = $2",
     "date_trunc($1, a) = $2", "a = v.x"],
)  # fmt: skip
def test_these_lead_to_no_row(where: str) -> None:
    assert conditions(f"SELECT * FROM t WHERE {where}") <= {("join", "a", "")}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('("t"."a" = $1 AND "t"."b" IN ($2 /*, ... */))', {("equal", "a", ""), ("equal", "b", "")}),
        ("a = ANY($1)", {("equal", "a", "")}),
        ("$1 < a", {("range", "a", "")}),
        ("a BETWEEN $1 AND $2", {("range", "a", "")}),
        ("a > now() - interval $1", {("range", "a", "")}),
        ("a::text LIKE $1", {("pattern", "a", "")}),
        ("UPPER(a::text) LIKE UPPER($1)", {("pattern", "a", "upper")}),
        ("a ILIKE $1 ESCAPE $2", {("pattern", "a", "")}),
        ("lower(a) = $1", {("equal", "a", "lower")}),
        ("date_trunc('day', a) = $1", {("equal", "a", "date_trunc:day")}),
        ("a @> $1 AND b && $2 AND c ? $3", {("contains", each, "") for each in "abc"}),
        ("a IS NULL AND NOT (b IS NULL)", {("null", "a", ""), ("not null", "b", "")}),
        ("a AND NOT b AND c IS TRUE AND d IS FALSE",
         {("true", "a", ""), ("false", "b", ""), ("true", "c", ""), ("false", "d", "")}),
        ("a IN (SELECT id FROM u)", {("equal", "a", "")}),
        ("A = $1 AND T.B = $2", {("equal", "a", ""), ("equal", "b", "")}),
    ],
)  # fmt: skip
def test_these_lead_to_rows(where: str, found: set[tuple[str, str, str]]) -> None:
    assert conditions(f"SELECT * FROM t WHERE {where}") == found


def test_joins_are_conditions_on_both_sides() -> None:
    statement = "SELECT * FROM t LEFT OUTER JOIN u ON (t.a = u.t_id AND u.k = $1) WHERE t.b = $2"
    assert conditions(statement, "t") == {("join", "a", ""), ("equal", "b", "")}
    assert conditions(statement, "u") == {("join", "t_id", ""), ("equal", "k", "")}


def test_a_select_within_reads_its_own_tables() -> None:
    statement = (
        "SELECT * FROM t WHERE EXISTS (SELECT $1 AS a FROM u U0 WHERE U0.t_id = (t.a) AND U0.k = $2)"
    )
    assert conditions(statement, "u") == {("join", "t_id", ""), ("equal", "k", "")}
    assert conditions(statement, "t") == set()


def test_what_a_with_calls_like_a_table_is_none() -> None:
    assert accesses("WITH v AS (SELECT * FROM t WHERE a = $1) SELECT * FROM v WHERE b = $2").keys() == {"t"}


@pytest.mark.parametrize(
    ("rest", "sort"),
    [
        ("ORDER BY a, b DESC LIMIT $1", [("a", False), ("b", True)]),
        ("ORDER BY 2 LIMIT $1", [("b", False)]),
        ("ORDER BY renamed LIMIT $1", [("c", False)]),
        ("ORDER BY random() LIMIT $1", []),
        ("GROUP BY a ORDER BY a", []),
    ],
)
def test_an_order_is_known_where_it_is_of_columns(rest: str, sort: list[tuple[str, bool]]) -> None:
    found = accesses(f"SELECT a, b, c AS renamed FROM t {rest}")["t"].sort
    assert [(each.term.column, each.descending) for each in found] == sort


def test_the_greatest_of_all_is_the_first_of_an_order() -> None:
    found = accesses("SELECT MAX(t.a) AS m FROM t")["t"]
    assert ([each.term.column for each in found.sort], found.has_limit) == (["a"], True)
