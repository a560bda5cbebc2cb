"""Two indexes on the same columns, in another order or another direction."""

from __future__ import annotations

from traps.tables import T
from traps.trap import Trap, duplicate

TRAPS = (
    Trap(
        "mirror",
        "A btree is read in both directions.",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_desc ON t (a DESC)"),
        {"t_a_desc": duplicate("t_a")},
        served=("SELECT * FROM t ORDER BY a", "SELECT * FROM t ORDER BY a DESC"),
    ),
    Trap(
        "mirror_of_two_keys",
        "So is one of two keys, where both are turned.",
        (T, "CREATE INDEX t_ab ON t (a, b DESC)", "CREATE INDEX t_ba ON t (a DESC, b)"),
        {"t_ba": duplicate("t_ab")},
        served=("SELECT * FROM t ORDER BY a DESC, b", "SELECT * FROM t ORDER BY a, b DESC"),
    ),
    Trap(
        "mirror_with_nulls_spelled_out",
        "DESC NULLS FIRST is what DESC means.",
        (T, "CREATE INDEX t_a ON t (a NULLS LAST)", "CREATE INDEX t_a_desc ON t (a DESC NULLS FIRST)"),
        {"t_a_desc": duplicate("t_a")},
    ),
    Trap(
        "mirror_but_for_nulls",
        "Read backwards, (a) has its NULLs first.",
        (T, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_desc ON t (a DESC NULLS LAST)"),
        needed={
            "t_a": "SELECT * FROM t ORDER BY a",
            "t_a_desc": "SELECT * FROM t ORDER BY a DESC NULLS LAST",
        },
    ),
    Trap(
        "mirror_but_for_nulls_of_not_null",
        "On a column without NULLs the planner asks for the same order all the same.",
        (T, "CREATE INDEX t_n ON t (n)", "CREATE INDEX t_n_desc ON t (n DESC NULLS LAST)"),
        needed={"t_n_desc": "SELECT * FROM t ORDER BY n DESC NULLS LAST"},
    ),
    Trap(
        "half_a_mirror",
        "One key turned and the other not gives an order of its own.",
        (T, "CREATE INDEX t_ab ON t (a, b)", "CREATE INDEX t_ab_desc ON t (a, b DESC)"),
        needed={
            "t_ab": "SELECT * FROM t ORDER BY a, b",
            "t_ab_desc": "SELECT * FROM t ORDER BY a, b DESC",
        },
    ),
    Trap(
        "mirror_of_a_unique",
        "A unique mirror refuses the same rows and reads both ways; the constraint stays.",
        (
            T,
            "ALTER TABLE t ADD CONSTRAINT t_a_key UNIQUE (a)",
            "CREATE UNIQUE INDEX t_a_desc ON t (a DESC)",
        ),
        {"t_a_desc": duplicate("t_a_key")},
        works=("INSERT INTO t (id, a) VALUES (1, 1) ON CONFLICT (a) DO NOTHING",),
        refused=("INSERT INTO t (id, a) VALUES (2, 1)",),
    ),
    Trap(
        "order_of_columns",
        "Whoever sorts the columns takes these for one.",
        (T, "CREATE INDEX t_ab ON t (a, b)", "CREATE INDEX t_ba ON t (b, a)"),
        needed={"t_ab": "SELECT * FROM t ORDER BY a, b", "t_ba": "SELECT * FROM t ORDER BY b, a"},
    ),
    Trap(
        "mirror_of_an_expression",
        "An expression turned round.",
        (T, "CREATE INDEX t_lower ON t (lower(code))", "CREATE INDEX t_lower_desc ON t (lower(code) DESC)"),
        {"t_lower_desc": duplicate("t_lower")},
        served=("SELECT * FROM t ORDER BY lower(code) DESC",),
    ),
    Trap(
        "mirror_with_odd_nulls",
        "NULLS FIRST going up is NULLS LAST going down.",
        (T, "CREATE INDEX t_a ON t (a NULLS FIRST)", "CREATE INDEX t_a_desc ON t (a DESC NULLS LAST)"),
        {"t_a_desc": duplicate("t_a")},
        served=("SELECT * FROM t ORDER BY a DESC NULLS LAST", "SELECT * FROM t ORDER BY a NULLS FIRST"),
    ),
    Trap(
        "mirror_of_three_but_one",
        "Two of three keys turned.",
        (T, "CREATE INDEX t_up ON t (a, b, c)", "CREATE INDEX t_odd ON t (a DESC, b DESC, c)"),
        needed={"t_odd": "SELECT * FROM t ORDER BY a DESC, b DESC, c"},
    ),
)
