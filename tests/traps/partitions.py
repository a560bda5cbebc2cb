"""Partitioned tables: one index in many places, and the few that one can drop."""

from __future__ import annotations

from traps.tables import FILLED_PARTITIONED, PARTITIONED
from traps.trap import Trap, duplicate, invalid, redundant, unused

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
        "middle_twin",
        "The partitioned partition's own root repeats the one that is attached to the top.",
        (*NESTED, "CREATE INDEX p_a ON p (a)", "CREATE INDEX p1_own ON p1 (a)"),
        {"p1_own": (duplicate("p1_a_idx"), unused(optional=True)), "p_a": unused()},
    ),
    Trap(
        "unread_unique_root",
        "A unique root over the partition key refuses duplicates.",
        (*FILLED_PARTITIONED, "CREATE UNIQUE INDEX p_ab ON p (id, a)"),
        refused=("INSERT INTO p VALUES (1, 1, 5)",),
    ),
    Trap(
        "detached",
        "A partition that was detached keeps its indexes, and its constraint.",
        (
            *PARTITIONED,
            "CREATE INDEX p_a ON p (a)",
            "ALTER TABLE p DETACH PARTITION p2",
            "CREATE INDEX p2_own ON p2 (a)",
        ),
        {"p2_own": duplicate("p2_a_idx")},
        works=("DROP INDEX p2_a_idx",),
    ),
    Trap(
        "default_partition",
        "A default partition is one like the others.",
        (
            *PARTITIONED,
            "CREATE TABLE rest PARTITION OF p DEFAULT",
            "CREATE INDEX p_a ON p (a)",
            "CREATE INDEX rest_own ON rest (a)",
        ),
        {"rest_own": duplicate("rest_a_idx")},
    ),
    Trap(
        "hash_partitions",
        "Partitioned by hash or by list, it is all the same.",
        (
            "CREATE TABLE p (id int PRIMARY KEY, a int) PARTITION BY HASH (id)",
            "CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            "CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
            "CREATE INDEX p_a ON p (a)",
            "CREATE INDEX p_a_desc ON p (a DESC)",
        ),
        {"p_a_desc": duplicate("p_a")},
    ),
)
