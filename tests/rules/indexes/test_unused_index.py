from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connections

from django_dbaudit.audit import Audit
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from posing import judge, only
from recording import Diary
from scratch import Scratch
from versions import needs_server

#: A table that is large enough for an index to make sense.
TABLE = "CREATE TABLE t AS SELECT g AS a, g AS b, g::text AS code FROM generate_series(1, 2000) AS g"
PARTITIONED = (
    "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a)",
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
    "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000)",
    "INSERT INTO p SELECT g, g FROM generate_series(0, 3999) AS g",
)


def findings(scratch: Scratch) -> list[Finding]:
    """With nought days the counters are taken as they are, however young the server."""
    return list(scratch.findings("unused-index", unused_index_days=0))


def names(scratch: Scratch) -> list[str]:
    return [finding.subject.name for finding in findings(scratch)]


def query(scratch: Scratch, sql: str, *, moves: str) -> None:
    """Run a query in a session of its own, until the counter of the index has moved."""
    with scratch.session() as session, session.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(sql)
    # A session tells the statistics what it did at its end, at the latest.
    counter = f"SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelid = '{moves}'::regclass"
    scratch.wait_until(lambda: scratch.run(counter)[0][0])


def with_index(scratch: Scratch, name: str, **attributes: Any) -> Indexes:
    """The indexes of the database, one of them changed."""
    known: Indexes = scratch.fact(Indexes)
    changed = [replace(each, **attributes) if each.name == name else each for each in known.items]
    assert changed != list(known.items)
    return Indexes(tuple(changed))


def after(scratch: Scratch, days: float, **attributes: Any) -> Server:
    """The server, ``days`` after it began to count."""
    server: Server = scratch.fact(Server)
    since = server.taken_at - timedelta(days=days)
    times = {"started_at": since, "counting_since": since, "statistics_reset_at": None}
    return replace(server, **{**times, **attributes})


def test_an_index_that_is_read_is_left_alone(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    query(scratch, "SELECT * FROM t WHERE a = 5", moves="t_a")
    assert names(scratch) == []


def test_an_index_on_a_small_table_is_left_alone(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t AS SELECT 1 AS a", "CREATE INDEX t_a ON t (a)")
    assert names(scratch) == []


def test_an_index_on_an_empty_table_is_left_alone(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int)", "CREATE INDEX t_a ON t (a)")
    assert names(scratch) == []


def test_what_keeps_rows_unique_or_apart_is_left_alone(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "ALTER TABLE t ADD PRIMARY KEY (a), ADD UNIQUE (b)",
        "CREATE UNIQUE INDEX t_a_b ON t (a, b)",
        "CREATE UNIQUE INDEX t_partial ON t (b) WHERE a > 5",
        "ALTER TABLE t ADD EXCLUDE USING hash (code WITH =)",
    )
    assert names(scratch) == []


def test_the_order_of_a_clustered_table_is_left_alone(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)", "ALTER TABLE t CLUSTER ON t_a")
    assert names(scratch) == []


def test_the_replica_identity_is_left_alone(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "ALTER TABLE t ALTER a SET NOT NULL",
        "CREATE UNIQUE INDEX t_a ON t (a)",
        "ALTER TABLE t REPLICA IDENTITY USING INDEX t_a",
    )
    assert names(scratch) == []


def test_what_a_concurrent_refresh_needs_is_left_alone(scratch: Scratch) -> None:
    scratch.run(
        "CREATE MATERIALIZED VIEW v AS SELECT g AS a FROM generate_series(1, 3000) AS g",
        "CREATE UNIQUE INDEX v_a ON v (a)",
    )
    assert names(scratch) == []


def test_the_index_of_a_foreign_key_is_left_alone(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES parent NOT VALID",
        "CREATE INDEX t_a ON t (a)",
        "CREATE INDEX t_a_b ON t (a, b)",
        "CREATE INDEX t_b_a ON t (b, a)",
    )
    assert names(scratch) == ["public.t_b_a"]


def test_the_index_of_a_foreign_key_without_constraint_is_left_alone(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    index = DeclaredIndex(
        table="t",
        names=("t_a",),
        columns=("a",),
        is_unique=False,
        kind="foreign_key",
        model="shop.Order",
        field="customer",
        is_third_party=False,
        location=None,
    )
    posed = DeclaredIndexes((index,), (), ("t",))
    assert judge("unused-index", scratch, posed, unused_index_days=0).findings == ()


def test_partitions_serve_the_copies_of_a_foreign_key(scratch: Scratch) -> None:
    scratch.run(
        *PARTITIONED,
        "CREATE TABLE parent AS SELECT DISTINCT a FROM p",
        "ALTER TABLE parent ADD PRIMARY KEY (a)",
        "ALTER TABLE p ADD FOREIGN KEY (a) REFERENCES parent",
        "CREATE INDEX p1_a ON p1 (a)",
        "CREATE INDEX p1_b ON p1 (b)",
    )
    assert names(scratch) == ["public.p1_b"]


@needs_server(180000)
def test_the_index_of_a_temporal_foreign_key_is_left_alone(scratch: Scratch) -> None:
    scratch.run(
        "CREATE EXTENSION btree_gist",
        "CREATE TABLE parent (id int, during int4range, PRIMARY KEY (id, during WITHOUT OVERLAPS))",
        "CREATE TABLE t AS SELECT g AS id, int4range(g, g + 1) AS during FROM generate_series(1, 999) AS g",
        "INSERT INTO parent SELECT * FROM t",
        "ALTER TABLE t ADD FOREIGN KEY (id, PERIOD during) REFERENCES parent (id, PERIOD during)",
        "CREATE INDEX t_key ON t USING gist (id, during)",
        "CREATE INDEX t_during ON t USING spgist (during)",
    )
    assert names(scratch) == ["public.t_during"]


@needs_server(180000)
def test_an_index_that_only_a_foreign_key_not_enforced_could_use_is_named(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES parent NOT ENFORCED",
        "CREATE INDEX t_a ON t (a)",
    )
    assert names(scratch) == ["public.t_a"]


def test_an_index_of_an_extension_is_left_alone(scratch: Scratch) -> None:
    scratch.run(
        "CREATE EXTENSION pg_trgm",
        TABLE,
        "CREATE INDEX t_a ON t (a)",
        "ALTER EXTENSION pg_trgm ADD TABLE t",
    )
    assert names(scratch) == []


def test_an_index_that_nobody_can_read_is_another_rules_business(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    posed = with_index(scratch, "t_a", is_valid=False)
    assert judge("unused-index", scratch, posed, unused_index_days=0).findings == ()


def test_one_partition_that_is_read_is_enough(scratch: Scratch) -> None:
    scratch.run(*PARTITIONED, "CREATE INDEX p_b ON p (b)")
    query(scratch, "SELECT * FROM p2 WHERE b = 3000", moves="p2_b_idx")
    assert names(scratch) == []


def test_an_index_takes_over_the_scans_of_its_duplicates(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX narrow ON t (a)", "CREATE INDEX wide ON t (a, b)")
    posed = with_index(scratch, "narrow", scans=7)
    assert judge("unused-index", scratch, posed, unused_index_days=0).findings == ()


def test_a_partitioned_index_takes_over_the_scans_of_its_duplicates_parts(scratch: Scratch) -> None:
    scratch.run(*PARTITIONED, "CREATE INDEX narrow ON p (b)", "CREATE INDEX wide ON p (b, a)")
    posed = with_index(scratch, "p1_b_idx", scans=7)
    assert judge("unused-index", scratch, posed, unused_index_days=0).findings == ()


def test_an_index_that_is_never_read_is_named(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_b ON t (b)")
    query(scratch, "SELECT * FROM t WHERE a = 5", moves="t_a")
    assert names(scratch) == ["public.t_b"]


def test_a_duplicate_of_what_is_read_is_unused_all_the_same(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX narrow ON t (a)", "CREATE INDEX wide ON t (a, b)")
    posed = with_index(scratch, "wide", scans=7)
    found = judge("unused-index", scratch, posed, unused_index_days=0)
    assert only(found).subject.name == "public.narrow"


def test_every_kind_of_index_can_be_unused(scratch: Scratch) -> None:
    kinds = ["(a DESC)", "(a) WHERE b > 5", "USING brin (a)", "USING hash (a)"]
    scratch.run(TABLE, *[f'CREATE INDEX "{kind}" ON t {kind}' for kind in kinds])
    assert names(scratch) == [f"public.{kind}" for kind in kinds]


def test_the_same_names_in_two_schemas_are_two_indexes(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE INDEX t_a ON t (a)",
        "CREATE SCHEMA south",
        TABLE.replace(" t ", " south.t "),
        "CREATE INDEX t_a ON south.t (a)",
    )
    query(scratch, "SELECT * FROM public.t WHERE a = 5", moves="public.t_a")
    assert names(scratch) == ["south.t_a"]


def test_a_partitioned_index_is_named_once_with_the_size_of_its_parts(scratch: Scratch) -> None:
    scratch.run(*PARTITIONED, "CREATE INDEX p_b ON p (b)")
    ((size,),) = scratch.run("SELECT sum(pg_relation_size(indexrelid)) FROM pg_stat_user_indexes")
    (finding,) = findings(scratch)
    assert finding.subject.name == "public.p_b"
    assert finding.evidence["size_bytes"] == size > 0
    assert finding.fix
    # PostgreSQL refuses to drop a partitioned index concurrently.
    assert finding.fix.text == 'DROP INDEX "public"."p_b";'


def test_a_small_partition_is_a_small_table(scratch: Scratch) -> None:
    scratch.run(
        *PARTITIONED,
        "CREATE TABLE p3 PARTITION OF p DEFAULT",
        "CREATE INDEX p1_b ON p1 (b)",
        "CREATE INDEX p3_b ON p3 (b)",
    )
    assert names(scratch) == ["public.p1_b"]


def test_a_table_counts_from_the_pages_that_the_setting_says(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t AS SELECT 1 AS a", "CREATE INDEX t_a ON t (a)")
    found = scratch.findings("unused-index", unused_index_days=0, unused_index_table_pages=1)
    assert [each.subject.name for each in found] == ["public.t_a"]


def test_an_expressions_statistics_are_worth_a_word(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_expression ON t (abs(a))")
    (finding,) = findings(scratch)
    assert "the planner may still use the statistics on its expression" in finding.message


def test_what_others_declare_is_only_an_information(scratch: Scratch) -> None:
    with connections[scratch.alias].schema_editor() as editor:
        editor.create_model(Session)
    scratch.run(
        "INSERT INTO django_session SELECT g, repeat('x', 99), now() FROM generate_series(1, 999) AS g"
    )
    expiry = next(each for each in findings(scratch) if "expire_date" in each.subject.name)
    assert expiry.severity is Severity.INFO
    assert expiry.location is None
    assert expiry.fix
    assert "not this project's code (django/contrib/sessions/base_session.py:" in expiry.fix.text


def test_the_fix_leaves_nothing_to_find(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    (finding,) = findings(scratch)
    assert finding.severity is Severity.WARNING
    assert finding.fix
    scratch.run(finding.fix.text)
    assert names(scratch) == []


# How far the statistics go back.


def test_statistics_that_cover_too_little_are_no_evidence(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    audit = judge("unused-index", scratch, after(scratch, days=29))
    assert audit.findings == ()
    (not_run,) = audit.not_run
    assert not_run.reason.startswith("the statistics cover 29 d, since ")
    assert "needs 30 days" in not_run.reason


def test_a_reset_of_the_statistics_begins_anew(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    server = after(scratch, days=90)
    reset = replace(server, statistics_reset_at=server.taken_at - timedelta(days=3))
    (not_run,) = judge("unused-index", scratch, reset).not_run
    assert "cover 3 d" in not_run.reason


def test_a_crash_after_the_reset_begins_anew(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    server = after(scratch, days=3)
    reset = replace(server, statistics_reset_at=server.taken_at - timedelta(days=90))
    (not_run,) = judge("unused-index", scratch, reset).not_run
    assert "cover 3 d" in not_run.reason


def test_a_clean_restart_loses_nothing(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    server = after(scratch, days=90)
    restarted = replace(server, started_at=server.taken_at - timedelta(hours=1))
    assert only(judge("unused-index", scratch, restarted)).subject.name == "public.t_a"


def test_a_young_server_is_not_asked(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    (not_run,) = scratch.not_run("unused-index")
    assert not_run.reason.startswith("the statistics cover ")


def test_a_replica_says_nothing_of_the_primary(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    audit = judge("unused-index", scratch, after(scratch, days=90, in_recovery=True))
    assert audit.findings == ()
    assert audit.not_run[0].reason.startswith("a read replica")


def test_a_server_that_does_not_count_knows_nothing(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    audit = judge("unused-index", scratch, after(scratch, days=90, track_counts=False))
    assert audit.findings == ()
    assert "track_counts" in audit.not_run[0].reason


def test_ninety_days_without_a_scan_are_evidence(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    finding = only(judge("unused-index", scratch, after(scratch, days=90)))
    assert "in 90 d or since it was made" in finding.message


def test_a_scan_of_last_week_is_a_use(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    server = after(scratch, days=90)
    week_ago = server.taken_at - timedelta(days=7)
    posed = with_index(scratch, "t_a", scans=1, last_scan=week_ago)
    assert judge("unused-index", scratch, server, posed).findings == ()


def test_a_scan_of_last_quarter_is_none(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    server = after(scratch, days=90)
    long_ago = server.taken_at - timedelta(days=60)
    posed = with_index(scratch, "t_a", scans=1000, last_scan=long_ago)
    finding = only(judge("unused-index", scratch, server, posed))
    assert f"was last read on {long_ago:%Y-%m-%d}, 60 d ago" in finding.message
    assert finding.evidence["last_scan"] == long_ago.isoformat()


def test_a_scan_that_nobody_knows_the_time_of_is_a_use(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    posed = with_index(scratch, "t_a", scans=1, last_scan=None)
    assert judge("unused-index", scratch, after(scratch, days=90), posed).findings == ()


def test_the_latest_scan_of_any_partition_counts(scratch: Scratch) -> None:
    scratch.run(*PARTITIONED, "CREATE INDEX p_b ON p (b)")
    server = after(scratch, days=90)
    old, new = (server.taken_at - timedelta(days=days) for days in (60, 7))
    times = {"p1_b_idx": old, "p2_b_idx": new}
    read = [
        replace(each, scans=9 if each.parent_oid else 0, last_scan=times.get(each.name))
        for each in scratch.fact(Indexes).items
    ]
    assert judge("unused-index", scratch, server, Indexes(tuple(read))).findings == ()
    stale = [replace(each, last_scan=each.last_scan and old) for each in read]
    assert only(judge("unused-index", scratch, server, Indexes(tuple(stale)))).evidence["scans"] == 18


@needs_server(160000)
def test_the_server_tells_when_an_index_was_last_read(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    query(scratch, "SELECT * FROM t WHERE a = 5", moves="t_a")
    (index,) = scratch.fact(Indexes).items
    assert abs(index.last_scan - scratch.fact(Server).taken_at) < timedelta(minutes=5)


# With records of former days: see recording.Diary, whose days end on day 100, which is today.


@pytest.fixture
def diary(scratch: Scratch) -> Diary:
    call_command("migrate", "django_dbaudit", database=scratch.alias, verbosity=0)
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_b ON t (b)")
    return Diary(scratch)


def named(audit: Audit) -> list[str]:
    assert audit.not_run == (), audit.not_run
    return [each.subject.name for each in audit.findings]


def test_an_index_younger_than_the_window_is_left_alone(diary: Diary) -> None:
    diary.write(10, {"t_a": 0})
    diary.write(95, {"t_a": 0, "t_b": 0})
    assert named(diary.judge({"t_a": 0, "t_b": 0})) == ["public.t_a"]


def test_an_index_made_after_the_last_snapshot_is_left_alone(diary: Diary) -> None:
    diary.write(99, {"t_a": 0})
    assert named(diary.judge({"t_a": 0, "t_b": 0})) == ["public.t_a"]


def test_an_index_old_enough_by_the_records_is_named(diary: Diary) -> None:
    diary.write(10, {"t_a": 9})
    diary.write(60, {"t_a": 9, "t_b": 0})
    (finding,) = diary.judge({"t_a": 99, "t_b": 0}, last_scan=diary.moment(99)).findings
    assert (
        f"has not been read once since {diary.moment(60):%Y-%m-%d}, in 40 d of records" in finding.message
    )
    assert finding.evidence["first_seen"] == diary.moment(60).isoformat()


def test_a_rebuilt_index_is_as_old_as_it_was(diary: Diary) -> None:
    diary.write(10, {"t_a": 0})
    diary.scratch.run("DROP INDEX t_a", "CREATE INDEX t_a ON t (a)")
    assert named(diary.judge({"t_a": 0})) == ["public.t_a"]


def test_what_was_read_before_a_reset_was_read(diary: Diary) -> None:
    diary.write(10, {"t_a": 0, "t_b": 0})
    diary.write(90, {"t_a": 5, "t_b": 0})
    found = diary.judge({"t_a": 0, "t_b": 0}, since=90.5)
    assert named(found) == ["public.t_b"]


def test_records_cover_what_the_statistics_lost(diary: Diary) -> None:
    diary.write(10, {"t_a": 0})
    diary.write(90, {"t_a": 0}, since=50)
    finding = only(diary.judge({"t_a": 0}, since=95))
    # Days 10 to 50 and 90 to 95 are lost: nobody knows what was read then.
    assert finding.evidence["days_of_records"] == 10 + 40 + 5
    assert "in 55 d of records" in finding.message


def test_days_that_nobody_counted_do_not_count(diary: Diary) -> None:
    diary.write(80, {"t_a": 0}, since=75)
    (not_run,) = diary.judge({"t_a": 0}, since=90).not_run
    assert not_run.reason.startswith("the statistics and the records cover 15 d, since ")
    assert "needs 30 days" in not_run.reason


def test_a_read_within_the_covered_days_is_a_use_though_it_is_long_ago(diary: Diary) -> None:
    # Of the last 50 days 20 were lost: thirty days that are known go back to day 50.
    diary.write(55, {"t_a": 7, "t_b": 7}, last_scan=diary.moment(52))
    diary.write(60, {"t_a": 7, "t_b": 7}, last_scan=diary.moment(52))
    assert named(diary.judge({"t_a": 0}, since=80, last_scan=None)) == []


def test_without_records_it_says_how_to_have_some(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    (not_run,) = judge("unused-index", scratch, after(scratch, days=3)).not_run
    assert "run 'manage.py indexreport --snapshot' once a day" in not_run.reason


def test_before_postgresql_16_records_tell_that_a_use_has_ended(diary: Diary) -> None:
    diary.write(10, {"t_a": 500})
    diary.write(50, {"t_a": 700})
    finding = only(diary.judge({"t_a": 700}, version=150000))
    day = f"{diary.moment(50):%Y-%m-%d}"
    assert f"has not been read since {day}, 50 d ago, by the records" in finding.message
    assert named(diary.judge({"t_a": 701}, version=150000)) == []


def test_the_reads_of_a_server_that_is_gone_count(diary: Diary) -> None:
    diary.write(90, {"t_a": 3, "t_b": 0})
    # The replica that took over on day 91 was never looked at before.
    found = diary.judge({"t_a": 0, "t_b": 0}, since=20, promoted_at=diary.moment(91), timeline=2)
    assert named(found) == ["public.t_b"]


def test_a_failover_breaks_the_window_for_as_long_as_nobody_looked(diary: Diary) -> None:
    diary.write(90, {"t_a": 0})
    finding = only(diary.judge({"t_a": 0}, since=20, promoted_at=diary.moment(92), timeline=2))
    assert finding.evidence["days_of_records"] == 90 + 8


def test_records_of_another_database_do_not_count(diary: Diary) -> None:
    diary.write(90, {"t_a": 3}, database="another")
    assert named(diary.judge({"t_a": 0})) == ["public.t_a"]
    assert "of records" not in diary.judge({"t_a": 0}).findings[0].message


def test_records_of_another_cluster_do_not_count(diary: Diary) -> None:
    diary.write(90, {"t_a": 3}, system_identifier="7")
    assert named(diary.judge({"t_a": 0})) == ["public.t_a"]
