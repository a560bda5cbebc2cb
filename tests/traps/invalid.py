"""Indexes that are not what they should be: failed builds, and what rebuilds leave behind."""

from __future__ import annotations

from traps.tables import T
from traps.trap import Fails, Trap, invalid

#: An index whose rebuild fails half-way, as it would by a deadlock or a timeout.
FAILS_TO_REBUILD = (
    T,
    "INSERT INTO t (id, a) VALUES (1, 1)",
    "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END'",
    "CREATE INDEX t_f ON t (f(a))",
    (
        "CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql "
        "AS 'BEGIN RAISE ''broken''; END'"
    ),
    Fails("REINDEX INDEX CONCURRENTLY t_f"),
)
MENDED = (
    "CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END'"
)

TRAPS = (
    Trap(
        "failed_unique_build",
        "Duplicates stopped the build early: it refuses nothing, and IF NOT EXISTS finds it there.",
        (
            T,
            "INSERT INTO t (id, a) VALUES (1, 1), (2, 1)",
            Fails("CREATE UNIQUE INDEX CONCURRENTLY t_a_key ON t (a)"),
        ),
        {"t_a_key": invalid(says="duplicates have to go first")},
        by_hand=("DELETE FROM t WHERE id = 2",),
        refused=("INSERT INTO t (id, a) VALUES (3, 1)",),
    ),
    Trap(
        "failed_unique_build_still_refuses",
        "A build that failed late is kept up by every write, and refuses duplicates.",
        (
            T,
            "CREATE UNIQUE INDEX t_a_key ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a_key'::regclass",
        ),
        {"t_a_key": invalid(says="refuses duplicate")},
        works=("INSERT INTO t (id, a) VALUES (1, 1)",),
        refused=("INSERT INTO t (id, a) VALUES (2, 1)",),
    ),
    Trap(
        "failed_plain_build",
        "An index that everybody believes in and no query reads.",
        (
            T,
            "CREATE INDEX t_a ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass",
        ),
        {"t_a": invalid()},
    ),
    Trap(
        "failed_partial_expression_build",
        "The fix has to build it again with all that it had.",
        (
            T,
            (
                "CREATE INDEX t_all ON t USING btree (lower(code) text_pattern_ops DESC) INCLUDE (b) "
                "WITH (fillfactor = 70) WHERE c > 5"
            ),
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_all'::regclass",
        ),
        {"t_all": invalid()},
        served=("SELECT 1 FROM t WHERE lower(code) = 'x' AND c > 7",),
    ),
    Trap(
        "failed_rebuild",
        "The copy is to go; the index that it was to replace works.",
        (*FAILS_TO_REBUILD, MENDED),
        {"t_f_ccnew": invalid(says="DROP INDEX")},
        served=("SELECT * FROM t WHERE f(a) = 1",),
    ),
    Trap(
        "failed_rebuild_twice",
        "The second leftover gets a number: t_f_ccnew1.",
        (*FAILS_TO_REBUILD, Fails("REINDEX INDEX CONCURRENTLY t_f"), MENDED),
        {"t_f_ccnew": invalid(says="DROP INDEX"), "t_f_ccnew1": invalid(says="DROP INDEX")},
        served=("SELECT * FROM t WHERE f(a) = 1",),
    ),
    Trap(
        "failed_rebuild_of_a_long_name",
        "Where the name is too long the server cuts it before it appends its suffix.",
        (
            *FAILS_TO_REBUILD[:-1],
            f"ALTER INDEX t_f RENAME TO t_{'f' * 61}",
            Fails(f"REINDEX INDEX CONCURRENTLY t_{'f' * 61}"),
            MENDED,
        ),
        {f"t_{'f' * 55}_ccnew": invalid(says="DROP INDEX")},
        served=("SELECT * FROM t WHERE f(a) = 1",),
    ),
    Trap(
        "leftover_of_a_rebuild",
        "The old copy is to go: its replacement is in place.",
        (
            T,
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_a_ccold ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a_ccold'::regclass",
        ),
        {"t_a_ccold": invalid(says="DROP INDEX")},
        served=("SELECT * FROM t WHERE a = 1",),
    ),
    Trap(
        "leftover_without_its_original",
        "Whoever dropped the index left its copy: nothing works, and nobody must say that it does.",
        (*FAILS_TO_REBUILD, MENDED, "DROP INDEX t_f"),
        {"t_f_ccnew": invalid(says="is gone")},
    ),
    Trap(
        "failed_rebuild_of_a_failed_build",
        "The original is invalid itself: nobody must say that it works.",
        (
            *FAILS_TO_REBUILD,
            MENDED,
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_f'::regclass",
        ),
        {"t_f": invalid(), "t_f_ccnew": invalid(says="t_f does not work either")},
        served=("SELECT * FROM t WHERE f(a) = 1",),
    ),
    Trap(
        "failed_and_tried_again",
        "Built in the meantime under another name: built again the first would be its duplicate.",
        (
            T,
            "CREATE INDEX t_a ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass",
            "CREATE INDEX t_a_second ON t (a)",
        ),
        {"t_a": invalid(says="t_a_second does all")},
        served=("SELECT * FROM t WHERE a = 1",),
    ),
    Trap(
        "failed_and_wider",
        "A wider one that works has made it superfluous before it was built.",
        (
            T,
            "CREATE INDEX t_a ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass",
            "CREATE INDEX t_ab ON t (a, b)",
        ),
        {"t_a": invalid(says="t_ab does all")},
        served=("SELECT * FROM t WHERE a = 1",),
    ),
    Trap(
        "failed_unique_and_plain",
        "A plain index that works does not refuse what the unique one was to refuse.",
        (
            T,
            "CREATE UNIQUE INDEX t_a_key ON t (a)",
            (
                "UPDATE pg_index SET indisvalid = false, indisready = false "
                "WHERE indexrelid = 't_a_key'::regclass"
            ),
            "CREATE INDEX t_ab ON t (a, b)",
        ),
        {"t_a_key": invalid()},
        works=("INSERT INTO t (id, a) VALUES (1, 1)",),
        refused=("INSERT INTO t (id, a) VALUES (2, 1)",),
    ),
    Trap(
        "leftover_without_its_replacement",
        "The old copy alone: nobody must say that another is in place.",
        (
            T,
            "CREATE INDEX t_a_ccold ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a_ccold'::regclass",
        ),
        {"t_a_ccold": invalid(says="no working replacement")},
    ),
    Trap(
        "half_dropped",
        "DROP INDEX CONCURRENTLY that did not finish: neither read nor written, and there.",
        (
            T,
            "CREATE INDEX t_a ON t (a)",
            (
                "UPDATE pg_index SET indisvalid = false, indisready = false, indislive = false "
                "WHERE indexrelid = 't_a'::regclass"
            ),
        ),
        {"t_a": invalid(says="DROP INDEX")},
    ),
    Trap(
        "failed_on_a_partition",
        "A partition's own index, which no root knows.",
        (
            "CREATE TABLE p (id int PRIMARY KEY, a int) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
            "CREATE INDEX p1_own ON p1 (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'p1_own'::regclass",
        ),
        {"p1_own": invalid()},
    ),
    Trap(
        "failed_on_a_materialized_view",
        "Without a valid unique index REFRESH … CONCURRENTLY is refused; the fix brings it back.",
        (
            "CREATE MATERIALIZED VIEW m AS SELECT 1 AS id",
            "CREATE UNIQUE INDEX m_key ON m (id)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'm_key'::regclass",
        ),
        {"m_key": invalid()},
        works=("REFRESH MATERIALIZED VIEW CONCURRENTLY m",),
    ),
    Trap(
        "valid_names",
        "A name that ends like a leftover's, on indexes that work.",
        (T, "CREATE INDEX t_a_ccnew ON t (a)", "CREATE INDEX t_b_ccold ON t (b)"),
    ),
)
