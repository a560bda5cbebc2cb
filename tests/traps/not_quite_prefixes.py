"""A narrow index beside a wider one that has its column, but not all of its rows, values or queries."""

from __future__ import annotations

from traps.tables import PARENT, T
from traps.trap import Fails, Trap, invalid, redundant

TRAPS = (
    Trap(
        "wider_gist_exclusion",
        "A GiST index gives no order: it is no wider btree.",
        (
            T,
            "CREATE INDEX t_a ON t (a)",
            "ALTER TABLE t ADD CONSTRAINT t_apart EXCLUDE USING gist (a WITH =, during WITH &&)",
        ),
        extensions=("btree_gist",),
        needed={"t_a": "SELECT * FROM t ORDER BY a"},
    ),
    Trap(
        "wider_invalid",
        "The wider one is a failed build.",
        (
            T,
            "INSERT INTO t (id, a, b) VALUES (1, 1, 1), (2, 1, 1)",
            "CREATE INDEX t_a ON t (a)",
            Fails("CREATE UNIQUE INDEX CONCURRENTLY t_ab_key ON t (a, b)"),
        ),
        {"t_ab_key": invalid()},
        served=("SELECT * FROM t WHERE a = 1",),
        by_hand=("DELETE FROM t WHERE id = 2",),
    ),
    Trap(
        "wider_partial",
        "The wider one knows some rows only (mfvanek/pg-index-health#66).",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_ab ON t (a, b) WHERE c > 0"),
        needed={"t_a": "SELECT * FROM t WHERE a = 1"},
    ),
    Trap(
        "narrow_partial",
        "The narrow one is small because it leaves rows out.",
        (T, "CREATE INDEX t_a ON t (a) WHERE c > 0", "CREATE INDEX t_ab ON t (a, b)"),
        needed={"t_a": "SELECT * FROM t WHERE a = 1 AND c > 0"},
    ),
    Trap(
        "both_partial",
        "The same rows in both.",
        (T, "CREATE INDEX t_a ON t (a) WHERE c > 0", "CREATE INDEX t_ab ON t (a, b)  WHERE (c>0)"),
        {"t_a": redundant("t_ab")},
        served=("SELECT * FROM t WHERE a = 1 AND c > 0",),
    ),
    Trap(
        "both_partial_otherwise",
        "Other rows in each.",
        (T, "CREATE INDEX t_a ON t (a) WHERE c = 1", "CREATE INDEX t_ab ON t (a, b) WHERE c = 2"),
        needed={"t_a": "SELECT * FROM t WHERE a = 1 AND c = 1"},
    ),
    Trap(
        "include_on_top",
        "The same keys, and more to read from the index alone.",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_with_b ON t (a) INCLUDE (b)"),
        {"t_a": redundant("t_a_with_b", or_rule="duplicate-index")},
        served=("SELECT * FROM t WHERE a = 1",),
    ),
    Trap(
        "include_that_the_wider_lacks",
        "Without the narrow one the query has to visit the table.",
        (
            T,
            "INSERT INTO t (id, a) SELECT g, g FROM generate_series(1, 100) AS g",
            "CREATE INDEX t_a ON t (a) INCLUDE (c)",
            "CREATE INDEX t_ab ON t (a, b)",
        ),
        needed={"t_a": "SELECT a, c FROM t WHERE a = 1"},
    ),
    Trap(
        "include_that_is_a_key_of_the_wider",
        "A key is read from the index as well as what is in INCLUDE.",
        (T, "CREATE INDEX t_a ON t (a) INCLUDE (b)", "CREATE INDEX t_ab ON t (a, b)"),
        {"t_a": redundant("t_ab")},
        served=("SELECT a, b FROM t WHERE a = 1",),
    ),
    Trap(
        "include_is_no_key",
        "What is in INCLUDE finds and sorts nothing.",
        (T, "CREATE INDEX t_ab ON t (a, b)", "CREATE INDEX t_a ON t (a, c) INCLUDE (b)"),
        needed={"t_ab": "SELECT * FROM t ORDER BY a, b"},
    ),
    Trap(
        "include_only",
        "A column that another index has in INCLUDE needs its own index.",
        (T, "CREATE INDEX t_b ON t (b)", "CREATE INDEX t_a ON t (a) INCLUDE (b)"),
        needed={"t_b": "SELECT * FROM t ORDER BY b"},
    ),
    Trap(
        "expression_and_column",
        "(a) is no prefix of (lower(code), a), whose first key is attribute 0.",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_lower ON t (lower(code), a)"),
        needed={"t_a": "SELECT * FROM t ORDER BY a"},
    ),
    Trap(
        "expression_prefix",
        "The same expression, spelled in another way.",
        (T, "CREATE INDEX t_lower ON t (lower(code))", "CREATE INDEX t_lower_a ON t (lower( code ), a)"),
        {"t_lower": redundant("t_lower_a")},
        served=("SELECT * FROM t WHERE lower(code) = 'x'",),
    ),
    Trap(
        "another_expression_prefix",
        "Both are attribute 0, and two functions.",
        (T, "CREATE INDEX t_lower ON t (lower(code))", "CREATE INDEX t_upper_a ON t (upper(code), a)"),
        needed={"t_lower": "SELECT * FROM t WHERE lower(code) = 'x'"},
    ),
    Trap(
        "name_is_a_prefix",
        "'code' is the beginning of 'code_type', and '_' a wildcard of LIKE: columns are not text.",
        (T, "CREATE INDEX t_code ON t (code)", "CREATE INDEX t_code_type ON t (code_type, a)"),
        needed={"t_code": "SELECT * FROM t WHERE code = 'x'"},
    ),
    Trap(
        "number_is_a_prefix",
        "Attribute 1 is no prefix of attribute 12, though '1' is one of '12'.",
        (
            (
                "CREATE TABLE t (a int, k int PRIMARY KEY, c3 int, c4 int, c5 int, c6 int, "
                "c7 int, c8 int, c9 int, c10 int, c11 int, c12 int)"
            ),
            "CREATE INDEX t_1 ON t (a)",
            "CREATE INDEX t_12 ON t (c12)",
            "CREATE INDEX t_1_1 ON t (c11, a)",
            "CREATE INDEX t_12_3 ON t (c12, c3)",
        ),
        {"t_12": redundant("t_12_3")},
        needed={"t_1": "SELECT * FROM t ORDER BY a"},
    ),
    Trap(
        "gin_prefix",
        "No prefix counts but a btree's: a GIN index over more columns is written to more often.",
        (T, "CREATE INDEX t_doc ON t USING gin (doc)", "CREATE INDEX t_both ON t USING gin (doc, tags)"),
    ),
    Trap(
        "gist_prefix",
        "As with GIN.",
        (T, "CREATE INDEX t_area ON t USING gist (area)", "CREATE INDEX t_both ON t USING gist (area, at)"),
    ),
    Trap(
        "brin_prefix",
        "As with GIN.",
        (T, "CREATE INDEX t_a ON t USING brin (a)", "CREATE INDEX t_ab ON t USING brin (a, b)"),
    ),
    Trap(
        "hash_and_wider_btree",
        "Another access method.",
        (T, "CREATE INDEX t_hash ON t USING hash (a)", "CREATE INDEX t_ab ON t (a, b)"),
    ),
    Trap(
        "narrow_is_partial_for_a_foreign_key",
        "WHERE parent_id IS NOT NULL serves the key; the whole index that is as narrow serves more.",
        (
            PARENT,
            "CREATE TABLE t (id int PRIMARY KEY, parent_id int REFERENCES parent, a int)",
            "CREATE INDEX t_parent ON t (parent_id) WHERE parent_id IS NOT NULL",
            "CREATE INDEX t_a_parent ON t (a, parent_id)",
        ),
    ),
    Trap(
        "column_in_key_and_include",
        "INCLUDE of a column that the index has as a key already.",
        (T, "CREATE INDEX t_a ON t (a) INCLUDE (a)", "CREATE INDEX t_ab ON t (a, b)"),
        {"t_a": redundant("t_ab")},
    ),
)
