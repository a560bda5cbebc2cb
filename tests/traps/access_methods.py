"""Two indexes on the same columns, by access methods other than btree, or by two."""

from __future__ import annotations

from traps.tables import T
from traps.trap import Trap, duplicate

TRAPS = (
    Trap(
        "hash_and_btree",
        "Another access method, another price; to drop either is a matter of measuring.",
        (T, "CREATE INDEX t_hash ON t USING hash (a)", "CREATE INDEX t_btree ON t (a)"),
    ),
    Trap(
        "brin_and_btree",
        "A btree finds a row, BRIN a range of pages: the btree is no duplicate of a BRIN.",
        (T, "CREATE INDEX t_brin ON t USING brin (a)", "CREATE INDEX t_btree ON t (a)"),
    ),
    Trap(
        "hash_twice",
        "A duplicate whatever the access method.",
        (T, "CREATE INDEX t_hash ON t USING hash (code)", "CREATE INDEX t_hash_2 ON t USING hash (code)"),
        {"t_hash_2": duplicate("t_hash")},
    ),
    Trap(
        "gin_twice",
        "The second spells out the default operator class.",
        (
            T,
            "CREATE INDEX t_doc ON t USING gin (doc)",
            "CREATE INDEX t_doc_2 ON t USING gin (doc jsonb_ops)",
        ),
        {"t_doc_2": duplicate("t_doc")},
        served=("SELECT * FROM t WHERE doc ? 'x'",),
    ),
    Trap(
        "gin_operator_classes",
        "jsonb_path_ops is smaller and does not know the ? operators.",
        (
            T,
            "CREATE INDEX t_doc ON t USING gin (doc)",
            "CREATE INDEX t_path ON t USING gin (doc jsonb_path_ops)",
        ),
        needed={"t_doc": "SELECT * FROM t WHERE doc ? 'x'"},
    ),
    Trap(
        "gin_in_another_order",
        "GIN's keys have hardly an order, but indexes that are not exact equals stay apart.",
        (
            T,
            "CREATE INDEX t_one ON t USING gin (doc, tags)",
            "CREATE INDEX t_two ON t USING gin (tags, doc)",
        ),
    ),
    Trap(
        "gist_twice",
        "A duplicate whatever the access method.",
        (T, "CREATE INDEX t_area ON t USING gist (area)", "CREATE INDEX t_area_2 ON t USING gist (area)"),
        {"t_area_2": duplicate("t_area")},
    ),
    Trap(
        "gist_and_spgist",
        "Both know points, each in its own way.",
        (T, "CREATE INDEX t_gist ON t USING gist (at)", "CREATE INDEX t_spgist ON t USING spgist (at)"),
    ),
    Trap(
        "spgist_operator_classes",
        "A quad tree and a k-d tree over the same column.",
        (
            T,
            "CREATE INDEX t_quad ON t USING spgist (at)",
            "CREATE INDEX t_kd ON t USING spgist (at kd_point_ops)",
        ),
    ),
    Trap(
        "brin_operator_classes",
        "minmax keeps one range of values for some pages, bloom their hashes.",
        (
            T,
            "CREATE INDEX t_minmax ON t USING brin (a)",
            "CREATE INDEX t_bloom ON t USING brin (a int4_bloom_ops)",
        ),
        needed={"t_minmax": "SELECT * FROM t WHERE a < 5"},
    ),
    Trap(
        "gin_pending_list",
        "fastupdate says when entries are sorted in, not which there are.",
        (
            T,
            "CREATE INDEX t_doc ON t USING gin (doc)",
            "CREATE INDEX t_doc_slow ON t USING gin (doc) WITH (fastupdate = off)",
        ),
        {"t_doc_slow": duplicate("t_doc")},
    ),
    Trap(
        "brin_ranges",
        "pages_per_range decides how much a scan reads: the one parameter that is no matter of storage.",
        (
            T,
            "CREATE INDEX t_fine ON t USING brin (a) WITH (pages_per_range = 4)",
            "CREATE INDEX t_coarse ON t USING brin (a) WITH (pages_per_range = 128)",
        ),
    ),
)
