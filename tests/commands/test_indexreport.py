"""What ``indexreport`` promises about its own options: which indexes it shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.management import index_totals
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.rule import select_rules
from flavors.models import Category, Flavor
from running import Result, command
from scratch import Scratch
from settling import settle


@pytest.fixture
def shop(scratch: Scratch) -> Iterator[Scratch]:
    """Two tables of an app, one of nobody in a schema of its own; each with something to find."""
    with connections[scratch.alias].schema_editor() as editor:
        editor.create_model(Category)
        editor.create_model(Flavor)
    scratch.run(
        "CREATE SCHEMA bar",
        "CREATE TABLE bar.cone (id bigint PRIMARY KEY, title text, price int)",
        "CREATE INDEX cone_title ON bar.cone (title)",
        "CREATE INDEX cone_title_copy ON bar.cone (title)",
        "INSERT INTO bar.cone SELECT n, repeat(md5(n::text), 10), n FROM generate_series(1, 500) AS n",
        "ANALYZE",
        "SET enable_seqscan = off",
        "SELECT count(*) FROM bar.cone WHERE id = 7",
        "SELECT pg_stat_force_next_flush()" if _flushes(scratch) else "SELECT 1",
        "RESET enable_seqscan",
    )
    scratch.wait_until(lambda: scratch.run("SELECT pg_stat_get_numscans('bar.cone_pkey'::regclass)")[0][0])
    yield scratch


def _flushes(scratch: Scratch) -> bool:
    return bool(scratch.run("SELECT to_regproc('pg_catalog.pg_stat_force_next_flush') IS NOT NULL")[0][0])


def report(shop: Scratch, *arguments: object, select: str = "IDX002") -> Result:
    return command(
        "indexreport", "--database", shop.alias, "--format", "json", "--select", select, *arguments
    )


def tables(result: Result) -> list[str]:
    return list(dict.fromkeys(f"{each['schema']}.{each['table']}" for each in result.json["indexes"]))


def names(result: Result) -> list[str]:
    return [each["name"] for each in result.json["indexes"]]


def subjects(result: Result) -> list[str]:
    return [each["subject"]["name"] for each in result.json["findings"]]


def test_all_tables_are_shown_the_biggest_gain_first(shop: Scratch) -> None:
    result = report(shop)
    assert tables(result) == ["bar.cone", "public.flavors_flavor", "public.flavors_category"]
    assert names(result)[0] == "cone_title_copy"
    assert sorted(subjects(result)) == ["bar.cone_title_copy", "public.flavor_title_copy"]


@pytest.mark.parametrize("name", ["cone", "bar.cone"])
def test_table_narrows_indexes_and_findings(shop: Scratch, name: str) -> None:
    result = report(shop, "--table", name)
    assert tables(result) == ["bar.cone"]
    assert subjects(result) == ["bar.cone_title_copy"]


def test_table_may_be_repeated(shop: Scratch) -> None:
    result = report(shop, "--table", "cone", "--table", "public.flavors_category")
    assert tables(result) == ["bar.cone", "public.flavors_category"]


def test_app_means_the_tables_of_its_models(shop: Scratch) -> None:
    result = report(shop, "--app", "flavors")
    assert tables(result) == ["public.flavors_flavor", "public.flavors_category"]
    assert subjects(result) == ["public.flavor_title_copy"]


def test_an_app_without_findings_is_status_0(shop: Scratch) -> None:
    result = report(shop, "--app", "auth")
    assert (result.status, names(result), subjects(result)) == (0, [], [])


def test_app_and_table_together_ask_for_both(shop: Scratch) -> None:
    assert tables(report(shop, "--app", "flavors", "--table", "cone")) == []


def test_unused_leaves_out_what_was_read(shop: Scratch) -> None:
    assert "cone_pkey" in names(report(shop))
    unused = names(report(shop, "--unused"))
    assert "cone_pkey" not in unused
    assert "cone_title" in unused


def test_unused_finds_a_partitioned_index_read_where_a_partition_is(shop: Scratch) -> None:
    shop.run(
        "CREATE TABLE sale (id bigint) PARTITION BY RANGE (id)",
        "CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM (0) TO (1000)",
        "CREATE INDEX sale_id ON sale (id)",
        "INSERT INTO sale SELECT n FROM generate_series(1, 900) AS n",
        "ANALYZE sale",
        "SET enable_seqscan = off",
        "SELECT count(*) FROM sale WHERE id = 7",
        "RESET enable_seqscan",
    )
    shop.wait_until(lambda: shop.run("SELECT pg_stat_get_numscans('sale_1_id_idx'::regclass)")[0][0])
    assert names(report(shop, "--unused", "--table", "sale", "--table", "sale_1")) == []
    assert names(report(shop, "--table", "sale")) == ["sale_id"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("size", "cone_title"), ("name", "cone_pkey"), ("gain", "cone_title_copy"), ("scans", "cone_title")],
)
def test_sort_orders_the_indexes_of_a_table(shop: Scratch, sort: str, first: str) -> None:
    found = names(report(shop, "--table", "cone", "--sort", sort))
    assert found[0] == first
    if sort == "scans":
        assert found[-1] == "cone_pkey"


def test_sort_by_name_orders_tables_by_name(shop: Scratch) -> None:
    assert tables(report(shop, "--sort", "name")) == [
        "bar.cone",
        "public.flavors_category",
        "public.flavors_flavor",
    ]


def test_the_console_shows_the_same_and_counts_only_that(shop: Scratch) -> None:
    result = command("indexreport", "--database", shop.alias, "--select", "IDX002", "--table", "cone")
    assert "bar.cone  " in result.out
    assert "flavors" not in result.out
    assert "3 indexes, " in result.out
    assert "1 of them can go" in result.out


def test_what_is_not_shown_stays_in_the_baseline(shop: Scratch, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    report(shop, "--table", "cone", "--write-baseline", file)
    result = report(shop, "--app", "auth", "--baseline", file)
    assert (result.status, result.err) == (0, "")
    assert report(shop, "--baseline", file).status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "public.cone"], "Unknown table: 'public.cone'. Do you mean: "),
        (["--table", "zzz"], "Unknown table: 'zzz'. There are: "),
        (["--app", "flavours"], "Unknown app: 'flavours'. Apps with models are: "),
        (["--sort", "colour"], "--sort is 'colour'; it must be one of: gain, size, scans, name."),
    ],
)
def test_what_is_unknown_is_refused_with_what_is_known(
    shop: Scratch, arguments: list[Any], message: str
) -> None:
    result = report(shop, *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(message)


def test_a_database_that_cannot_be_looked_at_is_the_first_thing_to_say(scratch: Scratch) -> None:
    result = report(scratch, "--table", "cone")
    assert result.status == 2
    assert "the database has no tables" in result.err


def test_an_index_that_a_migration_makes_by_hand_is_traced_to_it(
    shop: Scratch, tmp_path: Path, monkeypatch: Any, settings: Any
) -> None:
    package = tmp_path / "cone_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "0001_more.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        '    operations = [migrations.RunSQL("CREATE INDEX cone_title ON bar.cone (title)")]\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"flavors": "cone_migrations"}
    result = command("indexreport", "--database", shop.alias, "--select", "IDX002", "--table", "cone")
    assert "Declared by RunSQL in flavors.0001_more" in result.out


# What is to be won, at the end.


def last_line(scratch: Scratch, select: str, *, days: float = 10, **counters: int) -> str:
    """After so many days in which each table was written so often."""
    rules = select_rules([select], ())
    kinds = audit.needed_facts(rules) | {Server, Indexes, Tables}
    config = Config(thresholds=Thresholds(bloated_index_pages=16))
    (alias,) = facts.gather([scratch.alias], kinds, config).aliases
    server, tables = alias.get(Server), alias.get(Tables)
    since = server.taken_at - timedelta(days=days)
    known = {
        **alias.known,
        Server: replace(server, started_at=since, counting_since=since, statistics_reset_at=None),
        Tables: Tables(tuple(replace(each, **counters) for each in tables.items)),
    }
    seen = facts.Facts((replace(alias, known=known),))
    return index_totals.line(seen, audit.run(rules, seen, config.thresholds))


def test_the_writes_that_are_saved_are_told(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int)", *(f"CREATE INDEX i{n} ON t (a)" for n in range(3)))
    assert last_line(scratch, "IDX002", rows_inserted=0) == ("3 indexes, 24 kB; 2 of them can go, 16 kB.")
    written = {"rows_inserted": 1_000, "rows_updated": 500, "rows_hot_updated": 200}
    assert last_line(scratch, "IDX002", **written) == (
        "3 indexes, 24 kB; 2 of them can go, 16 kB and 260 index writes a day."
    )
    assert "writes" not in last_line(scratch, "IDX002", days=0.5, **written)


def test_the_writes_to_partitions_are_those_of_the_whole(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (9) TO (20)",
        "CREATE INDEX p_a ON p (a)",
        "CREATE INDEX p_b ON p (a)",
    )
    assert " and 200 index writes a day." in last_line(scratch, "IDX002", rows_inserted=1_000)


def test_what_a_rebuild_wins_is_told_and_comes_before_what_is_well(scratch: Scratch) -> None:
    settle(
        scratch,
        "CREATE TABLE t AS SELECT g AS a, g AS b FROM generate_series(1, 60000) AS g",
        "CREATE INDEX i_a ON t (a)",
        "CREATE INDEX i_full ON t (b, a) WITH (fillfactor = 10)",
        "DELETE FROM t WHERE a % 6 > 0",
    )
    scratch.run("REINDEX INDEX i_full", "CREATE TABLE u (a int PRIMARY KEY)")
    assert last_line(scratch, "IDX006").endswith(
        "0 of them can go, 0 bytes; a rebuild of 1 more would win 1.1 MB."
    )
    assert names(report(scratch, select="IDX006"))[0] == "i_a"
