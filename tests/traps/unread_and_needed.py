"""Indexes that nobody reads and that work all the same: they refuse rows, order them, or serve a key.

The tables are large and the statistics young, as in ``usage``.
"""

from __future__ import annotations

from traps.tables import FILLED
from traps.trap import WARNING, Trap, redundant, unindexed, unused

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
            (
                "CREATE TABLE child (id int PRIMARY KEY, k1 int, k2 int, "
                "FOREIGN KEY (k1, k2) REFERENCES parent (id, x))"
            ),
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
        "unread_nulls_not_distinct",
        "A unique index is a promise, however it treats NULLs.",
        (*FILLED, "CREATE UNIQUE INDEX t_a_key ON t (a) NULLS NOT DISTINCT"),
        since=15,
    ),
    Trap(
        "unread_index_of_a_reference_by_unique",
        "A foreign key leans on it, and no row has come yet to be checked.",
        (
            *FILLED,
            "CREATE UNIQUE INDEX t_a_target ON t (a)",
            "CREATE TABLE child (id int PRIMARY KEY REFERENCES t (a))",
        ),
        refused=("DROP INDEX t_a_target",),
    ),
    Trap(
        "unread_two_that_serve_a_key",
        "Each of the two serves the key, and no one is another's prefix: one would do, both may stay.",
        (
            *CHILD,
            "CREATE INDEX child_one ON child (parent_id, a)",
            "CREATE INDEX child_two ON child (parent_id, b)",
        ),
    ),
)
