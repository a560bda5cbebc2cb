"""Indexes that nobody reads, seems to read, or does.

Every table here is large enough for an index to make sense, and the statistics are taken as they are,
however young. What has been read was read by a query of the trap's.
"""

from __future__ import annotations

from traps.tables import FILLED
from traps.trap import Trap, duplicate, invalid, redundant, unused

TRAPS = (
    Trap(
        "never_read",
        "No query has read it.",
        (*FILLED, "CREATE INDEX t_a ON t (a)"),
        {"t_a": unused()},
    ),
    Trap(
        "read",
        "One has.",
        (*FILLED, "CREATE INDEX t_a ON t (a)"),
        read={"t_a": "SELECT * FROM t WHERE a = 5"},
    ),
    Trap(
        "read_by_bitmap",
        "A bitmap scan is a scan, though the rows are counted elsewhere.",
        (*FILLED, "CREATE INDEX t_b ON t (b)"),
        read={"t_b": "SELECT * FROM t WHERE b = 5 OR b = 7"},
    ),
    Trap(
        "read_for_the_greatest",
        "So is the first entry of a backward scan.",
        (*FILLED, "CREATE INDEX t_a ON t (a)"),
        read={"t_a": "SELECT max(a) FROM t"},
    ),
    Trap(
        "small_table",
        "On a table of one page the planner rightly reads the table.",
        (
            "CREATE TABLE t (id int PRIMARY KEY, a int)",
            "INSERT INTO t VALUES (1, 1)",
            "CREATE INDEX t_a ON t (a)",
        ),
    ),
    Trap(
        "unread_twins",
        "One goes as a duplicate, the other because nobody reads either.",
        (*FILLED, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_again ON t (a)"),
        {"t_a": unused(), "t_a_again": (duplicate("t_a"), unused(optional=True))},
    ),
    Trap(
        "read_twin_goes",
        "The twin that stays takes over the scans of the one that goes.",
        (
            *FILLED,
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_a_read ON t (a)",
            # The planner takes the smaller of two equals.
            "ALTER INDEX t_a SET (fillfactor = 30)",
            "REINDEX INDEX t_a",
        ),
        {"t_a_read": duplicate("t_a")},
        read={"t_a_read": "SELECT * FROM t WHERE a = 5"},
    ),
    Trap(
        "read_narrow_goes",
        "All scans are the narrow one's. Either could go; to name both would leave the queries nothing.",
        (*FILLED, "CREATE INDEX t_b ON t (b)", "CREATE INDEX t_ba ON t (b, a)"),
        {"t_b": redundant("t_ba")},
        read={"t_b": "SELECT count(*) FROM t WHERE b < 80"},
        served=("SELECT * FROM t WHERE b = 5",),
    ),
    Trap(
        "unread_narrow",
        "Unread and redundant: to say one of the two is enough.",
        (*FILLED, "CREATE INDEX t_b ON t (b)", "CREATE INDEX t_ba ON t (b, a)"),
        {"t_b": (redundant("t_ba"), unused(optional=True))},
        read={"t_ba": "SELECT * FROM t WHERE b = 5 AND a = 5"},
    ),
    Trap(
        "unread_chain",
        "Nobody reads any of the three.",
        (
            *FILLED,
            "CREATE INDEX t_c ON t (c)",
            "CREATE INDEX t_cb ON t (c, b)",
            "CREATE INDEX t_cba ON t (c, b, a)",
        ),
        {
            "t_c": (redundant("t_cba"), unused(optional=True)),
            "t_cb": (redundant("t_cba"), unused(optional=True)),
            "t_cba": unused(),
        },
    ),
    Trap(
        "unread_expression",
        "The planner uses the statistics on its expression without ever reading it.",
        (*FILLED, "CREATE INDEX t_lower ON t (lower(code))"),
        {"t_lower": unused(says="statistics on its expression")},
    ),
    Trap(
        "unread_partial",
        "A partial index that nobody reads.",
        (*FILLED, "CREATE INDEX t_some ON t (a) WHERE c = 1"),
        {"t_some": unused()},
    ),
    Trap(
        "unread_include",
        "A covering index that nobody reads.",
        (*FILLED, "CREATE INDEX t_a ON t (a) INCLUDE (b)"),
        {"t_a": unused()},
    ),
    Trap(
        "unread_access_methods",
        "Whatever the access method.",
        (
            *FILLED,
            "CREATE INDEX t_hash ON t USING hash (code)",
            "CREATE INDEX t_brin ON t USING brin (a)",
            "CREATE INDEX t_gin ON t USING gin (string_to_array(code, ' '))",
            "CREATE INDEX t_gist ON t USING gist (point(a, b))",
            "CREATE INDEX t_spgist ON t USING spgist (code)",
        ),
        {
            "t_hash": unused(),
            "t_brin": unused(),
            "t_gin": unused(),
            "t_gist": unused(),
            "t_spgist": unused(),
        },
    ),
    Trap(
        "unread_like_companion",
        "The plain one is read, the companion is not.",
        (*FILLED, "CREATE INDEX t_code ON t (code)", "CREATE INDEX t_like ON t (code text_pattern_ops)"),
        {"t_like": unused()},
        read={"t_code": "SELECT * FROM t ORDER BY code LIMIT 1"},
    ),
    Trap(
        "unread_invalid",
        "A failed build has no scans, and that is not what is wrong with it.",
        (
            *FILLED,
            "CREATE INDEX t_a ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass",
        ),
        {"t_a": invalid()},
    ),
    Trap(
        "unread_on_materialized_view",
        "REFRESH … CONCURRENTLY needs the unique index, which no query reads; the plain one nobody needs.",
        (
            "CREATE MATERIALIZED VIEW m AS SELECT g AS id, g AS a FROM generate_series(1, 2000) AS g",
            "CREATE UNIQUE INDEX m_key ON m (id)",
            "CREATE INDEX m_a ON m (a)",
        ),
        {"m_a": unused()},
        works=("REFRESH MATERIALIZED VIEW CONCURRENTLY m",),
    ),
    Trap(
        "unread_unlogged",
        "An unlogged table's index.",
        (
            "CREATE UNLOGGED TABLE t (id int PRIMARY KEY, a int)",
            "INSERT INTO t SELECT g, g FROM generate_series(1, 2000) AS g",
            "CREATE INDEX t_a ON t (a)",
        ),
        {"t_a": unused()},
    ),
    Trap(
        "unread_of_a_child",
        "A table that inherits is no partition: its index can be dropped alone.",
        (
            "CREATE TABLE base (id int PRIMARY KEY, a int)",
            "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (base)",
            "INSERT INTO child SELECT g, g FROM generate_series(1, 2000) AS g",
            "CREATE INDEX child_a ON child (a)",
        ),
        {"child_a": unused()},
    ),
    Trap(
        "unread_of_an_extension",
        "What an extension brings along is the extension's to change.",
        (*FILLED, "CREATE INDEX t_a ON t (a)", "ALTER EXTENSION pg_trgm ADD TABLE t"),
        extensions=("pg_trgm",),
    ),
    Trap(
        "read_and_rolled_back",
        "A scan counts whatever becomes of its transaction.",
        (*FILLED, "CREATE INDEX t_a ON t (a)"),
        read={"t_a": "BEGIN; SELECT * FROM t WHERE a = 5; ROLLBACK"},
    ),
    Trap(
        "unread_three_twins_one_read",
        "Two go as duplicates, the third does their work from now on.",
        (
            *FILLED,
            "CREATE INDEX x ON t (a)",
            "CREATE INDEX y ON t (a)",
            "CREATE INDEX z ON t (a)",
        ),
        {"y": (duplicate("x"), unused(optional=True)), "z": (duplicate("x"), unused(optional=True))},
        read={"z": "SELECT * FROM t WHERE a = 5"},
    ),
    Trap(
        "read_invalid_neighbour",
        "The valid one is unread; that an invalid one beside it is too changes nothing.",
        (
            *FILLED,
            "CREATE INDEX t_a ON t (a)",
            "CREATE INDEX t_a_failed ON t (a)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a_failed'::regclass",
        ),
        {"t_a": unused(), "t_a_failed": invalid()},
    ),
)
