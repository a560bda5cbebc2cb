"""Trees of partitions: what the root is in sum, whatever the number of levels."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from django_dbaudit.analysis.partitions import IndexTrees, TableTrees
from django_dbaudit.codec import encode
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Tables
from posing import an_index
from running import command
from scratch import Scratch
from settling import write

EARLY, LATE = (datetime(2026, 1, day, tzinfo=timezone.utc) for day in (1, 31))

ROOT = an_index(oid=10, name="root", is_partitioned=True, size_bytes=0)
MIDDLE = an_index(oid=11, name="middle", is_partitioned=True, parent_oid=10, size_bytes=0)
LEAF = an_index(oid=12, parent_oid=11, size_bytes=100, scans=3, tuples_read=5, last_scan=EARLY)
OTHER = an_index(
    oid=13, parent_oid=10, size_bytes=40, scans=4, tuples_fetched=6, last_scan=LATE, size_is_estimate=True
)
PLAIN = an_index(oid=14, size_bytes=8192, scans=1)

TREES = IndexTrees(Indexes((OTHER, LEAF, PLAIN, MIDDLE, ROOT)))


def test_an_index_without_partitions_is_what_it_is() -> None:
    assert TREES.whole(PLAIN) is PLAIN
    assert list(TREES.tree(LEAF)) == [LEAF]


def test_a_root_is_the_sum_of_all_levels() -> None:
    whole = TREES.whole(ROOT)
    assert (whole.size_bytes, whole.scans, whole.last_scan) == (140, 7, LATE)
    assert (whole.tuples_read, whole.tuples_fetched, whole.size_is_estimate) == (5, 6, True)
    assert (whole.oid, whole.name) == (10, "root")


def test_a_tree_is_the_root_and_all_below_it() -> None:
    assert {each.oid for each in TREES.tree(ROOT)} == {10, 11, 12, 13}
    assert (TREES.size(MIDDLE), TREES.scans(MIDDLE)) == (100, 3)


def test_an_attached_index_whose_root_is_not_known_is_no_trouble() -> None:
    orphan = an_index(oid=1, parent_oid=99)
    assert IndexTrees(Indexes((orphan,))).whole(orphan) is orphan


@pytest.fixture
def sales(scratch: Scratch) -> Scratch:
    write(
        scratch,
        "CREATE TABLE sale (id int, made date) PARTITION BY RANGE (made)",
        "CREATE TABLE sale_old PARTITION OF sale FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
        "CREATE TABLE sale_new PARTITION OF sale FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') "
        "PARTITION BY RANGE (made)",
        "CREATE TABLE sale_may PARTITION OF sale_new FOR VALUES FROM ('2021-05-01') TO ('2021-06-01')",
        "CREATE INDEX sale_id ON sale (id)",
        "INSERT INTO sale SELECT n, '2020-05-05' FROM generate_series(1, 2000) AS n",
        "INSERT INTO sale SELECT n, '2021-05-05' FROM generate_series(1, 1000) AS n",
        "SET enable_seqscan = off",
        "SELECT count(*) FROM sale WHERE id = 7",
        "RESET enable_seqscan",
    )
    scratch.wait_until(lambda: scans(scratch)["sale_may_id_idx"])
    return scratch


def scans(scratch: Scratch) -> dict[str, int]:
    return {each.name: each.scans for each in scratch.fact(Indexes).items}


def test_tables_are_summed_over_all_levels_and_rows_counted_once(sales: Scratch) -> None:
    tables = sales.fact(Tables)
    trees = TableTrees(tables)
    by_name = {each.name: each for each in tables.items}
    assert trees.rows(by_name["sale"].oid) == 3000
    assert trees.rows(by_name["sale_new"].oid) == 1000
    leaves = by_name["sale_old"].size_bytes + by_name["sale_may"].size_bytes
    assert trees.size(by_name["sale"].oid) == leaves > 0
    assert trees.pages(by_name["sale"].oid) == leaves // 8192
    assert trees.root(by_name["sale_may"]) == by_name["sale"]
    assert trees.root(by_name["sale"]) == by_name["sale"]


def test_indexreport_shows_a_partitioned_index_with_the_sums_of_its_parts(sales: Scratch) -> None:
    size = sum(each.size_bytes for each in sales.fact(Indexes).items)
    shown = command("indexreport", "--database", sales.alias, "--select", "IDX002", "--table", "sale").out
    assert "public.sale  3,000 rows" in shown
    assert f"Size {size // 1024} kB, Scans 2" in shown, shown
    assert "in use" in shown
    assert f"1 index, {size // 1024} kB; 0 of them can go, 0 bytes." in shown, shown


def test_its_json_has_the_sums_beside_its_own(sales: Scratch) -> None:
    printed = command(
        "indexreport",
        "--database",
        sales.alias,
        "--select",
        "IDX002",
        "--table",
        "sale",
        "--format",
        "json",
    ).json
    (root,) = printed["indexes"]
    known: dict[str, Index] = {each.name: each for each in sales.fact(Indexes).items}
    parts = [known["sale_old_id_idx"], known["sale_may_id_idx"]]
    assert (root["size_bytes"], root["scans"]) == (0, 0)
    assert root["with_partitions"] == {
        "size_bytes": sum(each.size_bytes for each in parts),
        "size_is_estimate": False,
        "scans": 2,
        "tuples_read": sum(each.tuples_read for each in parts),
        "tuples_fetched": sum(each.tuples_fetched for each in parts),
        "last_scan": encode(max((each.last_scan for each in parts if each.last_scan), default=None)),
    }


def test_an_index_without_partitions_has_no_sums(sales: Scratch) -> None:
    printed = command(
        "indexreport",
        "--database",
        sales.alias,
        "--select",
        "IDX002",
        "--table",
        "sale_may",
        "--format",
        "json",
    ).json
    assert [each["with_partitions"] for each in printed["indexes"]] == [None]


def test_what_can_go_is_counted_with_its_partitions_and_once(sales: Scratch) -> None:
    sales.run("CREATE INDEX sale_copy ON sale (id)")
    copies = [each for each in sales.fact(Indexes).items if "id_idx1" in each.name or "copy" in each.name]
    result = command("indexreport", "--database", sales.alias, "--select", "IDX002")
    going = sum(each.size_bytes for each in copies)
    assert len(copies) == 4
    assert f"4 of them can go, {going // 1024} kB." in result.out, result.out


def test_by_size_a_partitioned_index_stands_where_its_sum_puts_it(sales: Scratch) -> None:
    sales.run("CREATE TABLE small (id int PRIMARY KEY)")
    printed = command(
        "indexreport", "--database", sales.alias, "--select", "IDX002", "--sort", "size", "--format", "json"
    ).json
    assert next(each["name"] for each in printed["indexes"]) == "sale_id"
