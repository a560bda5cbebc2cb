"""Text: operator classes and collations, equal and not; collations whose version has changed."""

from __future__ import annotations

from traps.tables import T
from traps.trap import ERROR, Trap, Verdict, duplicate, redundant

TRAPS = (
    Trap(
        "like_companion",
        "Django's _like index serves LIKE 'x%' where the collation is not C; the plain one sorts.",
        (T, "CREATE INDEX t_v ON t (v)", "CREATE INDEX t_v_like ON t (v varchar_pattern_ops)"),
        needed={
            "t_v": "SELECT * FROM t ORDER BY v",
            "t_v_like": "SELECT * FROM t WHERE v LIKE 'x%'",
        },
    ),
    Trap(
        "like_companion_of_a_unique",
        "Beside a unique constraint too (djezzzl/database_consistency and others delete it).",
        (
            T,
            "ALTER TABLE t ADD CONSTRAINT t_code_key UNIQUE (code)",
            "CREATE INDEX t_code_like ON t (code text_pattern_ops)",
        ),
    ),
    Trap(
        "like_prefix",
        "A wider index on the column with its usual operator class does not serve LIKE.",
        (T, "CREATE INDEX t_like ON t (code text_pattern_ops)", "CREATE INDEX t_code_a ON t (code, a)"),
    ),
    Trap(
        "like_companion_twice",
        "Two companions are a pair of twins.",
        (
            T,
            "CREATE INDEX t_like ON t (code text_pattern_ops)",
            "CREATE INDEX t_like_again ON t (code text_pattern_ops)",
        ),
        {"t_like_again": duplicate("t_like")},
    ),
    Trap(
        "like_companion_prefix",
        "And may be the beginning of a wider one.",
        (
            T,
            "CREATE INDEX t_like ON t (code text_pattern_ops)",
            "CREATE INDEX t_like_a ON t (code text_pattern_ops, a)",
        ),
        {"t_like": redundant("t_like_a")},
    ),
    Trap(
        "like_companion_in_c",
        "In the C collation the plain index serves LIKE 'x%' as well: the companion adds nothing.",
        (
            'CREATE TABLE t (id int PRIMARY KEY, code varchar(20) COLLATE "C")',
            "CREATE INDEX t_code ON t (code)",
            "CREATE INDEX t_code_like ON t (code varchar_pattern_ops)",
        ),
        {"t_code_like": duplicate("t_code", or_rule="redundant-index")},
        served=("SELECT * FROM t WHERE code LIKE 'x%'", "SELECT * FROM t ORDER BY code"),
    ),
    Trap(
        "like_companion_in_c_is_older",
        "The plain one stays whichever is older: only it sorts.",
        (
            'CREATE TABLE t (id int PRIMARY KEY, code text COLLATE "POSIX")',
            "CREATE INDEX t_code_like ON t (code text_pattern_ops)",
            "CREATE INDEX t_code ON t (code)",
        ),
        {"t_code_like": duplicate("t_code", or_rule="redundant-index")},
        served=("SELECT * FROM t WHERE code LIKE 'x%'", "SELECT * FROM t ORDER BY code"),
    ),
    Trap(
        "varchar_ops_and_text_ops",
        "varchar_ops is text_ops by another name: one family, one order.",
        (T, "CREATE INDEX t_v ON t (v)", "CREATE INDEX t_v_again ON t (v varchar_ops)"),
        {"t_v_again": duplicate("t_v")},
        served=("SELECT * FROM t WHERE v = 'x'", "SELECT * FROM t ORDER BY v"),
    ),
    Trap(
        "varchar_pattern_ops_and_text_pattern_ops",
        "As are these two.",
        (
            T,
            "CREATE INDEX t_like ON t (v varchar_pattern_ops)",
            "CREATE INDEX t_like_again ON t (v text_pattern_ops)",
        ),
        {"t_like_again": duplicate("t_like")},
    ),
    Trap(
        "collation_differs",
        "The planner compares collations by their identity (mfvanek/pg-index-health#76).",
        (T, "CREATE INDEX t_code ON t (code)", 'CREATE INDEX t_code_c ON t (code COLLATE "C")'),
        needed={
            "t_code": "SELECT * FROM t ORDER BY code",
            "t_code_c": 'SELECT * FROM t ORDER BY code COLLATE "C"',
        },
    ),
    Trap(
        "collation_c_and_posix",
        "Equal in order and two to the planner.",
        (
            T,
            'CREATE INDEX t_c ON t (code COLLATE "C")',
            'CREATE INDEX t_posix ON t (code COLLATE "POSIX")',
        ),
        needed={"t_posix": 'SELECT * FROM t ORDER BY code COLLATE "POSIX"'},
    ),
    Trap(
        "collation_spelled_out",
        "The column's own collation, said once more.",
        (T, "CREATE INDEX t_code ON t (code)", 'CREATE INDEX t_code_again ON t (code COLLATE "default")'),
        {"t_code_again": duplicate("t_code")},
    ),
    Trap(
        "collation_of_the_column",
        "One has the collation by the column, the other by its own word.",
        (
            'CREATE TABLE t (id int PRIMARY KEY, code text COLLATE "C")',
            "CREATE INDEX t_code ON t (code)",
            'CREATE INDEX t_code_c ON t (code COLLATE "C")',
        ),
        {"t_code_c": duplicate("t_code")},
    ),
    Trap(
        "collation_prefix",
        "A prefix in another collation.",
        (T, 'CREATE INDEX t_code ON t (code COLLATE "C")', "CREATE INDEX t_code_a ON t (code, a)"),
        needed={"t_code": 'SELECT * FROM t ORDER BY code COLLATE "C"'},
    ),
    Trap(
        "collation_inside_an_expression",
        "The functions are the same, what they are given is not.",
        (
            T,
            "CREATE INDEX t_lower ON t (lower(code))",
            'CREATE INDEX t_lower_c ON t (lower(code COLLATE "C"))',
        ),
    ),
    Trap(
        "hash_collation",
        "Equality alone: still the planner asks for the query's collation.",
        (
            T,
            "CREATE INDEX t_hash ON t USING hash (code)",
            'CREATE INDEX t_hash_c ON t USING hash (code COLLATE "C")',
        ),
    ),
    Trap(
        "citext",
        "citext compares without case, its pattern operator class by the bytes.",
        (
            "CREATE TABLE t (id int PRIMARY KEY, c citext)",
            "CREATE INDEX t_c ON t (c)",
            "CREATE INDEX t_c_again ON t (c citext_ops)",
            "CREATE INDEX t_c_like ON t (c citext_pattern_ops)",
            "CREATE INDEX t_c_text ON t ((c::text))",
        ),
        {"t_c_again": duplicate("t_c")},
        extensions=("citext",),
        needed={"t_c_text": "SELECT * FROM t ORDER BY c::text"},
    ),
    Trap(
        "trigrams_and_unique",
        "GIN over trigrams and a unique btree (gregnavis/active_record_doctor#69).",
        (
            T,
            "CREATE UNIQUE INDEX t_code_key ON t (code)",
            "CREATE INDEX t_trgm ON t USING gin (code gin_trgm_ops)",
        ),
        extensions=("pg_trgm",),
        needed={"t_trgm": "SELECT * FROM t WHERE code LIKE '%xyz%'"},
    ),
    Trap(
        "operator_class_parameters",
        "A longer signature is another trade of size against precision.",
        (
            T,
            "CREATE INDEX t_short ON t USING gist (code gist_trgm_ops)",
            "CREATE INDEX t_long ON t USING gist (code gist_trgm_ops (siglen = 64))",
        ),
        extensions=("pg_trgm",),
    ),
    Trap(
        "nondeterministic",
        "A collation that takes 'A' for 'a' makes another index of the same column.",
        (
            T,
            "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
            "CREATE INDEX t_code ON t (code)",
            "CREATE INDEX t_code_ci ON t (code COLLATE ci)",
        ),
        icu=True,
    ),
    Trap(
        "collation_changed",
        "The collation has another version than when the index was built; what compares bytes is safe.",
        (
            "CREATE COLLATION house (provider = builtin, locale = 'C.UTF-8', version = 'old')",
            "CREATE TABLE t (id int PRIMARY KEY, code text COLLATE house)",
            "CREATE INDEX t_code ON t (code)",
            "CREATE INDEX t_like ON t (code text_pattern_ops)",
            "CREATE INDEX t_hash ON t USING hash (code)",
            'CREATE INDEX t_c ON t (code COLLATE "C")',
        ),
        {"house": Verdict("collation-version-mismatch", ERROR, "t_code")},
        since=17,
    ),
    Trap(
        "collation_changed_of_nothing",
        "No index sorts by it.",
        (
            "CREATE COLLATION house (provider = builtin, locale = 'C.UTF-8', version = 'old')",
            "CREATE TABLE t (id int PRIMARY KEY, code text COLLATE house)",
        ),
        since=17,
    ),
)
