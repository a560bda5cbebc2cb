"""Two indexes that seem to be, or are, one and the same."""

from __future__ import annotations

from traps.tables import T
from traps.trap import Fails, Trap, duplicate, invalid

TRAPS = (
    Trap(
        "twins",
        "Of two equals the younger goes.",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_again ON t (a)"),
        {"t_a_again": duplicate("t_a")},
        served=("SELECT * FROM t WHERE a = 1", "SELECT * FROM t ORDER BY a DESC"),
    ),
    Trap(
        "triplets",
        "Of three equals two go, and both for the one that stays.",
        (T, "CREATE INDEX z ON t (a, b)", "CREATE INDEX y ON t (a, b)", "CREATE INDEX x ON t (a, b)"),
        {"y": duplicate("z"), "x": duplicate("z")},
        served=("SELECT * FROM t WHERE a = 1 ORDER BY b",),
    ),
    Trap(
        "fillfactor",
        "Storage parameters say how full the pages are, not what is in them.",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_70 ON t (a) WITH (fillfactor = 70)"),
        {"t_a_70": duplicate("t_a")},
    ),
    Trap(
        "deduplicate_items",
        "As with fillfactor.",
        (T, "CREATE INDEX t_a ON t (a) WITH (deduplicate_items = off)", "CREATE INDEX t_a_on ON t (a)"),
        {"t_a_on": duplicate("t_a")},
    ),
    Trap(
        "expression_twice",
        "Up to PostgreSQL 16 the raw node text differs by where in the statement each word stood.",
        (
            T,
            "CREATE INDEX t_lower ON t (lower(code))",
            "CREATE INDEX t_lower_again ON t  (  LOWER ( code ) )",
        ),
        {"t_lower_again": duplicate("t_lower")},
        served=("SELECT * FROM t WHERE lower(code) = 'x'",),
    ),
    Trap(
        "predicate_twice",
        "As with expressions.",
        (
            T,
            "CREATE INDEX t_some ON t (a) WHERE b > 5",
            "CREATE INDEX t_some_again ON t (a)  WHERE ((b>5))",
        ),
        {"t_some_again": duplicate("t_some")},
        served=("SELECT * FROM t WHERE a = 1 AND b > 5",),
    ),
    Trap(
        "predicates_differ_in_a_constant",
        "Two status pages, two predicates (darold/pgcluu#150).",
        (T, "CREATE INDEX t_one ON t (a) WHERE b = 1", "CREATE INDEX t_two ON t (a) WHERE b = 2"),
        needed={
            "t_one": "SELECT * FROM t WHERE a = 1 AND b = 1",
            "t_two": "SELECT * FROM t WHERE a = 1 AND b = 2",
        },
    ),
    Trap(
        "predicate_implied",
        "The wider predicate serves the narrower one's queries, with a filter: not the same index.",
        (T, "CREATE INDEX t_few ON t (a) WHERE b > 10", "CREATE INDEX t_more ON t (a) WHERE b > 5"),
    ),
    Trap(
        "partial_and_whole",
        "The partial one is small, the whole one serves all rows: each has its use.",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_open ON t (a) WHERE b IS NULL"),
        needed={"t_a": "SELECT * FROM t WHERE a = 1"},
    ),
    Trap(
        "include_in_another_order",
        "The order of INCLUDE means nothing.",
        (T, "CREATE INDEX t_bc ON t (a) INCLUDE (b, c)", "CREATE INDEX t_cb ON t (a) INCLUDE (c, b)"),
        {"t_cb": duplicate("t_bc")},
        served=("SELECT a, b, c FROM t WHERE a = 1",),
    ),
    Trap(
        "include_differs",
        "Each is read alone by other queries.",
        (T, "CREATE INDEX t_b ON t (a) INCLUDE (b)", "CREATE INDEX t_c ON t (a) INCLUDE (c)"),
    ),
    Trap(
        "invalid_twin",
        "Dropping the valid one for a failed build leaves nothing to read.",
        (
            T,
            "INSERT INTO t (id, a) VALUES (1, 1), (2, 1)",
            Fails("CREATE UNIQUE INDEX CONCURRENTLY t_a_key ON t (a)"),
            "CREATE INDEX t_a ON t (a)",
        ),
        {"t_a_key": invalid(says="duplicates have to go first")},
        served=("SELECT * FROM t WHERE a = 1",),
        by_hand=("DELETE FROM t WHERE id = 2",),
    ),
    Trap(
        "invalid_older_twin",
        "The failed build is older, and still not the one to keep; built again it would be a duplicate.",
        (
            T,
            "CREATE INDEX t_a_failed ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a_failed'::regclass",
            "CREATE INDEX t_a ON t (a)",
        ),
        {"t_a_failed": invalid(says="t_a does all")},
        served=("SELECT * FROM t WHERE a = 1",),
    ),
    Trap(
        "document_paths",
        "Both have no column, so that whoever joins pg_attribute sees two equals.",
        (T, "CREATE INDEX t_x ON t ((doc ->> 'a'))", "CREATE INDEX t_y ON t ((doc ->> 'b'))"),
        needed={
            "t_x": "SELECT * FROM t WHERE doc ->> 'a' = '1'",
            "t_y": "SELECT * FROM t WHERE doc ->> 'b' = '1'",
        },
    ),
    Trap(
        "document_path_twice",
        "The very same path.",
        (T, "CREATE INDEX t_x ON t ((doc ->> 'a'))", "CREATE INDEX t_y ON t ((doc->>'a'))"),
        {"t_y": duplicate("t_x")},
    ),
    Trap(
        "expression_of_another_type",
        "The same path as text and as a number: another order.",
        (T, "CREATE INDEX t_x ON t ((doc ->> 'a'))", "CREATE INDEX t_y ON t (((doc ->> 'a')::int))"),
    ),
    Trap(
        "expression_beside_column",
        "An expression is attribute 0: without it (lower(code), a) reads as (a).",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_lower_a ON t (lower(code), a)"),
    ),
    Trap(
        "generated_column",
        "The planner does not take a column generated from an expression for the expression.",
        (
            """CREATE TABLE t (
                id int PRIMARY KEY, code text, low text GENERATED ALWAYS AS (lower(code)) STORED)""",
            "CREATE INDEX t_low ON t (low)",
            "CREATE INDEX t_lower ON t (lower(code))",
        ),
        needed={
            "t_low": "SELECT * FROM t WHERE low = 'x'",
            "t_lower": "SELECT * FROM t WHERE lower(code) = 'x'",
        },
    ),
    Trap(
        "statistics_target",
        "An expression index may carry a statistics target; of two equals the one with it is kept.",
        (
            T,
            "CREATE INDEX t_lower ON t (lower(code))",
            "ALTER INDEX t_lower ALTER COLUMN 1 SET STATISTICS 1000",
            "CREATE INDEX t_lower_again ON t (lower(code))",
        ),
        {"t_lower_again": duplicate("t_lower")},
    ),
    Trap(
        "materialized_view",
        "REFRESH … CONCURRENTLY needs the unique index, nothing needs the plain one.",
        (
            "CREATE MATERIALIZED VIEW m AS SELECT 1 AS id, 2 AS a",
            "CREATE INDEX m_id ON m (id)",
            "CREATE UNIQUE INDEX m_id_key ON m (id)",
        ),
        {"m_id": duplicate("m_id_key")},
        works=("REFRESH MATERIALIZED VIEW CONCURRENTLY m",),
    ),
    Trap(
        "unlogged",
        "An unlogged table's duplicates cost no WAL, and all the rest.",
        (
            "CREATE UNLOGGED TABLE t (id int PRIMARY KEY, a int)",
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_a_again ON t (a)",
        ),
        {"t_a_again": duplicate("t_a")},
    ),
    Trap(
        "inherited",
        "A child's index is another table's index.",
        (
            "CREATE TABLE base (id int PRIMARY KEY, a int)",
            "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (base)",
            "CREATE INDEX base_a ON base (a)",
            "CREATE INDEX child_a ON child (a)",
        ),
        needed={"child_a": "SELECT * FROM child WHERE a = 1"},
    ),
    Trap(
        "domain_and_enum",
        "Indexes on columns of types of one's own are indexes like others.",
        (
            "CREATE DOMAIN percentage AS int CHECK (VALUE BETWEEN 0 AND 100)",
            "CREATE TYPE colour AS ENUM ('red', 'green')",
            "CREATE TABLE t (id int PRIMARY KEY, share percentage, paint colour)",
            "CREATE INDEX t_share ON t (share)",
            "CREATE INDEX t_share_again ON t (share int4_ops)",
            "CREATE INDEX t_paint ON t (paint)",
            "CREATE INDEX t_paint_again ON t (paint DESC)",
        ),
        {"t_share_again": duplicate("t_share"), "t_paint_again": duplicate("t_paint")},
    ),
    Trap(
        "extension_member",
        "What an extension brings along is the extension's to change.",
        (
            "CREATE TABLE t (id int PRIMARY KEY, a int)",
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_a_again ON t (a)",
            "ALTER EXTENSION citext ADD TABLE t",
        ),
        extensions=("citext",),
    ),
    Trap(
        "ccnew_in_the_name_only",
        "A valid index may be called what it likes; it is a duplicate and no leftover.",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_ccnew ON t (a)"),
        {"t_a_ccnew": duplicate("t_a")},
    ),
    Trap(
        "trivial_predicate",
        "On a column that is never NULL the predicate leaves nothing out, but only the server's planner "
        "could say that of predicates in general: predicates that differ stay apart.",
        (T, "CREATE INDEX t_n ON t (n)", "CREATE INDEX t_n_some ON t (n) WHERE n IS NOT NULL"),
        needed={"t_n": "SELECT * FROM t ORDER BY n"},
    ),
    Trap(
        "functions_of_one_name",
        "Two functions called f in two schemas.",
        (
            "CREATE SCHEMA functions_of_one_name__other",
            T,
            "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'",
            """CREATE FUNCTION functions_of_one_name__other.f(int) RETURNS int
                IMMUTABLE LANGUAGE sql AS 'SELECT -$1'""",
            "CREATE INDEX t_f ON t (f(a))",
            "CREATE INDEX t_g ON t (functions_of_one_name__other.f(a))",
        ),
    ),
    Trap(
        "functions_of_two_types",
        "One name, two argument types.",
        (
            T,
            "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'",
            "CREATE FUNCTION f(bigint) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 7'",
            "CREATE INDEX t_f ON t (f(a))",
            "CREATE INDEX t_g ON t (f(a::bigint))",
        ),
    ),
    Trap(
        "extension_of_a_view",
        "A view, a rule and a trigger on the table change nothing for its indexes.",
        (
            T,
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_a_again ON t (a)",
        ),
        {"t_a_again": duplicate("t_a")},
        works=("SELECT * FROM v",),
    ),
    Trap(
        "statistics_object_beside",
        "Extended statistics are no index, and no reason to keep one.",
        (
            T,
            "CREATE STATISTICS t_ab ON a, b FROM t",
            "CREATE INDEX t_a_b ON t (a, b)",
            "CREATE INDEX t_a_b_again ON t (a, b)",
        ),
        {"t_a_b_again": duplicate("t_a_b")},
    ),
)
