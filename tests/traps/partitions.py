"""Partitioned tables: one index in many places, and the few that one can drop."""

from __future__ import annotations

from dataclasses import replace

from traps.tables import FILLED_PARTITIONED, PARENT, PARTITIONED
from traps.trap import Trap, duplicate, invalid, keyless, redundant, unindexed, unused

NESTED = (
    "CREATE TABLE p (id int NOT NULL, a int, b int, PRIMARY KEY (id)) PARTITION BY RANGE (id)",
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000) PARTITION BY RANGE (id)",
    "CREATE TABLE p1a PARTITION OF p1 FOR VALUES FROM (0) TO (1000)",
    "CREATE TABLE p1b PARTITION OF p1 FOR VALUES FROM (1000) TO (2000)",
    "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000)",
    "INSERT INTO p SELECT g, g, g % 100 FROM generate_series(0, 3999) AS g",
)

TRAPS = (
    Trap(
        "roots_twice",
        "Named once, at the root: the partitions' indexes go with it, and cannot go alone.",
        (*PARTITIONED, "CREATE INDEX p_a ON p (a)", "CREATE INDEX p_a_again ON p (a)"),
        {"p_a_again": duplicate("p_a")},
        served=("SELECT * FROM p1 WHERE a = 1",),
    ),
    Trap(
        "root_prefix",
        "The same with a prefix; DROP INDEX CONCURRENTLY is refused on a partitioned index.",
        (*PARTITIONED, "CREATE INDEX p_a ON p (a)", "CREATE INDEX p_ab ON p (a, b)"),
        {"p_a": redundant("p_ab")},
        served=("SELECT * FROM p1 WHERE a = 1",),
    ),
    Trap(
        "root_prefix_of_the_primary_key",
        "The key's index on the root covers.",
        (*PARTITIONED, "CREATE INDEX p_id ON p (id)"),
        {"p_id": duplicate("p_pkey")},
    ),
    Trap(
        "local_twin",
        "A partition's own index that repeats the attached one: it can go, the attached one cannot.",
        (*PARTITIONED, "CREATE INDEX p_a ON p (a)", "CREATE INDEX p1_own ON p1 (a)"),
        {"p1_own": duplicate("p1_a_idx")},
        served=("SELECT * FROM p1 WHERE a = 1",),
        refused=("DROP INDEX p1_a_idx",),
    ),
    Trap(
        "local_twin_is_older",
        "The attached one stays, though it came later.",
        (
            *PARTITIONED,
            "CREATE INDEX p1_own ON p1 (a)",
            "CREATE INDEX p1_attached ON p1 (a)",
            "CREATE INDEX p_a ON ONLY p (a)",
            "ALTER INDEX p_a ATTACH PARTITION p1_attached",
            "CREATE INDEX p2_attached ON p2 (a)",
            "ALTER INDEX p_a ATTACH PARTITION p2_attached",
        ),
        {"p1_own": duplicate("p1_attached")},
    ),
    Trap(
        "local_narrow",
        "A partition's own narrow index beside a wider attached one.",
        (*PARTITIONED, "CREATE INDEX p_ab ON p (a, b)", "CREATE INDEX p1_own ON p1 (a)"),
        {"p1_own": redundant("p1_a_b_idx")},
    ),
    Trap(
        "local_wider",
        "The attached narrow one cannot be dropped alone, and the other partition needs it.",
        (*PARTITIONED, "CREATE INDEX p_a ON p (a)", "CREATE INDEX p1_own ON p1 (a, b)"),
        refused=("DROP INDEX p1_a_idx",),
    ),
    Trap(
        "attached_unique_and_local",
        "A partition's own plain index beside the primary key's part.",
        (*PARTITIONED, "CREATE INDEX p2_own ON p2 (id)"),
        {"p2_own": duplicate("p2_pkey")},
    ),
    Trap(
        "local_only",
        "Indexes that only some partitions have are nobody's duplicates.",
        (*PARTITIONED, "CREATE INDEX p1_a ON p1 (a)", "CREATE INDEX p2_b ON p2 (b)"),
    ),
    Trap(
        "same_on_each_partition",
        "Equal indexes of two partitions lie on two tables.",
        (*PARTITIONED, "CREATE INDEX p1_a ON p1 (a)", "CREATE INDEX p2_a ON p2 (a)"),
    ),
    Trap(
        "one_partition_unread",
        "Last year's partition is not read; its index belongs to one that is, and cannot go.",
        (*FILLED_PARTITIONED, "CREATE INDEX p_a ON p (a)"),
        read={"p2_a_idx": "SELECT * FROM p2 WHERE a = 3000"},
        refused=("DROP INDEX p1_a_idx",),
    ),
    Trap(
        "no_partition_read",
        "No partition's is read: named once, at the root.",
        (*FILLED_PARTITIONED, "CREATE INDEX p_a ON p (a)"),
        {"p_a": unused()},
    ),
    Trap(
        "nested_partition_read",
        "The one scan is two floors down.",
        (*NESTED, "CREATE INDEX p_a ON p (a)"),
        read={"p1b_a_idx": "SELECT * FROM p1b WHERE a = 1500"},
    ),
    Trap(
        "nested_never_read",
        "A root, a partitioned partition and three leaves: one finding.",
        (*NESTED, "CREATE INDEX p_a ON p (a)"),
        {"p_a": unused()},
    ),
    Trap(
        "nested_middle_index",
        "An index made on the partitioned partition alone has its own root there.",
        (*NESTED, "CREATE INDEX p1_a ON p1 (a)"),
        {"p1_a": unused()},
    ),
    Trap(
        "local_unread",
        "A partition's own index can be dropped like any other.",
        (*FILLED_PARTITIONED, "CREATE INDEX p1_own ON p1 (b)"),
        {"p1_own": unused()},
    ),
    Trap(
        "root_not_complete",
        "ON ONLY leaves an invalid root until every partition has its index attached.",
        (
            *PARTITIONED,
            "CREATE INDEX p_a ON ONLY p (a)",
            "CREATE INDEX p1_a ON p1 (a)",
            "ALTER INDEX p_a ATTACH PARTITION p1_a",
        ),
        {"p_a": invalid()},
    ),
    Trap(
        "root_without_any",
        "The same with nothing attached at all.",
        (*PARTITIONED, "CREATE INDEX p_a ON ONLY p (a)"),
        {"p_a": invalid()},
    ),
    Trap(
        "root_without_partitions",
        "A root over no partition at all is complete.",
        (
            "CREATE TABLE p (id int PRIMARY KEY, a int) PARTITION BY RANGE (id)",
            "CREATE INDEX p_a ON p (a)",
        ),
    ),
    Trap(
        "root_complete",
        "With the last partition attached it becomes valid.",
        (
            *PARTITIONED,
            "CREATE INDEX p_a ON ONLY p (a)",
            "CREATE INDEX p1_a ON p1 (a)",
            "CREATE INDEX p2_a ON p2 (a)",
            "ALTER INDEX p_a ATTACH PARTITION p1_a",
            "ALTER INDEX p_a ATTACH PARTITION p2_a",
        ),
    ),
    Trap(
        "incomplete_root_and_a_complete_one",
        "The incomplete root must not stand in for the complete one.",
        (*PARTITIONED, "CREATE INDEX p_a ON p (a)", "CREATE INDEX p_a_only ON ONLY p (a, b)"),
        {"p_a_only": invalid()},
        served=("SELECT * FROM p1 WHERE a = 1",),
    ),
    Trap(
        "partitioned_foreign_key",
        "The key of the root is copied to each partition; one finding, and no CONCURRENTLY in its fix.",
        (
            PARENT,
            "CREATE TABLE p (id int PRIMARY KEY, parent_id int REFERENCES parent) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
            "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000)",
        ),
        {"p.parent_id": unindexed()},
    ),
    Trap(
        "partitioned_foreign_key_indexed",
        "The root's index serves every copy.",
        (
            PARENT,
            "CREATE TABLE p (id int PRIMARY KEY, parent_id int REFERENCES parent) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
            "CREATE INDEX p_parent_id ON p (parent_id)",
        ),
    ),
    Trap(
        "partitioned_foreign_key_indexed_piece_by_piece",
        "The lookup goes to each partition, which has its own index.",
        (
            PARENT,
            "CREATE TABLE p (id int PRIMARY KEY, parent_id int REFERENCES parent) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
            "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000)",
            "CREATE INDEX p1_parent_id ON p1 (parent_id)",
            "CREATE INDEX p2_parent_id ON p2 (parent_id)",
        ),
    ),
    Trap(
        "partitioned_foreign_key_missing_a_piece",
        "One partition has no index, and is read from end to end.",
        (
            PARENT,
            "CREATE TABLE p (id int PRIMARY KEY, parent_id int REFERENCES parent) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
            "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000)",
            "CREATE INDEX p1_parent_id ON p1 (parent_id)",
        ),
        {"p.parent_id": unindexed()},
    ),
    Trap(
        "foreign_key_of_one_partition",
        "A key that only a partition has is that partition's.",
        (
            PARENT,
            *PARTITIONED,
            "ALTER TABLE p1 ADD FOREIGN KEY (a) REFERENCES parent",
        ),
        {"p1.a": unindexed()},
    ),
    Trap(
        "foreign_key_to_a_partitioned_table",
        "One key, with a copy for each partition that it refers to.",
        (*PARTITIONED, "CREATE TABLE child (id int PRIMARY KEY, p_id int REFERENCES p)"),
        {"child.p_id": unindexed()},
    ),
    Trap(
        "foreign_key_to_a_partitioned_table_indexed",
        "The same with its index.",
        (
            *PARTITIONED,
            "CREATE TABLE child (id int PRIMARY KEY, p_id int REFERENCES p)",
            "CREATE INDEX child_p_id ON child (p_id)",
        ),
    ),
    Trap(
        "partitioned_without_key",
        "Judged as a whole: one finding for the root, none for its partitions.",
        (
            "CREATE TABLE p (id int, a int) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
            "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000)",
        ),
        {"p": keyless()},
    ),
    Trap(
        "keys_on_the_partitions",
        "A key on each partition tells the rows of each apart.",
        (
            "CREATE TABLE p (id int, a int) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF p (PRIMARY KEY (a)) FOR VALUES FROM (0) TO (2000)",
            "CREATE TABLE p2 PARTITION OF p (PRIMARY KEY (a)) FOR VALUES FROM (2000) TO (4000)",
        ),
    ),
    Trap(
        "foreign_partition",
        "A partition on another server has no index here, and the root is complete without.",
        (
            "CREATE TABLE p (id int NOT NULL, a int) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF p (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (2000)",
            "CREATE FOREIGN DATA WRAPPER far",
            "CREATE SERVER away FOREIGN DATA WRAPPER far",
            "CREATE FOREIGN TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000) SERVER away",
            "CREATE INDEX p_a ON p (a)",
        ),
        {"p": replace(keyless(), optional=True)},
    ),
)
