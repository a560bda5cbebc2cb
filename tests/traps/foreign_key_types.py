"""Foreign keys of all types and kinds, and indexes that know their equality or do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from traps.tables import PARENT
from traps.trap import Trap, Verdict, unindexed

BARE: Mapping[str, Verdict] = {"child.parent_id": unindexed()}

TRAPS = (
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
            (
                "CREATE TABLE child (id int PRIMARY KEY, parent_id reference REFERENCES parent, "
                "other_id reference REFERENCES parent)"
            ),
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
            (
                "CREATE TABLE child (id int PRIMARY KEY, parent_id citext REFERENCES parent, "
                "other_id citext REFERENCES parent)"
            ),
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
            """CREATE TABLE child (id int PRIMARY KEY, x int,
                parent_id int GENERATED ALWAYS AS (x + 1) STORED REFERENCES parent)""",
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
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent INITIALLY DEFERRED)",
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
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent)",
            """CREATE TABLE keys_of_one_name__other.child (
                id int PRIMARY KEY, parent_id int REFERENCES parent)""",
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
            """CREATE TABLE child (
                id int PRIMARY KEY, parent_id int REFERENCES key_across_schemas__other.parent)""",
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
    Trap(
        "key_in_exclusion",
        "GiST knows the key's equality by btree_gist: the lookup uses the constraint's index.",
        (
            PARENT,
            """CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, during int4range,
                CONSTRAINT apart EXCLUDE USING gist (parent_id WITH =, during WITH &&))""",
        ),
        extensions=("btree_gist",),
        served=("SELECT 1 FROM child WHERE parent_id = 1",),
    ),
    Trap(
        "key_second_in_exclusion",
        "As a second key of GiST it is found by reading much of the index.",
        (
            PARENT,
            """CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, during int4range,
                CONSTRAINT apart EXCLUDE USING gist (during WITH &&, parent_id WITH =))""",
        ),
        BARE,
        extensions=("btree_gist",),
    ),
    Trap(
        "key_in_temporal_primary_key",
        "The usual temporal table: a plain key to the room, and the room first in the primary key.",
        (
            PARENT,
            """CREATE TABLE child (parent_id int REFERENCES parent, during int4range,
                PRIMARY KEY (parent_id, during WITHOUT OVERLAPS))""",
        ),
        extensions=("btree_gist",),
        since=18,
        served=("SELECT 1 FROM child WHERE parent_id = 1",),
    ),
    Trap(
        "key_spgist",
        "SP-GiST knows equality of texts.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES parent (code))",
            "CREATE INDEX child_code ON child USING spgist (code)",
        ),
        needed={"child_code": "SELECT 1 FROM child WHERE code = 'x'"},
    ),
    Trap(
        "key_cast_to_numeric",
        "An int that refers to a numeric is cast for the lookup, which no index on the int serves.",
        (
            "CREATE TABLE parent (id numeric PRIMARY KEY)",
            "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent)",
            "CREATE INDEX ON child (parent_id)",
        ),
        {"child.parent_id": replace(unindexed(), says="cast to the type in parent")},
    ),
    Trap(
        "key_varchar_to_text",
        "varchar is text to every operator.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, code varchar(9) REFERENCES parent (code))",
            "CREATE INDEX ON child (code)",
        ),
    ),
    Trap(
        "key_hash_of_another_width",
        "Hashes of bigint and int agree.",
        (
            PARENT,
            "CREATE TABLE child (id int PRIMARY KEY, parent_id bigint REFERENCES parent)",
            "CREATE INDEX ON child USING hash (parent_id)",
        ),
    ),
)
