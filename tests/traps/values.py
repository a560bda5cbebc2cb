"""Indexes whose worth lies in the values: mostly NULL, or the same few over and over.

All of them have been read, for one that has not been is judged by that.
"""

from __future__ import annotations

from traps.trap import INFO, Trap, low_selectivity, null_heavy

#: ``rare`` is NULL in nineteen rows of twenty, ``half`` in one of two; ``flag`` is even, ``done`` is not.
ROWS = (
    """CREATE TABLE t (id int PRIMARY KEY, rare int, half int, flag boolean, done boolean, n int)""",
    """INSERT INTO t SELECT g, CASE WHEN g % 20 = 0 THEN g END, CASE WHEN g % 2 = 0 THEN g END,
        g % 2 = 0, g % 100 <> 0, g FROM generate_series(1, 4000) AS g""",
)

TRAPS = (
    Trap(
        "mostly_null",
        "Nineteen entries in twenty are NULL.",
        (*ROWS, "CREATE INDEX t_rare ON t (rare)"),
        {"t_rare": null_heavy()},
        read={"t_rare": "SELECT * FROM t WHERE rare = 20"},
        served=("SELECT * FROM t WHERE rare = 20",),
    ),
    Trap(
        "half_null",
        "Half of them are of use.",
        (*ROWS, "CREATE INDEX t_half ON t (half)"),
        read={"t_half": "SELECT * FROM t WHERE half = 20"},
    ),
    Trap(
        "mostly_null_and_partial",
        "It is what one would propose.",
        (*ROWS, "CREATE INDEX t_rare ON t (rare) WHERE rare IS NOT NULL"),
        read={"t_rare": "SELECT * FROM t WHERE rare = 20"},
    ),
    Trap(
        "mostly_null_and_unique",
        "It is there to refuse duplicates.",
        (*ROWS, "CREATE UNIQUE INDEX t_rare ON t (rare)"),
        read={"t_rare": "SELECT * FROM t WHERE rare = 20"},
    ),
    Trap(
        "mostly_null_in_second_place",
        "The first key is never NULL.",
        (*ROWS, "CREATE INDEX t_n_rare ON t (n, rare)"),
        read={"t_n_rare": "SELECT * FROM t WHERE n = 20"},
    ),
    Trap(
        "mostly_null_foreign_key",
        "A partial index serves the key's lookup as well.",
        (*ROWS, "ALTER TABLE t ADD FOREIGN KEY (rare) REFERENCES t", "CREATE INDEX t_rare ON t (rare)"),
        {"t_rare": null_heavy()},
        read={"t_rare": "SELECT * FROM t WHERE rare = 20"},
        served=("SELECT 1 FROM t WHERE rare = 20",),
    ),
    Trap(
        "few_values",
        "Each value is half the table.",
        (*ROWS, "CREATE INDEX t_flag ON t (flag)"),
        {"t_flag": low_selectivity()},
        read={"t_flag": "SELECT * FROM t WHERE flag"},
    ),
    Trap(
        "few_values_and_a_rare_one",
        "The rare one is worth a partial index.",
        (*ROWS, "CREATE INDEX t_done ON t (done)"),
        {"t_done": low_selectivity(INFO)},
        read={"t_done": "SELECT * FROM t WHERE done"},
    ),
    Trap(
        "few_values_and_partial",
        "It holds the rare ones alone.",
        (*ROWS, "CREATE INDEX t_done ON t (done) WHERE NOT done"),
        read={"t_done": "SELECT * FROM t WHERE NOT done"},
    ),
    Trap(
        "few_values_first_of_two",
        "The second key selects.",
        (*ROWS, "CREATE INDEX t_flag_n ON t (flag, n)"),
        read={"t_flag_n": "SELECT * FROM t WHERE flag AND n = 20"},
    ),
    Trap(
        "few_values_foreign_key",
        "The key's lookup for a parent without children is what it is for.",
        (
            *ROWS,
            "CREATE TABLE parent (flag boolean PRIMARY KEY)",
            "INSERT INTO parent VALUES (true), (false)",
            "ALTER TABLE t ADD FOREIGN KEY (flag) REFERENCES parent",
            "CREATE INDEX t_flag ON t (flag)",
        ),
        read={"t_flag": "SELECT * FROM t WHERE flag"},
    ),
    Trap(
        "many_values",
        "Each value is one row.",
        (*ROWS, "CREATE INDEX t_n ON t (n)"),
        read={"t_n": "SELECT * FROM t WHERE n = 20"},
    ),
)
