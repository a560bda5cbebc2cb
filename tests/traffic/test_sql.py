from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_dbaudit.traffic.sql import LONGEST, parse, shortened


def fingerprint(sql: str) -> str:
    return parse(shortened(sql)).fingerprint


# What must stay apart.


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('SELECT "a" FROM "t"', 'SELECT "b" FROM "t"'),
        ('SELECT * FROM "t1"', 'SELECT * FROM "t2"'),
        ("SELECT * FROM t1 AS x1", "SELECT * FROM t1 AS x2"),
        ("SELECT a FROM t WHERE b = %s", "SELECT a FROM t WHERE b > %s"),
        ("SELECT a FROM t WHERE b IN (%s)", "SELECT a FROM t WHERE b NOT IN (%s)"),
        ("SELECT a FROM t", "SELECT a FROM t LIMIT 1"),
        ('INSERT INTO "t" ("a") VALUES (%s)', 'INSERT INTO "t" ("a") VALUES (%s) RETURNING "t"."id"'),
        ("SELECT f(1) FROM t", "SELECT g(1) FROM t"),
    ],
)
def test_different_statements_have_different_fingerprints(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


# What is folded.

ROW = "(%s, (%s)::jsonb, NOW())"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM t WHERE b IN (%s, %s, %s)", "SELECT a FROM t WHERE b IN (?)"),
        ("SELECT a FROM t WHERE b IN (1, -2, 3.5e7)", "SELECT a FROM t WHERE b IN (?)"),
        ("SELECT a FROM t LIMIT 21 OFFSET 40", "SELECT a FROM t LIMIT ? OFFSET ?"),
        ("SELECT 'it''s', E'it\\'s', $$it's$$, $x$it's$x$ FROM t", "SELECT ? FROM t"),
        ("SELECT a FROM t WHERE b = %(name)s", "SELECT a FROM t WHERE b = ?"),
        ("SELECT a  \n\t FROM t -- why\n WHERE /* x */ b", "SELECT a FROM t WHERE b"),
        ('SELECT "a--b", "c\'d", "e""f" FROM t', 'SELECT "a--b", "c\'d", "e""f" FROM t'),
        ("INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s), (%s, %s)", "INSERT INTO t (a, b) VALUES (?)"),
        (f"INSERT INTO t VALUES {ROW}, {ROW}, {ROW}", "INSERT INTO t VALUES (?, (?)::jsonb, NOW())"),
        ("SELECT ARRAY[%s, %s]::int[]", "SELECT ARRAY[?]::int[]"),
        ("SELECT a FROM t WHERE b = -1 AND c-1 = d", "SELECT a FROM t WHERE b = ? AND c-? = d"),
        ('SAVEPOINT "s140_x7"', "SAVEPOINT ?"),
        ('RELEASE SAVEPOINT "s140_x7"', "RELEASE SAVEPOINT ?"),
        ('ROLLBACK TO SAVEPOINT "s140_x7"', "ROLLBACK TO SAVEPOINT ?"),
        (
            'UPDATE "t" SET "a" = CASE WHEN ("t"."id" = %s) THEN %s WHEN ("t"."id" = %s) THEN %s END',
            'UPDATE "t" SET "a" = CASE WHEN ("t"."id" = ?) THEN ? END',
        ),
        ("SELECT 1;", "SELECT ?"),
        ("", ""),
    ],
)
def test_values_and_their_number_make_no_difference(sql: str, expected: str) -> None:
    assert fingerprint(sql) == expected


@pytest.mark.parametrize("rows", [2, 50, 500, 50_000])
@pytest.mark.parametrize("row", ["(%s)", "(%s, %s, %s)"])
def test_the_number_of_rows_makes_no_difference(rows: int, row: str) -> None:
    values = ", ".join([row] * rows)
    sql = f'INSERT INTO "t" ("a", "b", "c") VALUES {values} RETURNING "t"."id"'
    assert fingerprint(sql) == 'INSERT INTO "t" ("a", "b", "c") VALUES (?) RETURNING "t"."id"'


@pytest.mark.parametrize("values", [1, 7, 20_000])
def test_the_number_of_values_makes_no_difference(values: int) -> None:
    sql = f"SELECT a FROM t WHERE b IN ({', '.join(['%s'] * values)}) ORDER BY c LIMIT 5"
    assert fingerprint(sql) == "SELECT a FROM t WHERE b IN (?) ORDER BY c LIMIT ?"


# Kinds and tables.


@pytest.mark.parametrize(
    ("sql", "kind", "tables"),
    [
        ("SELECT 1", "read", ()),
        ("((SELECT a FROM t) UNION (SELECT b FROM u))", "read", ()),
        ("VALUES (1)", "read", ()),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "read", ()),
        ("SELECT 'UPDATE t'", "read", ()),
        ('SELECT "update t" FROM "delete from"', "read", ()),
        ("SELECT update_count FROM updates", "read", ()),
        ("-- INSERT INTO t\nSELECT 1", "read", ()),
        ("COPY t TO STDOUT", "read", ()),
        ("EXPLAIN ANALYZE SELECT 1 FOR UPDATE", "read", ()),
        ("SELECT a FROM t FOR UPDATE", "lock", ()),
        ('SELECT a FROM t FOR NO KEY UPDATE OF "t" SKIP LOCKED', "lock", ()),
        ("SELECT a FROM t FOR KEY SHARE", "lock", ()),
        ("LOCK TABLE t", "lock", ()),
        ("insert into t values (1)", "write", ("t",)),
        ('INSERT INTO "s"."t" ("a") VALUES (1)', "write", ("s.t",)),
        ("INSERT INTO t SELECT 1 ON CONFLICT (a) DO UPDATE SET b = 1", "write", ("t",)),
        ("UPDATE ONLY t SET a = 1", "write", ("t",)),
        ("DELETE FROM t WHERE a IN (SELECT a FROM u FOR UPDATE)", "write", ("t",)),
        ("MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE", "write", ("t",)),
        ("TRUNCATE TABLE t", "write", ("t",)),
        ("COPY t (a, b) FROM STDIN", "write", ("t",)),
        ("WITH gone AS (DELETE FROM u RETURNING *) INSERT INTO t SELECT * FROM gone", "write", ("t", "u")),
        ("/*pga_context='{\"a\": 1}'*/ UPDATE t SET a = 1", "write", ("t",)),
        ("/* a */ -- b\n /* c */ INSERT INTO t VALUES (1)", "write", ("t",)),
        ("SELECT 1; DELETE FROM t", "write", ("t",)),
        ("BEGIN", "transaction", ()),
        ("START TRANSACTION READ ONLY", "transaction", ()),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "transaction", ()),
        ('SAVEPOINT "x"', "transaction", ()),
        ("ROLLBACK TO SAVEPOINT x", "transaction", ()),
        ("CREATE TABLE t (a int)", "ddl", ()),
        ("ALTER TABLE t ADD b int", "ddl", ()),
        ("DROP INDEX i", "ddl", ()),
        ("SET search_path = x", "other", ()),
        ("VACUUM t", "other", ()),
        ("CALL p()", "other", ()),
        ("", "other", ()),
        (";;", "other", ()),
        ("%s", "other", ()),
    ],
)
def test_what_a_statement_does(sql: str, kind: str, tables: tuple[str, ...]) -> None:
    statement = parse(sql)
    assert (statement.kind, statement.tables) == (kind, tables)


# Anything that a cursor may be given.


@given(st.text(max_size=200))
def test_any_text_has_a_fingerprint_without_its_literals(text: str) -> None:
    statement = parse(shortened(text))
    assert parse(shortened(text)).fingerprint == statement.fingerprint
    assert statement.kind


@given(
    st.lists(
        st.sampled_from(["(", ")", "%s", ", ", "'", '"', "/*", "--", "$$", "1", "?", "…", " "]), max_size=60
    )
)
def test_unbalanced_text_is_taken(parts: list[str]) -> None:
    assert parse("".join(parts)).kind


@pytest.mark.parametrize(
    "part",
    ["x", "(", "'", '"', "%s, ", "(%s, ", "(%s), ", "/*", "1, ", "$$", "WHEN (a) THEN b ", "\x00", ";"],
)
def test_long_texts_take_no_time(part: str) -> None:
    text = part * (10_000_000 // len(part))
    began = time.process_time()
    parse(shortened(text))
    assert time.process_time() - began < 1


def test_bytes_and_composed_sql_are_read() -> None:
    psycopg_sql = pytest.importorskip("psycopg.sql")
    composed = psycopg_sql.SQL("SELECT {} FROM t").format(psycopg_sql.Identifier("a b"))
    assert shortened(composed) == 'SELECT "a b" FROM t'
    assert shortened(b"SELECT '\xff'") == "SELECT '\ufffd'"
    assert len(shortened(b"x" * 10_000_000)) < LONGEST + 10


def test_what_cannot_be_read_is_told_by_its_class() -> None:
    class Composed:
        def as_string(self, context: object) -> str:
            raise TypeError("needs a connection")

    assert shortened(Composed()) == "(Composed)"
    assert shortened(7) == "(int)"
