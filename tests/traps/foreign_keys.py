"""Foreign keys whose lookup an index serves, seems to serve, or does not.

Most tables are empty, so that what is missing is an information; a large one makes it a warning.
"""

from __future__ import annotations

from collections.abc import Mapping

from traps.tables import PARENT
from traps.trap import WARNING, Trap, Verdict, invalid, unindexed

CHILD = (
    "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, a int, b int, active boolean)"
)
PAIR = """CREATE TABLE child (id int PRIMARY KEY, k1 int, k2 int, x int,
    FOREIGN KEY (k1, k2) REFERENCES parent (a, b))"""
BARE: Mapping[str, Verdict] = {"child.parent_id": unindexed()}

TRAPS = (
    Trap("key_bare", "Nothing at all.", (PARENT, CHILD), BARE),
    Trap(
        "key_bare_and_large",
        "From a thousand rows on each delete of a parent is worth a warning.",
        (PARENT, CHILD, "INSERT INTO child (id) SELECT g FROM generate_series(1, 2000) AS g"),
        {"child.parent_id": unindexed(WARNING)},
    ),
    Trap("key_indexed", "Its own index.", (PARENT, CHILD, "CREATE INDEX ON child (parent_id)")),
    Trap(
        "key_indexed_down",
        "Direction is nothing to a lookup.",
        (PARENT, CHILD, "CREATE INDEX ON child (parent_id DESC)"),
    ),
    Trap(
        "key_is_first",
        "The first key of a longer index.",
        (PARENT, CHILD, "CREATE INDEX ON child (parent_id, a)"),
    ),
    Trap(
        "key_with_include",
        "INCLUDE does no harm.",
        (PARENT, CHILD, "CREATE INDEX ON child (parent_id) INCLUDE (a)"),
    ),
    Trap(
        "key_hash",
        "A hash index knows equality.",
        (PARENT, CHILD, "CREATE INDEX ON child USING hash (parent_id)"),
    ),
    Trap(
        "key_partial_not_null",
        "The lookup is by a value, so NULLs are not missed (ariga/atlas#3765).",
        (PARENT, CHILD, "CREATE INDEX child_fk ON child (parent_id) WHERE parent_id IS NOT NULL"),
        needed={"child_fk": "SELECT 1 FROM child WHERE parent_id = 1"},
    ),
    Trap("key_unique", "One to one.", (PARENT, CHILD, "ALTER TABLE child ADD UNIQUE (parent_id)")),
    Trap(
        "key_deferrable_unique",
        "A deferrable unique is read like any.",
        (PARENT, CHILD, "ALTER TABLE child ADD UNIQUE (parent_id) DEFERRABLE"),
    ),
    Trap(
        "key_is_primary_key",
        "Multi-table inheritance.",
        (PARENT, "CREATE TABLE child (id int PRIMARY KEY REFERENCES parent)"),
    ),
    Trap(
        "key_partial",
        "WHERE active leaves rows out.",
        (PARENT, CHILD, "CREATE INDEX ON child (parent_id) WHERE active"),
        BARE,
    ),
    Trap(
        "key_partial_on_another_null",
        "Another column's NULLs.",
        (PARENT, CHILD, "CREATE INDEX ON child (parent_id) WHERE a IS NOT NULL"),
        BARE,
    ),
    Trap(
        "key_partial_not_null_and_more",
        "The second half of the predicate leaves rows out.",
        (PARENT, CHILD, "CREATE INDEX ON child (parent_id) WHERE parent_id IS NOT NULL AND active"),
        BARE,
    ),
    Trap(
        "key_partial_null",
        "Just the wrong rows.",
        (PARENT, CHILD, "CREATE INDEX ON child (parent_id) WHERE parent_id IS NULL"),
        BARE,
    ),
    Trap(
        "key_is_second",
        "Found only by reading the whole index.",
        (PARENT, CHILD, "CREATE INDEX ON child (a, parent_id)"),
        BARE,
    ),
    Trap(
        "key_in_include",
        "Not a key of the index.",
        (PARENT, CHILD, "CREATE INDEX ON child (a) INCLUDE (parent_id)"),
        BARE,
    ),
    Trap(
        "key_in_expression",
        "Another expression.",
        (PARENT, CHILD, "CREATE INDEX ON child ((parent_id + 0))"),
        BARE,
    ),
    Trap(
        "key_brin",
        "BRIN finds pages, and reads most of them.",
        (PARENT, CHILD, "CREATE INDEX ON child USING brin (parent_id)"),
        BARE,
    ),
    Trap(
        "key_invalid",
        "A failed build serves nobody.",
        (
            PARENT,
            CHILD,
            "CREATE INDEX child_fk ON child (parent_id)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'child_fk'::regclass",
        ),
        {**BARE, "child_fk": invalid()},
    ),
    Trap("pair_indexed", "Both columns in their order.", (PARENT, PAIR, "CREATE INDEX ON child (k1, k2)")),
    Trap(
        "pair_in_another_order",
        "The order does not matter to a lookup of both (supabase/splinter#87).",
        (PARENT, PAIR, "CREATE INDEX child_fk ON child (k2, k1)"),
        needed={"child_fk": "SELECT 1 FROM child WHERE k1 = 1 AND k2 = 2"},
    ),
    Trap("pair_first", "And more keys behind.", (PARENT, PAIR, "CREATE INDEX ON child (k2, k1, x)")),
    Trap(
        "pair_partial",
        "A conjunction of IS NOT NULL over the key's own columns.",
        (PARENT, PAIR, "CREATE INDEX child_fk ON child (k1, k2) WHERE k1 IS NOT NULL AND k2 IS NOT NULL"),
        needed={"child_fk": "SELECT 1 FROM child WHERE k1 = 1 AND k2 = 2"},
    ),
    Trap(
        "pair_partial_on_one",
        "The lookup names both columns, so either's predicate follows from it.",
        (PARENT, PAIR, "CREATE INDEX child_fk ON child (k1, k2) WHERE k2 IS NOT NULL"),
        needed={"child_fk": "SELECT 1 FROM child WHERE k1 = 1 AND k2 = 2"},
    ),
    Trap(
        "pair_by_half",
        "Half the key only: the rest is a filter.",
        (PARENT, PAIR, "CREATE INDEX ON child (k1)"),
        {"child.k1,k2": unindexed()},
    ),
    Trap(
        "pair_interrupted",
        "A stranger between the two.",
        (PARENT, PAIR, "CREATE INDEX ON child (k1, x, k2)"),
        {"child.k1,k2": unindexed()},
    ),
    Trap(
        "pair_on_two_indexes",
        "Two indexes of one column each; a bitmap may combine them, which is no index on the key.",
        (PARENT, PAIR, "CREATE INDEX ON child (k1)", "CREATE INDEX ON child (k2)"),
        {"child.k1,k2": unindexed()},
    ),
    Trap(
        "key_in_a_pair",
        "One index for a key of two columns and a key of its first.",
        (
            PARENT,
            """CREATE TABLE child (id int PRIMARY KEY, k1 int REFERENCES parent, k2 int,
                FOREIGN KEY (k1, k2) REFERENCES parent (a, b))""",
            "CREATE INDEX ON child (k1, k2)",
        ),
    ),
    Trap(
        "two_keys_on_a_column",
        "One column, two parents, one index to make.",
        (
            PARENT,
            "CREATE TABLE other (id int PRIMARY KEY)",
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent REFERENCES other)",
        ),
        BARE,
    ),
    Trap(
        "two_keys_one_indexed",
        "The index on one key says nothing of the other.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, x int REFERENCES parent, y int REFERENCES parent)",
            "CREATE INDEX ON child (x)",
        ),
        {"child.y": unindexed()},
    ),
    Trap(
        "key_to_itself",
        "A tree's parent is a foreign key like others.",
        ("CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree)",),
        {"tree.up": unindexed()},
    ),
    Trap(
        "pairs_in_two_orders",
        "Two keys on the same two columns want one index.",
        (
            PARENT,
            "CREATE TABLE other (x int, y int, PRIMARY KEY (x, y))",
            """CREATE TABLE child (id int PRIMARY KEY, k1 int, k2 int,
                FOREIGN KEY (k1, k2) REFERENCES parent (a, b), FOREIGN KEY (k2, k1) REFERENCES other)""",
        ),
        {"child.k1,k2": unindexed()},
    ),
)
