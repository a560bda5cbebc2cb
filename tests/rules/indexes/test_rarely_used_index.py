from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from django_dbaudit import audit
from django_dbaudit.finding import Severity
from django_dbaudit.postgres.column_statistics import ColumnStatistics
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from posing import judge, only
from scratch import Scratch

RULE = "rarely-used-index"
DAYS = 30
SHAPE = "CREATE TABLE t (id int, a int, b int, note text, flag bool)"

#: 41 scans that lead to a hundred rows each, of a table of 80 MB, against 2.1 million writes.
READ: dict[str, Any] = {
    "size_bytes": 30 * 1024**2,
    "entries": 1_000_000,
    "scans": 41,
    "tuples_read": 4_100,
    "tuples_fetched": 4_100,
}
WRITTEN: dict[str, Any] = {
    "rows": 1_000_000,
    "size_bytes": 10_000 * 8192,
    "rows_inserted": 2_100_000,
    "rows_updated": 0,
    "rows_hot_updated": 0,
    "rows_deleted": 2_000_000,
}


def verdict(
    scratch: Scratch,
    *posed: Any,
    index: dict[str, Any] | None = None,
    table: dict[str, Any] | None = None,
    others: dict[str, Any] | None = None,
    server: dict[str, Any] | None = None,
    thresholds: dict[str, Any] | None = None,
) -> audit.Audit:
    """The rule's word, after thirty days; ``index`` is about ``i``, ``others`` about all but that."""
    real: Server = scratch.fact(Server)
    since = real.taken_at - timedelta(days=DAYS)
    times = {"started_at": since, "counting_since": since, "statistics_reset_at": None}
    indexes = [
        replace(each, **{**READ, **((index if each.name == "i" else others) or {})})
        for each in scratch.fact(Indexes).items
    ]
    tables = [replace(each, **{**WRITTEN, **(table or {})}) for each in scratch.fact(Tables).items]
    facts = [replace(real, **{**times, **(server or {})}), Indexes(tuple(indexes)), Tables(tuple(tables))]
    outcome = judge(RULE, scratch, *facts, *posed, **(thresholds or {}))
    assert not outcome.failures, outcome.failures
    return outcome


def names(outcome: audit.Audit) -> list[str]:
    return [finding.subject.name for finding in outcome.findings]


@pytest.fixture
def plain(scratch: Scratch) -> Scratch:
    scratch.run(SHAPE, "CREATE INDEX i ON t (a)")
    return scratch


# What is left alone.


@pytest.mark.parametrize(
    ("index", "table"),
    [
        ({"scans": 30}, {"size_bytes": 100_000 * 8192}),
        ({"tuples_read": 41 * 100_000}, {}),
        ({"scans": 301}, {"size_bytes": 100 * 8192, "rows_inserted": 10**8}),
        ({}, {"rows_inserted": 29_000, "size_bytes": 5 * 8192}),
        ({"size_bytes": 127 * 8192}, {}),
        ({}, {"rows_inserted": 0, "rows_updated": 2_100_000, "rows_hot_updated": 2_050_000}),
        ({}, {"rows_inserted": 0, "rows_deleted": 10**9}),
        ({"scans": 0, "tuples_read": 0, "tuples_fetched": 0}, {}),
    ],
    ids=[
        "a nightly job that saves much",
        "scans that sweep through it",
        "ten times a day",
        "hardly written",
        "small",
        "HOT updates",
        "deleted rows",
        "never read",
    ],
)
def test_it_is_left_alone(plain: Scratch, index: dict[str, Any], table: dict[str, Any]) -> None:
    assert verdict(plain, index=index, table=table).findings == ()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE UNIQUE INDEX i ON t (a)",
        "ALTER TABLE t ADD CONSTRAINT i UNIQUE (a)",
        "ALTER TABLE t ADD CONSTRAINT i PRIMARY KEY (a)",
        "ALTER TABLE t ADD CONSTRAINT i EXCLUDE USING btree (a WITH =)",
    ],
)
def test_what_is_for_more_than_reading_is_left_alone(scratch: Scratch, statement: str) -> None:
    scratch.run(SHAPE, statement)
    assert verdict(scratch).findings == ()


@pytest.mark.parametrize(
    "index",
    [
        "i ON t USING gin (to_tsvector('english', note))",
        "i ON t USING gist (int4range(a, b))",
        "i ON t USING brin (a)",
        "i ON t (length(note))",
    ],
)
def test_what_it_saves_beside_pages_is_not_counted_so_it_is_left_alone(
    scratch: Scratch, index: str
) -> None:
    scratch.run(SHAPE, f"CREATE INDEX {index}")
    assert verdict(scratch).findings == ()


def test_the_order_of_a_clustered_table_is_left_alone(plain: Scratch) -> None:
    plain.run("CLUSTER t USING i")
    assert verdict(plain).findings == ()


def test_the_index_of_a_foreign_key_is_left_alone(plain: Scratch) -> None:
    plain.run("CREATE TABLE up (id int PRIMARY KEY)", "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES up")
    assert verdict(plain).findings == ()


def declared(kind: str) -> DeclaredIndexes:
    index = DeclaredIndex(
        table="t",
        names=("i",),
        columns=("a",),
        is_unique=False,
        kind=kind,
        model="shop.Order",
        field="a",
        is_third_party=False,
        location=None,
    )
    return DeclaredIndexes((index,), (), ("t",))


def test_the_index_of_a_foreign_key_without_constraint_is_left_alone(plain: Scratch) -> None:
    assert verdict(plain, declared("foreign_key")).findings == ()
    assert names(verdict(plain, declared("db_index"))) == ["public.i"]


def test_a_materialized_view_is_left_alone(scratch: Scratch) -> None:
    scratch.run("CREATE MATERIALIZED VIEW t AS SELECT 1 AS a", "CREATE INDEX i ON t (a)")
    assert verdict(scratch).findings == ()


def test_what_another_rule_would_drop_is_left_to_it(plain: Scratch) -> None:
    plain.run("CREATE INDEX wider ON t (a, b)")
    busy = {"scans": 10**6, "tuples_read": 10**8, "tuples_fetched": 10**8}
    assert verdict(plain, others=busy).findings == ()


def test_values_that_are_all_common_are_another_rules_business(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE t AS SELECT g % 2 = 0 AS flag FROM generate_series(1, 1000) AS g",
        "CREATE INDEX i ON t (flag)",
        "ANALYZE t",
    )
    seldom = {"scans": 3, "tuples_read": 3, "tuples_fetched": 3}
    assert verdict(scratch, index=seldom).findings == ()
    assert names(verdict(scratch, ColumnStatistics(()), index=seldom)) == ["public.i"]


def test_a_partial_index_is_written_as_often_as_its_rows_are(scratch: Scratch) -> None:
    scratch.run(SHAPE, "CREATE INDEX i ON t (a) WHERE flag")
    assert verdict(scratch, index={"entries": 100_000}).findings == ()
    assert verdict(scratch, index={"entries": None}).findings == ()
    finding = only(verdict(scratch, index={"entries": 990_000}))
    assert finding.evidence["entries_written"] == 2_079_000


def test_the_scans_of_a_duplicate_count_for_what_takes_over(plain: Scratch) -> None:
    plain.run("CREATE INDEX j ON t (a)")
    assert names(verdict(plain, others={"scans": 1, "tuples_read": 1})) == ["public.i"]
    assert verdict(plain, others={"scans": 400}).findings == ()


# What is named.


def test_forty_one_scans_against_two_million_writes_are_named_with_the_numbers(plain: Scratch) -> None:
    finding = only(verdict(plain))
    assert finding.message == (
        "i on t (30.0 MB) was read 41 times in 30 d, or since it was made, against 2,100,000 entries "
        "written: it costs about 5 times what it saves."
    )
    assert finding.severity is Severity.WARNING
    assert finding.evidence["scans"] == 41
    assert finding.evidence["entries_written"] == 2_100_000
    # 10,000 pages of the table, less the way down and a hundred rows' pages.
    assert finding.evidence["pages_saved"] == round(41 * (10_000 - 103 - 3840 / 10_000))
    assert finding.fix
    assert finding.fix.text == 'DROP INDEX CONCURRENTLY "public"."i";'


def test_how_many_times_is_a_setting(plain: Scratch) -> None:
    assert verdict(plain, thresholds={"rarely_used_cost_ratio": 5.3}).findings == ()
    assert names(verdict(plain, thresholds={"rarely_used_cost_ratio": 5.1})) == ["public.i"]


def test_what_the_next_best_index_finds_is_no_saving(scratch: Scratch) -> None:
    """Without (a, b) its scans would go by (a, note), to the thousand rows of each value."""
    scratch.run(
        "CREATE TABLE t AS SELECT g % 1000 AS a, g AS b, 'x' AS note FROM generate_series(1, 20000) AS g",
        "CREATE INDEX i ON t (a, b)",
        "CREATE INDEX j ON t (a, note)",
        "ANALYZE t",
    )
    nightly = {"size_bytes": 100_000 * 8192}
    busy = {"scans": 10**6}
    found = only(
        verdict(scratch, index={"tuples_read": 41, "tuples_fetched": 41}, table=nightly, others=busy)
    )
    assert found.subject.name == "public.i"
    assert int(str(found.evidence["pages_saved"])) == pytest.approx(41 * 1000, rel=0.05)
    scratch.run("DROP INDEX j")
    assert verdict(scratch, table=nightly).findings == ()


def test_updates_that_are_not_hot_are_writes_and_told(plain: Scratch) -> None:
    updated = {"rows_inserted": 0, "rows_updated": 4_000_000, "rows_hot_updated": 120_000}
    finding = only(verdict(plain, table=updated))
    assert finding.evidence["entries_written"] == 3_880_000
    assert "; only 3.0 % of the table's updates are HOT, and none that sets a can be." in finding.message
    mostly = {"rows_inserted": 0, "rows_updated": 9_000_000, "rows_hot_updated": 6_000_000}
    assert "HOT" not in only(verdict(plain, table=mostly)).message


def test_partitions_are_summed_under_their_root(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
        "CREATE INDEX i ON p (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (9) TO (20)",
    )
    root: dict[str, Any] = {
        "size_bytes": 0,
        "scans": 0,
        "tuples_read": 0,
        "tuples_fetched": 0,
        "entries": None,
    }
    each = {"scans": 20}
    finding = only(verdict(scratch, index=root, others=each))
    assert finding.subject.name == "public.i"
    assert (finding.evidence["scans"], finding.evidence["entries_written"]) == (40, 4_200_000)
    assert finding.fix
    assert finding.fix.text == 'DROP INDEX "public"."i";'
    assert verdict(scratch, index=root, others={"scans": 151}).findings == ()


def test_a_server_that_was_a_replica_lately_makes_it_an_information(plain: Scratch) -> None:
    finding = only(verdict(plain, server={"timeline": 2, "promoted_at": None}))
    assert finding.severity is Severity.INFO
    assert "may have been a replica" in finding.message


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ({"in_recovery": True}, "replica"),
        ({"track_counts": False}, "track_counts"),
    ],
)
def test_too_early_to_tell(plain: Scratch, server: dict[str, Any], why: str) -> None:
    outcome = verdict(plain, server=server)
    assert outcome.findings == ()
    assert why in outcome.not_run[0].reason


def test_a_month_has_to_be_covered(plain: Scratch) -> None:
    outcome = verdict(plain, thresholds={"rarely_used_days": 31})
    assert "RARELY_USED_DAYS" in outcome.not_run[0].reason


def test_the_server_counts_hot_updates(scratch: Scratch) -> None:
    scratch.run(SHAPE, "CREATE INDEX i ON t (a)")
    with scratch.session() as session, session.cursor() as cursor:
        cursor.execute("INSERT INTO t SELECT g, g, g FROM generate_series(1, 50) AS g")
        cursor.execute("UPDATE t SET b = 1 WHERE id = 7")
        cursor.execute("UPDATE t SET a = 1 WHERE id = 8")
    counted = (50, 2, 1)
    scratch.wait_until(lambda: writes(scratch) == counted)


def writes(scratch: Scratch) -> tuple[int, int, int]:
    (table,) = scratch.fact(Tables).items
    assert isinstance(table, Table)
    return table.rows_inserted, table.rows_updated, table.rows_hot_updated
