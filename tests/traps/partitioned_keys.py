"""Partitioned tables: their keys, and foreign keys from and to them."""

from __future__ import annotations

from dataclasses import replace

from traps.tables import FILLED_PARTITIONED, PARENT, PARTITIONED
from traps.trap import Trap, keyless, unindexed

TRAPS = (
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
    Trap(
        "unread_root_for_a_foreign_key",
        "The root's index serves the key, read or not.",
        (
            "CREATE TABLE parent (id int PRIMARY KEY)",
            *FILLED_PARTITIONED,
            "INSERT INTO parent SELECT g FROM generate_series(0, 99) AS g",
            "ALTER TABLE p ADD FOREIGN KEY (b) REFERENCES parent",
            "CREATE INDEX p_b ON p (b)",
        ),
    ),
    Trap(
        "unread_pieces_for_a_foreign_key",
        "So do the partitions' own.",
        (
            "CREATE TABLE parent (id int PRIMARY KEY)",
            *FILLED_PARTITIONED,
            "INSERT INTO parent SELECT g FROM generate_series(0, 99) AS g",
            "ALTER TABLE p ADD FOREIGN KEY (b) REFERENCES parent",
            "CREATE INDEX p1_b ON p1 (b)",
            "CREATE INDEX p2_b ON p2 (b)",
        ),
    ),
)
