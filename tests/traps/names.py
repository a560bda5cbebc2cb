"""Names that are not what they look like; every fix has to quote them."""

from __future__ import annotations

from traps.tables import T
from traps.trap import Trap, duplicate, invalid, keyless, redundant, unindexed

LONG = "a_name_that_takes_all_of_the_63_bytes_that_there_are_for_a_name"

TRAPS = (
    Trap(
        "two_schemas",
        "Tables and indexes of one name in two schemas have nothing to do with each other.",
        (
            "CREATE SCHEMA two_schemas__other",
            T,
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_b ON t (b)",
            "CREATE TABLE two_schemas__other.t (id int PRIMARY KEY, a int, b int)",
            "CREATE INDEX t_a ON two_schemas__other.t (a)",
            "CREATE INDEX t_b ON two_schemas__other.t (b, a)",
        ),
    ),
    Trap(
        "two_schemas_one_duplicate",
        "Only one of the two has the duplicate.",
        (
            "CREATE SCHEMA two_schemas_one_duplicate__other",
            T,
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_a_again ON t (a)",
            "CREATE TABLE two_schemas_one_duplicate__other.t (id int PRIMARY KEY, a int)",
            "CREATE INDEX t_a_again ON two_schemas_one_duplicate__other.t (a)",
        ),
        {"t_a_again": duplicate("t_a")},
    ),
    Trap(
        "named_like_its_column",
        "Cut out of its definition, the name takes the column along.",
        (T, "CREATE INDEX code ON t (code)", "CREATE INDEX code_type ON t (code_type)"),
    ),
    Trap(
        "upper_and_lower_case",
        'Code, "Code" and "CODE": three columns.',
        (
            'CREATE TABLE t (id int PRIMARY KEY, code text, "Code" text, "CODE" text)',
            "CREATE INDEX t_1 ON t (code)",
            'CREATE INDEX t_2 ON t ("Code")',
            'CREATE INDEX "T_3" ON t ("CODE")',
            'CREATE INDEX "T_3 again" ON t ("CODE")',
        ),
        {"T_3 again": duplicate("T_3")},
    ),
    Trap(
        "reserved_words",
        "A table named order, a column named user.",
        (
            'CREATE TABLE "order" ("group" int PRIMARY KEY, "user" int)',
            'CREATE INDEX "select" ON "order" ("user")',
            'CREATE INDEX "table" ON "order" ("user", "group")',
        ),
        {"select": redundant("table")},
    ),
    Trap(
        "quotes_and_signs",
        "Quotes, per cent signs, braces and spaces.",
        (
            """CREATE TABLE "it's ""so"" 100%" (id int PRIMARY KEY, "a {b} %s" int)""",
            """CREATE INDEX "first 'one'" ON "it's ""so"" 100%" ("a {b} %s")""",
            """CREATE INDEX "second ""one""; --" ON "it's ""so"" 100%" ("a {b} %s")""",
        ),
        {'second "one"; --': duplicate("first 'one'")},
    ),
    Trap(
        "dots",
        "A dot in a name does not begin a new one.",
        (
            'CREATE TABLE "x.y" (id int PRIMARY KEY, "a.b" int)',
            'CREATE INDEX "x.y.1" ON "x.y" ("a.b")',
            'CREATE INDEX "x.y.2" ON "x.y" ("a.b")',
        ),
        {"x.y.2": duplicate("x.y.1")},
    ),
    Trap(
        "line_break_and_unicode",
        "A name may hold a line break, and any script.",
        (
            'CREATE TABLE "größe\n冰" (id int PRIMARY KEY, "ж" int)',
            'CREATE INDEX "größe\n1" ON "größe\n冰" ("ж")',
            'CREATE INDEX "größe\n2" ON "größe\n冰" ("ж")',
        ),
        {"größe\n2": duplicate("größe\n1")},
    ),
    Trap(
        "as_long_as_can_be",
        "A name of 63 bytes has no room for a suffix.",
        (
            f"CREATE TABLE {LONG} (id int PRIMARY KEY, {LONG} int)",
            f"CREATE INDEX {LONG[:-1]}1 ON {LONG} ({LONG})",
            f"CREATE INDEX {LONG[:-1]}2 ON {LONG} ({LONG})",
        ),
        {f"{LONG[:-1]}2": duplicate(f"{LONG[:-1]}1")},
    ),
    Trap(
        "foreign_key_as_long_as_can_be",
        "The index to be made needs a name that fits.",
        (
            "CREATE TABLE parent (id int PRIMARY KEY)",
            f"CREATE TABLE {LONG} (id int PRIMARY KEY, {LONG} int REFERENCES parent)",
        ),
        {f"{LONG}.{LONG}": unindexed()},
    ),
    Trap(
        "foreign_key_in_upper_case",
        "The fix quotes what has to be quoted.",
        (
            'CREATE TABLE "Customer" ("Id" int PRIMARY KEY)',
            'CREATE TABLE "Order" ("Id" int PRIMARY KEY, "Customer Id" int REFERENCES "Customer")',
        ),
        {"Order.Customer Id": unindexed()},
    ),
    Trap(
        "foreign_key_whose_index_name_is_taken",
        "The name that one would give the index belongs to another, or to a table.",
        (
            "CREATE TABLE parent (id int PRIMARY KEY)",
            "CREATE TABLE t (id int PRIMARY KEY, parent_id int REFERENCES parent, a int)",
            "CREATE INDEX t_parent_id_idx ON t (a)",
            "CREATE TABLE t_parent_id (id int PRIMARY KEY)",
            "CREATE SEQUENCE t_parent_id_fk",
        ),
        {"t.parent_id": unindexed()},
    ),
    Trap(
        "invalid_in_upper_case",
        "The fix of an invalid index takes its name and its definition along.",
        (
            'CREATE TABLE "T" ("Id" int PRIMARY KEY, "A" int)',
            'CREATE INDEX "T_A % \'x\'" ON "T" ("A")',
            """UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"T_A % ''x''"'::regclass""",
        ),
        {"T_A % 'x'": invalid()},
    ),
    Trap(
        "table_without_key_in_upper_case",
        "The fix of a table without a key quotes it.",
        ('CREATE TABLE "No Key" ("A" int NOT NULL UNIQUE DEFERRABLE)',),
        {"No Key": keyless()},
    ),
    Trap(
        "same_name_for_table_and_column",
        "t.t is a column, and t a row of the table.",
        (
            "CREATE TABLE t (t int PRIMARY KEY, a int)",
            "CREATE INDEX a ON t (a)",
            "CREATE INDEX a_t ON t (a, t)",
        ),
        {"a": redundant("a_t")},
    ),
)
