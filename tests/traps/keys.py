"""Tables whose rows nothing tells apart, and those that only seem to be such."""

from __future__ import annotations

from traps.trap import WARNING, Trap, invalid, keyless

TRAPS = (
    Trap("keyless", "Nothing at all.", ("CREATE TABLE t (a int)",), {"t": keyless()}),
    Trap(
        "keyless_with_rows",
        "Where there are rows it matters.",
        ("CREATE TABLE t (a int)", "INSERT INTO t SELECT g FROM generate_series(1, 2000) AS g"),
        {"t": keyless(WARNING)},
    ),
    Trap("keyless_unlogged", "Rows are rows.", ("CREATE UNLOGGED TABLE t (a int)",), {"t": keyless()}),
    Trap("key_by_unique", "UNIQUE and NOT NULL will do.", ("CREATE TABLE t (a int NOT NULL UNIQUE)",)),
    Trap(
        "key_by_unique_index",
        "An index without a constraint too.",
        ("CREATE TABLE t (a int NOT NULL)", "CREATE UNIQUE INDEX t_a ON t (a)"),
    ),
    Trap(
        "key_by_nullable_unique",
        "Any number of NULLs.",
        ("CREATE TABLE t (a int UNIQUE)",),
        {"t": keyless()},
    ),
    Trap(
        "key_by_half_nullable_unique",
        "One nullable column is enough.",
        ("CREATE TABLE t (a int NOT NULL, b int, UNIQUE (a, b))",),
        {"t": keyless()},
    ),
    Trap(
        "key_by_one_null",
        "At most one row has it.",
        ("CREATE TABLE t (a int UNIQUE NULLS NOT DISTINCT)",),
        since=15,
    ),
    Trap(
        "key_by_deferrable_unique",
        "Until the end of the transaction two rows may be equal; no replica identity takes it.",
        ("CREATE TABLE t (a int NOT NULL UNIQUE DEFERRABLE)",),
        {"t": keyless()},
    ),
    Trap(
        "primary_key_deferrable",
        "A primary key all the same.",
        ("CREATE TABLE t (a int PRIMARY KEY DEFERRABLE)",),
    ),
    Trap(
        "key_by_partial_unique",
        "The other rows may be equal.",
        ("CREATE TABLE t (a int NOT NULL, b int)", "CREATE UNIQUE INDEX t_a ON t (a) WHERE b = 1"),
        {"t": keyless()},
    ),
    Trap(
        "key_by_unique_expression",
        "It may be NULL, and no replica identity takes it.",
        ("CREATE TABLE t (a text NOT NULL)", "CREATE UNIQUE INDEX t_a ON t (lower(a))"),
        {"t": keyless()},
    ),
    Trap(
        "key_by_exclusion",
        "Apart is not the same as told apart: NULLs, and no replica identity.",
        ("CREATE TABLE t (a int NOT NULL, EXCLUDE USING btree (a WITH =))",),
        {"t": keyless()},
    ),
    Trap(
        "key_by_invalid_unique",
        "Some rows were never checked.",
        (
            "CREATE TABLE t (a int NOT NULL)",
            "CREATE UNIQUE INDEX t_a ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass",
        ),
        {"t": keyless(), "t_a": invalid()},
    ),
    Trap(
        "key_not_inherited",
        "An heir does not inherit the primary key.",
        ("CREATE TABLE base (id int PRIMARY KEY)", "CREATE TABLE heir () INHERITS (base)"),
        {"heir": keyless()},
    ),
    Trap(
        "no_key_wanted",
        "Views, materialized views and tables on other servers have none.",
        (
            "CREATE VIEW v AS SELECT 1 AS a",
            "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a",
            "CREATE FOREIGN DATA WRAPPER elsewhere",
            "CREATE SERVER yonder FOREIGN DATA WRAPPER elsewhere",
            "CREATE FOREIGN TABLE f (a int) SERVER yonder",
        ),
    ),
    Trap(
        "no_key_of_an_extension",
        "The extension's to change.",
        ("CREATE TABLE t (a int)", "ALTER EXTENSION citext ADD TABLE t"),
        extensions=("citext",),
    ),
    Trap(
        "key_temporal_on_table",
        "A key WITHOUT OVERLAPS is a primary key.",
        ("CREATE TABLE t (room int4range, during int4range, PRIMARY KEY (room, during WITHOUT OVERLAPS))",),
        since=18,
    ),
    Trap(
        "replica_identity_full",
        "It makes replication go, slowly, and tells no rows apart.",
        ("CREATE TABLE t (a int)", "ALTER TABLE t REPLICA IDENTITY FULL"),
        {"t": keyless()},
    ),
)
