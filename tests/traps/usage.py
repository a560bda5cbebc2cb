"""Indexes that nobody reads, and those that work without being read.

Every table here is large enough for an index to make sense, and the statistics are taken as they are,
however young. What has been read was read by a query of the trap's.
"""

from __future__ import annotations

from traps.tables import FILLED
from traps.trap import WARNING, Trap, duplicate, invalid, redundant, unindexed, unused

PARENT = (
    "CREATE TABLE parent (id int PRIMARY KEY, x int, UNIQUE (id, x))",
    "INSERT INTO parent SELECT g, g FROM generate_series(1, 50) AS g",
)
CHILD = (
    *PARENT,
    "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, a int, b int)",
    "INSERT INTO child SELECT g, 1 + g % 50, g, g FROM generate_series(1, 2000) AS g",
)

TRAPS = (
    Trap(
        "never_read",
        "No query has read it.",
        (*FILLED, "CREATE INDEX t_a ON t (a)"),
        {"t_a": unused()},
    ),
    Trap(
        "read",
        "One has.",
        (*FILLED, "CREATE INDEX t_a ON t (a)"),
        read={"t_a": "SELECT * FROM t WHERE a = 5"},
    ),
    Trap(
        "read_by_bitmap",
        "A bitmap scan is a scan, though the rows are counted elsewhere.",
        (*FILLED, "CREATE INDEX t_b ON t (b)"),
        read={"t_b": "SELECT * FROM t WHERE b = 5 OR b = 7"},
    ),
    Trap(
        "read_for_the_greatest",
        "So is the first entry of a backward scan.",
        (*FILLED, "CREATE INDEX t_a ON t (a)"),
        read={"t_a": "SELECT max(a) FROM t"},
    ),
    Trap(
        "small_table",
        "On a table of one page the planner rightly reads the table.",
        (
            "CREATE TABLE t (id int PRIMARY KEY, a int)",
            "INSERT INTO t VALUES (1, 1)",
            "CREATE INDEX t_a ON t (a)",
        ),
    ),
    Trap(
        "unread_unique",
        "A thousand inserts were checked by it, and not one counts as a scan.",
        (*FILLED, "CREATE UNIQUE INDEX t_a_key ON t (a)"),
        refused=("INSERT INTO t (id, a) VALUES (0, 5)",),
    ),
    Trap(
        "unread_partial_unique",
        "It refuses duplicates among some rows.",
        (*FILLED, "CREATE UNIQUE INDEX t_a_key ON t (a) WHERE c = 1"),
    ),
    Trap(
        "unread_unique_expression",
        "The usual way to make names unique without regard to case.",
        (*FILLED, "CREATE UNIQUE INDEX t_lower_key ON t (lower(code))"),
    ),
    Trap(
        "unread_constraints",
        "A constraint's index cannot be dropped, deferrable or not.",
        (
            *FILLED,
            "ALTER TABLE t ADD CONSTRAINT one UNIQUE (a)",
            "ALTER TABLE t ADD CONSTRAINT two UNIQUE (b, a) DEFERRABLE INITIALLY DEFERRED",
        ),
    ),
    Trap(
        "unread_exclusion",
        "No exclusion constraint's index is unique by pg_index, so that all others called it unused.",
        (
            *FILLED,
            "ALTER TABLE t ADD CONSTRAINT t_apart EXCLUDE USING gist (int4range(a, a + 1) WITH &&)",
            "ALTER TABLE t ADD CONSTRAINT t_other EXCLUDE USING btree (a WITH =) WHERE (c = 1)",
        ),
    ),
    Trap(
        "unread_replica_identity",
        "Subscribers find the rows to change by it.",
        (
            *FILLED,
            "ALTER TABLE t ALTER a SET NOT NULL",
            "CREATE UNIQUE INDEX t_a_identity ON t (a)",
            "ALTER TABLE t REPLICA IDENTITY USING INDEX t_a_identity",
        ),
    ),
    Trap(
        "unread_clustered",
        "CLUSTER goes by it.",
        (*FILLED, "CREATE INDEX t_a ON t (a)", "ALTER TABLE t CLUSTER ON t_a"),
        works=("CLUSTER t",),
    ),
    Trap(
        "unread_foreign_key",
        "A parent that is deleted one day would read the whole table without it.",
        (*CHILD, "CREATE INDEX child_parent ON child (parent_id)"),
    ),
    Trap(
        "unread_foreign_key_partial",
        "WHERE parent_id IS NOT NULL serves the key as well.",
        (*CHILD, "CREATE INDEX child_parent ON child (parent_id) WHERE parent_id IS NOT NULL"),
    ),
    Trap(
        "unread_foreign_key_hash",
        "So does a hash index.",
        (*CHILD, "CREATE INDEX child_parent ON child USING hash (parent_id)"),
    ),
    Trap(
        "unread_foreign_key_in_another_order",
        "A key of two columns is served by an index on them in any order.",
        (
            *PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, k1 int, k2 int, "
            "FOREIGN KEY (k1, k2) REFERENCES parent (id, x))",
            "INSERT INTO child SELECT g, 1 + g % 50, 1 + g % 50 FROM generate_series(1, 2000) AS g",
            "CREATE INDEX child_k2_k1 ON child (k2, k1)",
        ),
    ),
    Trap(
        "unread_foreign_key_not_valid",
        "NOT VALID means that old rows were not checked; deletes on the parent are.",
        (
            *PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int)",
            "INSERT INTO child SELECT g, g % 50 FROM generate_series(1, 2000) AS g",
            "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
            "CREATE INDEX child_parent ON child (parent_id)",
        ),
    ),
    Trap(
        "unread_foreign_key_not_enforced",
        "Nothing looks up a key that is not enforced: its index is like any other.",
        (
            *PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int)",
            "INSERT INTO child SELECT g, g % 50 FROM generate_series(1, 2000) AS g",
            "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT ENFORCED",
            "CREATE INDEX child_parent ON child (parent_id)",
        ),
        {"child_parent": unused()},
        since=18,
    ),
    Trap(
        "unread_beside_the_foreign_keys_own",
        "It holds the key's column somewhere, which serves the key nothing.",
        (
            *CHILD,
            "CREATE INDEX child_parent ON child (parent_id)",
            "CREATE INDEX child_a_parent ON child (a, parent_id)",
        ),
        {"child_a_parent": unused()},
    ),
    Trap(
        "unread_wider_for_a_foreign_key",
        "The narrow one is redundant, and then the wider one serves the key: one goes, never both.",
        (
            *CHILD,
            "CREATE INDEX child_parent ON child (parent_id)",
            "CREATE INDEX child_parent_a ON child (parent_id, a)",
        ),
        {"child_parent": redundant("child_parent_a")},
        read={"child_parent": "SELECT count(*) FROM child WHERE parent_id < 40"},
    ),
    Trap(
        "unread_partial_beside_a_foreign_key",
        "WHERE a = 5 serves no key.",
        (
            *CHILD,
            "CREATE INDEX child_parent ON child (parent_id)",
            "CREATE INDEX child_some ON child (parent_id) WHERE a = 5",
        ),
        {"child_some": unused()},
    ),
    Trap(
        "unread_twins",
        "One goes as a duplicate, the other because nobody reads either.",
        (*FILLED, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_again ON t (a)"),
        {"t_a": unused(), "t_a_again": (duplicate("t_a"), unused(optional=True))},
    ),
    Trap(
        "read_twin_goes",
        "The twin that stays takes over the scans of the one that goes.",
        (
            *FILLED,
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_a_read ON t (a)",
            # The planner takes the smaller of two equals.
            "ALTER INDEX t_a SET (fillfactor = 30)",
            "REINDEX INDEX t_a",
        ),
        {"t_a_read": duplicate("t_a")},
        read={"t_a_read": "SELECT * FROM t WHERE a = 5"},
    ),
    Trap(
        "read_narrow_goes",
        "All scans are the narrow one's. Either could go; to name both would leave the queries nothing.",
        (*FILLED, "CREATE INDEX t_b ON t (b)", "CREATE INDEX t_ba ON t (b, a)"),
        {"t_b": redundant("t_ba")},
        read={"t_b": "SELECT count(*) FROM t WHERE b < 80"},
        served=("SELECT * FROM t WHERE b = 5",),
    ),
    Trap(
        "unread_narrow",
        "Unread and redundant: to say one of the two is enough.",
        (*FILLED, "CREATE INDEX t_b ON t (b)", "CREATE INDEX t_ba ON t (b, a)"),
        {"t_b": (redundant("t_ba"), unused(optional=True))},
        read={"t_ba": "SELECT * FROM t WHERE b = 5 AND a = 5"},
    ),
    Trap(
        "unread_chain",
        "Nobody reads any of the three.",
        (
            *FILLED,
            "CREATE INDEX t_c ON t (c)",
            "CREATE INDEX t_cb ON t (c, b)",
            "CREATE INDEX t_cba ON t (c, b, a)",
        ),
        {
            "t_c": (redundant("t_cba"), unused(optional=True)),
            "t_cb": (redundant("t_cba"), unused(optional=True)),
            "t_cba": unused(),
        },
    ),
    Trap(
        "unread_expression",
        "The planner uses the statistics on its expression without ever reading it.",
        (*FILLED, "CREATE INDEX t_lower ON t (lower(code))"),
        {"t_lower": unused(says="statistics on its expression")},
    ),
    Trap(
        "unread_partial",
        "A partial index that nobody reads.",
        (*FILLED, "CREATE INDEX t_some ON t (a) WHERE c = 1"),
        {"t_some": unused()},
    ),
    Trap(
        "unread_include",
        "A covering index that nobody reads.",
        (*FILLED, "CREATE INDEX t_a ON t (a) INCLUDE (b)"),
        {"t_a": unused()},
    ),
    Trap(
        "unread_access_methods",
        "Whatever the access method.",
        (
            *FILLED,
            "CREATE INDEX t_hash ON t USING hash (code)",
            "CREATE INDEX t_brin ON t USING brin (a)",
            "CREATE INDEX t_gin ON t USING gin (string_to_array(code, ' '))",
            "CREATE INDEX t_gist ON t USING gist (point(a, b))",
            "CREATE INDEX t_spgist ON t USING spgist (code)",
        ),
        {
            "t_hash": unused(),
            "t_brin": unused(),
            "t_gin": unused(),
            "t_gist": unused(),
            "t_spgist": unused(),
        },
    ),
    Trap(
        "unread_like_companion",
        "The plain one is read, the companion is not.",
        (*FILLED, "CREATE INDEX t_code ON t (code)", "CREATE INDEX t_like ON t (code text_pattern_ops)"),
        {"t_like": unused()},
        read={"t_code": "SELECT * FROM t ORDER BY code LIMIT 1"},
    ),
    Trap(
        "unread_invalid",
        "A failed build has no scans, and that is not what is wrong with it.",
        (
            *FILLED,
            "CREATE INDEX t_a ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass",
        ),
        {"t_a": invalid()},
    ),
    Trap(
        "unread_on_materialized_view",
        "REFRESH … CONCURRENTLY needs the unique index, which no query reads; the plain one nobody needs.",
        (
            "CREATE MATERIALIZED VIEW m AS SELECT g AS id, g AS a FROM generate_series(1, 2000) AS g",
            "CREATE UNIQUE INDEX m_key ON m (id)",
            "CREATE INDEX m_a ON m (a)",
        ),
        {"m_a": unused()},
        works=("REFRESH MATERIALIZED VIEW CONCURRENTLY m",),
    ),
    Trap(
        "unread_unlogged",
        "An unlogged table's index.",
        (
            "CREATE UNLOGGED TABLE t (id int PRIMARY KEY, a int)",
            "INSERT INTO t SELECT g, g FROM generate_series(1, 2000) AS g",
            "CREATE INDEX t_a ON t (a)",
        ),
        {"t_a": unused()},
    ),
    Trap(
        "unread_of_a_child",
        "A table that inherits is no partition: its index can be dropped alone.",
        (
            "CREATE TABLE base (id int PRIMARY KEY, a int)",
            "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (base)",
            "INSERT INTO child SELECT g, g FROM generate_series(1, 2000) AS g",
            "CREATE INDEX child_a ON child (a)",
        ),
        {"child_a": unused()},
    ),
    Trap(
        "unread_of_an_extension",
        "What an extension brings along is the extension's to change.",
        (*FILLED, "CREATE INDEX t_a ON t (a)", "ALTER EXTENSION pg_trgm ADD TABLE t"),
        extensions=("pg_trgm",),
    ),
    Trap(
        "unread_and_the_foreign_key_bare",
        "The index on another column is unread, the key's own is missing: two things, two findings.",
        (*CHILD, "CREATE INDEX child_a ON child (a)"),
        {"child_a": unused(), "child.parent_id": unindexed(WARNING)},
    ),
    Trap(
        "read_by_a_foreign_key_check",
        "Each row of the child looks its parent up: the parent's unique index is read, and must stay.",
        (
            *FILLED,
            "CREATE UNIQUE INDEX t_a_target ON t (a)",
            "CREATE TABLE child (id int PRIMARY KEY REFERENCES t (a))",
            "INSERT INTO child SELECT g FROM generate_series(1, 50) AS g",
        ),
    ),
    Trap(
        "read_and_rolled_back",
        "A scan counts whatever becomes of its transaction.",
        (*FILLED, "CREATE INDEX t_a ON t (a)"),
        read={"t_a": "BEGIN; SELECT * FROM t WHERE a = 5; ROLLBACK"},
    ),
)
