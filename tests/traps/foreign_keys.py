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
            "CREATE TABLE child (id int PRIMARY KEY, x_id int REFERENCES parent, y_id int REFERENCES parent)",
            "CREATE INDEX ON child (x_id)",
        ),
        {"child.y_id": unindexed()},
    ),
    Trap(
        "key_to_itself",
        "A tree's parent is a foreign key like others.",
        ("CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree)",),
        {"tree.up": unindexed()},
    ),
    Trap(
        "key_collated",
        "In the collation of another order the lookup cannot use it.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES parent (code))",
            'CREATE INDEX ON child (code COLLATE "C")',
        ),
        {"child.code": unindexed()},
    ),
    Trap(
        "key_of_text",
        "The column's own collation.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES parent (code))",
            "CREATE INDEX ON child (code)",
        ),
    ),
    Trap(
        "key_with_pattern_operator_class",
        "text_pattern_ops has the very equality that the key compares by.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES parent (code))",
            "CREATE INDEX child_like ON child (code text_pattern_ops)",
        ),
        needed={"child_like": "SELECT 1 FROM child WHERE code = 'x'"},
    ),
    Trap(
        "key_of_a_wider_type",
        "bigint against int: one operator family.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, parent_id bigint REFERENCES parent)",
            "CREATE INDEX ON child (parent_id)",
        ),
    ),
    Trap(
        "key_of_a_domain",
        "A domain compares as its base type.",
        (
            PARENT,
            "CREATE DOMAIN reference AS int",
            "CREATE TABLE child (id int PRIMARY KEY, parent_id reference REFERENCES parent, "
            "other_id reference REFERENCES parent)",
            "CREATE INDEX ON child (parent_id)",
        ),
        {"child.other_id": unindexed()},
    ),
    Trap(
        "key_of_an_enum",
        "An enum's operator class is for any enum.",
        (
            "CREATE TYPE colour AS ENUM ('red', 'green')",
            "CREATE TABLE parent (id colour PRIMARY KEY)",
            "CREATE TABLE child (id int PRIMARY KEY, colour colour REFERENCES parent)",
            "CREATE INDEX ON child (colour)",
        ),
    ),
    Trap(
        "key_of_citext",
        "An extension's type and operator class.",
        (
            "CREATE TABLE parent (id citext PRIMARY KEY)",
            "CREATE TABLE child (id int PRIMARY KEY, parent_id citext REFERENCES parent, "
            "other_id citext REFERENCES parent)",
            "CREATE INDEX ON child (parent_id)",
        ),
        {"child.other_id": unindexed()},
        extensions=("citext",),
    ),
    Trap(
        "key_of_citext_by_pattern",
        "As text_pattern_ops: the family's equality is the type's own.",
        (
            "CREATE TABLE parent (id citext PRIMARY KEY)",
            "CREATE TABLE child (id int PRIMARY KEY, parent_id citext REFERENCES parent)",
            "CREATE INDEX child_like ON child (parent_id citext_pattern_ops)",
        ),
        extensions=("citext",),
        needed={"child_like": "SELECT 1 FROM child WHERE parent_id = 'x'"},
    ),
    Trap(
        "key_generated",
        "A generated column may refer as well.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, x int, parent_id int GENERATED ALWAYS AS (x + 1) STORED "
            "REFERENCES parent)",
        ),
        BARE,
    ),
    Trap(
        "key_not_valid",
        "Unchecked for old rows; a delete on the parent looks all the same.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int)",
            "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
        ),
        BARE,
    ),
    Trap(
        "key_deferrable",
        "Later is not never.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
        ),
        BARE,
    ),
    Trap(
        "key_not_enforced",
        "Nothing is looked up.",
        (PARENT, "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent NOT ENFORCED)"),
        since=18,
    ),
    Trap(
        "key_temporal",
        "A PERIOD key is looked up by overlap, which no btree serves.",
        (
            "CREATE TABLE room (id int4range, during int4range, PRIMARY KEY (id, during WITHOUT OVERLAPS))",
            """CREATE TABLE stay (id int PRIMARY KEY, room int4range, during int4range,
                FOREIGN KEY (room, PERIOD during) REFERENCES room (id, PERIOD during))""",
        ),
        since=18,
    ),
    Trap(
        "keys_of_one_name",
        "Two schemas, one name; the index is on the other one's table.",
        (
            "CREATE SCHEMA keys_of_one_name__other",
            PARENT,
            CHILD,
            "CREATE TABLE keys_of_one_name__other.child (id int PRIMARY KEY, parent_id int REFERENCES parent)",
            "CREATE INDEX ON keys_of_one_name__other.child (parent_id)",
        ),
        BARE,
    ),
    Trap(
        "key_across_schemas",
        "The other way round.",
        (
            "CREATE SCHEMA key_across_schemas__other",
            "CREATE TABLE key_across_schemas__other.parent (id int PRIMARY KEY)",
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES key_across_schemas__other.parent)",
        ),
        BARE,
    ),
    Trap(
        "key_of_an_heir",
        "Foreign keys are not inherited: the child has none to serve.",
        (
            PARENT,
            "CREATE TABLE base (id int PRIMARY KEY, parent_id int REFERENCES parent)",
            "CREATE INDEX base_fk ON base (parent_id)",
            "CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (base)",
        ),
    ),
    Trap(
        "key_of_an_unlogged_table",
        "Deleting a parent reads an unlogged table just as slowly.",
        (PARENT, "CREATE UNLOGGED TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent)"),
        BARE,
    ),
)
