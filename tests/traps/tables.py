"""Tables that many traps are laid on."""

from __future__ import annotations

#: Empty, so that the planner, and whoever looks for unused indexes, has nothing to say.
T = """CREATE TABLE t (
    id int PRIMARY KEY, a int, b int, c int, n int NOT NULL DEFAULT 0,
    code text, code_type text, v varchar(50), doc jsonb, tags text[], area box, at point, during int4range
)"""

#: Large enough for an index to make sense: more pages than the planner would read at a stroke.
FILLED = (
    "CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int, code text)",
    "INSERT INTO t SELECT g, g, g % 100, g % 7, 'code ' || g FROM generate_series(1, 2000) AS g",
)

PARENT = "CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE, a int, b int, UNIQUE (a, b))"

#: From PostgreSQL 18 on.
TEMPORAL = "CREATE TABLE t (room int4range, during int4range, PRIMARY KEY (room, during WITHOUT OVERLAPS))"

#: Two partitions without rows.
PARTITIONED = (
    "CREATE TABLE p (id int NOT NULL, a int, b int, PRIMARY KEY (id)) PARTITION BY RANGE (id)",
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
    "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000)",
)

FILLED_PARTITIONED = (
    *PARTITIONED,
    "INSERT INTO p SELECT g, g, g % 100 FROM generate_series(0, 3999) AS g",
)
