from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from django_dbaudit import audit
from django_dbaudit.finding import Severity
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Table, Tables
from posing import judge, only
from scratch import Scratch
from versions import needs_server

RULE = "heavy-sequential-scans"
DAYS = 10

#: Read whole a hundred times a day, by far most of its scans.
HEAVY: dict[str, Any] = {
    "rows": 1_000_000,
    "size_bytes": 200 * 1024**2,
    "sequential_scans": 100 * DAYS,
    "sequential_rows_read": 100 * DAYS * 1_000_000,
    "index_scans": 50,
}


def server(scratch: Scratch, days: float = DAYS, **fields: Any) -> Server:
    """The server, so many days after it began to count."""
    real: Server = scratch.fact(Server)
    since = real.taken_at - timedelta(days=days)
    return replace(real, started_at=since, counting_since=since, statistics_reset_at=None, **fields)


@pytest.fixture
def table(scratch: Scratch) -> Table:
    scratch.run("CREATE TABLE t (a int)")
    return replace(counted(scratch), **HEAVY)


def verdict(scratch: Scratch, *tables: Table, **fields: Any) -> audit.Audit:
    return judge(RULE, scratch, Tables(tables), server(scratch, **fields))


@pytest.mark.parametrize(
    "own",
    [
        {"rows": 9_999, "sequential_rows_read": 100 * DAYS * 9_999},
        {"size_bytes": 499 * 8192},
        {"sequential_scans": 0, "sequential_rows_read": 0},
        {"sequential_scans": 2 * DAYS},
        {"sequential_rows_read": 100 * DAYS * 1_000},
        {"sequential_scans": 24 * DAYS, "sequential_rows_read": 24 * DAYS * 10**6, "index_scans": 10**6},
    ],
    ids=["few rows", "few pages", "never", "nightly", "ended by a LIMIT", "now and then"],
)
def test_it_is_left_alone(scratch: Scratch, table: Table, own: dict[str, Any]) -> None:
    assert verdict(scratch, replace(table, **own)).findings == ()


def test_a_table_that_is_no_longer_read_so_is_left_alone(scratch: Scratch, table: Table) -> None:
    now = server(scratch).taken_at
    old = replace(table, last_sequential_scan=now - timedelta(days=3))
    assert verdict(scratch, old).findings == ()
    new = replace(table, last_sequential_scan=now - timedelta(hours=3))
    assert only(verdict(scratch, new)).subject.name == "public.t"


def test_a_table_that_is_read_whole_is_named_with_the_rows(scratch: Scratch, table: Table) -> None:
    finding = only(verdict(scratch, table))
    assert finding.subject.name == "public.t"
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "t (1,000,000 rows, 200.0 MB) is read from end to end 100 times a day: "
        "100,000,000 rows a day, 95.2 % of all its scans."
    )
    assert finding.evidence["sequential_rows_read"] == 1_000_000_000


def test_fewer_rows_a_day_are_an_information(scratch: Scratch, table: Table) -> None:
    less = replace(table, sequential_scans=30 * DAYS, sequential_rows_read=30 * DAYS * 10**6)
    assert only(verdict(scratch, less)).severity is Severity.INFO


def test_many_rows_are_a_warning_however_often_indexes_are_read(scratch: Scratch, table: Table) -> None:
    assert only(verdict(scratch, replace(table, index_scans=10**9))).severity is Severity.WARNING


def test_partitions_are_told_together(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (a)",
        "CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (10) TO (20)",
    )
    posed = [each if each.is_partitioned else replace(each, **HEAVY) for each in scratch.fact(Tables).items]
    finding = only(verdict(scratch, *posed))
    assert finding.subject.name == "public.p"
    assert finding.evidence["partitions"] == ["public.p1", "public.p21"]
    assert finding.evidence["rows"] == 2_000_000


def test_many_small_partitions_are_no_large_table(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE p (a int) PARTITION BY RANGE (a)")
    for number in range(3):
        scratch.run(f"CREATE TABLE p{number} PARTITION OF p FOR VALUES FROM ({number}) TO ({number + 1})")
    small = {**HEAVY, "rows": 5_000, "size_bytes": 600 * 8192}
    posed = [each if each.is_partitioned else replace(each, **small) for each in scratch.fact(Tables).items]
    assert verdict(scratch, *posed).findings == ()


def test_statistics_of_an_hour_tell_nothing(scratch: Scratch, table: Table) -> None:
    outcome = verdict(scratch, table, days=1 / 24)
    assert outcome.findings == ()
    (not_run,) = outcome.not_run
    assert "needs 1 day (DBAUDIT['THRESHOLDS']['SEQUENTIAL_SCAN_DAYS'])" in not_run.reason


def test_a_server_that_does_not_count_knows_nothing(scratch: Scratch, table: Table) -> None:
    outcome = verdict(scratch, table, track_counts=False)
    assert (outcome.findings, len(outcome.not_run)) == ((), 1)


def test_a_replica_is_judged_by_what_it_reads_itself(scratch: Scratch, table: Table) -> None:
    assert only(verdict(scratch, table, in_recovery=True)).subject.name == "public.t"


def counted(scratch: Scratch) -> Table:
    (found,) = scratch.fact(Tables).items
    assert isinstance(found, Table)
    return found


def test_the_server_counts_scans_and_their_rows(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 3000) AS g", "ANALYZE t")
    scratch.run("CREATE INDEX t_a ON t (a)")
    with scratch.session() as session, session.cursor() as cursor:
        for _ in range(30):
            cursor.execute("SELECT count(*) FROM t WHERE a % 2 = 0")
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("SELECT * FROM t WHERE a = 7")
    # A session tells the statistics what it did at its end, at the latest.
    scratch.wait_until(lambda: counted(scratch).sequential_scans >= 30 and counted(scratch).index_scans)
    assert counted(scratch).sequential_rows_read >= 30 * 3000
    finding = only(
        judge(
            RULE,
            scratch,
            sequential_scan_days=0,
            sequential_scan_rows=1000,
            sequential_scan_pages=5,
        )
    )
    assert finding.severity is Severity.INFO


@needs_server(160000)
def test_the_server_tells_when_it_last_did(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 30) AS g")
    with scratch.session() as session, session.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM t")
    scratch.wait_until(lambda: counted(scratch).last_sequential_scan)
    last = counted(scratch).last_sequential_scan
    assert last is not None
    assert abs(last - scratch.fact(Server).taken_at) < timedelta(minutes=5)
