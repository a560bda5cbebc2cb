"""What is planned of a statement: never anything that would write, lock, or be two statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_dbaudit.sql import grammar, marks
from django_dbaudit.sql.grammar import TableName, UnreadableError


def text(statement: str) -> str | None:
    query = grammar.parse(statement)
    return query.text if query else None


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t (a) VALUES ($1)",
        "SELECT $1",
        "BEGIN",
        "VACUUM t",
        "EXPLAIN SELECT * FROM t",
        "SET search_path = x",
        "UPDATE t SET a = $1",
        "DELETE FROM t",
    ],
)
def test_what_reads_no_table_or_all_of_it_is_nobodys_business(statement: str) -> None:
    assert text(statement) is None


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM t; DELETE FROM t",
        "SELECT ';' FROM t",
        "SELECT E'\\';' FROM t",
        "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
        "WITH d AS (UPDATE t SET a = $1 RETURNING *) SELECT * FROM t",
        "SELECT * INTO u FROM t",
        "SELECT FROM WHERE",
        "SELECT * FROM t WHERE a = " + "(" * 5_000,
        "SELECT * FROM t WHERE a IN (" + "$1, " * 10_000 + "$2)",
    ],
)
def test_what_could_do_more_than_read_is_refused(statement: str) -> None:
    with pytest.raises(UnreadableError):
        grammar.parse(statement)


@pytest.mark.parametrize(
    ("statement", "planned"),
    [
        (
            'SELECT "t"."a" FROM "t" WHERE ("t"."b" = $1)',
            """SELECT "t"."a" FROM "t" WHERE ("t"."b" = '$1')""",
        ),
        (
            "SELECT a FROM t WHERE b IN ($1 /*, ... */) LIMIT $2;",
            "SELECT a FROM t WHERE b IN ('$1'  ) LIMIT '$2'",
        ),
        (
            "SELECT a FROM t WHERE d > now() - interval $1",
            "SELECT a FROM t WHERE d > now() - interval '$1'",
        ),
        ("/* who */ SELECT a FROM t WHERE b = $1::int -- why", "SELECT a FROM t WHERE b = '$1'::int"),
        ("SELECT a FROM t WHERE b = $1 FOR UPDATE SKIP LOCKED", "SELECT a FROM t WHERE b = '$1'"),
        ("UPDATE s.t SET a = $1 WHERE b = $2", "SELECT 1 FROM s.t WHERE b = '$2'"),
        ("UPDATE t SET a = $1 FROM u WHERE t.b = u.b", "SELECT 1 FROM t CROSS JOIN u WHERE t.b = u.b"),
        ("DELETE FROM t USING u WHERE t.b = u.b", "SELECT 1 FROM t CROSS JOIN u WHERE t.b = u.b"),
        ("INSERT INTO t SELECT a FROM u WHERE b = $1", "SELECT a FROM u WHERE b = '$1'"),
    ],
)
def test_what_reads_is_planned_as_it_is_and_what_writes_by_the_rows_it_looks_for(
    statement: str, planned: str
) -> None:
    assert text(statement) == planned


def test_names_are_folded_as_postgresql_folds_them() -> None:
    query = grammar.parse('SELECT * FROM Shop.Orders JOIN "Lines" ON true')
    assert query is not None
    assert query.tables == {TableName("shop", "orders"), TableName(None, "Lines")}


@given(
    st.text(max_size=60), st.sampled_from(["", "SELECT * FROM t WHERE a = ", "UPDATE t SET a = 1 WHERE "])
)
def test_no_text_makes_it_stumble(rest: str, begin: str) -> None:
    try:
        query = grammar.parse(begin + rest)
    except UnreadableError:
        return
    assert query is None or ";" not in query.text


@given(st.text(alphabet="ab'$1\"-/* \n", max_size=40))
def test_only_marks_outside_strings_names_and_comments_are_bound(noise: str) -> None:
    literal = marks.literal(noise)
    assert marks.quoted(f"SELECT {literal}") == f"SELECT {literal}"
    assert marks.bind(f"{literal} '$1'", {1: "x"}) == f"{literal} x" or "$1" in noise
