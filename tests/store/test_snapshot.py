"""What ``indexreport --snapshot`` promises: counters that outlive resets, and harm to nobody."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from aliases import alias_like
from django_dbaudit import words
from django_dbaudit.conf import Config
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.store import writing
from django_dbaudit.store.connection import Store
from django_dbaudit.store.history import IndexHistory, IndexRecord
from recording import Diary
from running import Result, command
from scratch import Scratch

TABLE = "CREATE TABLE t AS SELECT g AS a, g AS b FROM generate_series(1, 2000) AS g"
OURS = "django_dbaudit_"


@pytest.fixture
def store(scratch: Scratch, settings: Any) -> Scratch:
    """A database that is its own store, with our tables in it and a table to watch."""
    settings.DBAUDIT = {"STORE": scratch.alias}
    call_command("migrate", "django_dbaudit", "0001", database=scratch.alias, verbosity=0)
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    return scratch


def snapshot(store: Scratch) -> Result:
    result = command("indexreport", "--snapshot", "--database", store.alias)
    assert (result.status, result.err) == (0, "")
    return result


def read(store: Scratch, times: int, name: str = "t_a") -> None:
    """Have an index scanned, and wait until its counter says so."""
    before = counter(store, name)
    with store.session() as session, session.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        # Which fetches no rows by the index' own count.
        cursor.execute("SET enable_bitmapscan = off")
        for _ in range(times):
            cursor.execute("SELECT * FROM t WHERE a = 5")
    store.wait_until(lambda: counter(store, name) == before + times)


def counter(store: Scratch, name: str) -> int:
    return int(store.run(f"SELECT pg_stat_get_numscans('{name}'::regclass)")[0][0])


def record(store: Scratch, name: str = "t_a") -> IndexRecord:
    """The one record of an index."""
    (found,) = [each for each in store.fact(IndexHistory, store=store.alias).indexes if each.name == name]
    assert isinstance(found, IndexRecord)
    return found


def test_an_index_is_recorded_with_its_counters(store: Scratch) -> None:
    read(store, 3)
    result = snapshot(store)
    assert result.out == f"{store.alias}: recorded 11 indexes; the first snapshot of this server.\n"
    found = record(store)
    assert (found.scans, found.tuples_read, found.tuples_fetched) == (3, 3, 3)
    assert found.definition == "CREATE INDEX t_a ON public.t USING btree (a)"
    assert found.size_bytes > 0


def test_the_last_snapshot_of_a_day_stays(store: Scratch) -> None:
    snapshot(store)
    read(store, 2)
    snapshot(store)
    assert store.run(f"SELECT scans FROM {OURS}recordedday WHERE index_id = {record(store).id}") == [(2,)]
    assert store.run(f"SELECT count(*) FROM {OURS}snapshot") == [(1,)]


def test_a_reset_loses_nothing_that_was_recorded(store: Scratch) -> None:
    read(store, 3)
    snapshot(store)
    store.run("SELECT pg_stat_reset()")
    store.wait_until(lambda: counter(store, "t_a") == 0)
    snapshot(store)
    assert record(store).scans == 3
    read(store, 5)
    snapshot(store)
    assert record(store).scans == 8


def test_a_reset_of_one_index_loses_nothing_either(store: Scratch) -> None:
    read(store, 3)
    snapshot(store)
    store.run("SELECT pg_stat_reset_single_table_counters('t_a'::regclass)")
    store.wait_until(lambda: counter(store, "t_a") == 0)
    read(store, 1)
    snapshot(store)
    assert record(store).scans == 4


@pytest.mark.parametrize("how", ["REINDEX INDEX t_a", "REINDEX INDEX CONCURRENTLY t_a"])
def test_a_reindexed_index_goes_on(store: Scratch, how: str) -> None:
    read(store, 3)
    snapshot(store)
    first = record(store)
    store.run(how)
    store.wait_until(lambda: counter(store, "t_a") == 3)
    read(store, 2)
    snapshot(store)
    found = record(store)
    assert (found.id, found.scans, found.first_seen_at) == (first.id, 5, first.first_seen_at)


def test_an_index_dropped_and_made_again_goes_on(store: Scratch) -> None:
    read(store, 3)
    snapshot(store)
    first = record(store)
    store.run("DROP INDEX t_a", "CREATE INDEX t_a ON t (a)")
    read(store, 2)
    snapshot(store)
    found = record(store)
    assert (found.id, found.scans, found.first_seen_at) == (first.id, 5, first.first_seen_at)
    assert found.oid != first.oid


def test_a_renamed_index_goes_on(store: Scratch) -> None:
    read(store, 3)
    snapshot(store)
    first = record(store)
    store.run("ALTER INDEX t_a RENAME TO t_renamed", "ALTER TABLE t RENAME TO u")
    assert "new:" not in snapshot(store).out
    found = record(store, "t_renamed")
    assert (found.id, found.scans, found.table) == (first.id, 3, "u")


def test_an_index_built_anew_and_renamed_into_place_goes_on(store: Scratch) -> None:
    read(store, 3)
    snapshot(store)
    first = record(store)
    store.run("CREATE INDEX t_new ON t (a)")
    snapshot(store)
    store.run("DROP INDEX t_a", "ALTER INDEX t_new RENAME TO t_a")
    result = snapshot(store)
    assert record(store).id == first.id
    assert "gone: public.t_new" in result.out


def test_another_index_of_the_same_name_begins_anew(store: Scratch) -> None:
    read(store, 3)
    snapshot(store)
    store.run("DROP INDEX t_a", "CREATE INDEX t_a ON t (b)")
    result = snapshot(store)
    assert "new: public.t_a; gone: public.t_a" in result.out
    found = store.fact(IndexHistory, store=store.alias).indexes
    assert sorted(each.scans for each in found if each.name == "t_a") == [0, 3]


def test_a_locked_table_keeps_its_records(store: Scratch) -> None:
    snapshot(store)
    first = record(store)
    with store.session() as session, session.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE t")
        assert "new:" not in snapshot(store).out
    found = record(store)
    assert (found.id, found.definition) == (first.id, first.definition)


def test_what_came_and_what_went_is_told(store: Scratch) -> None:
    snapshot(store)
    store.run("CREATE INDEX t_b ON t (b)", "DROP INDEX t_a")
    assert snapshot(store).out == (
        f"{store.alias}: recorded 11 indexes; new: public.t_b; gone: public.t_a.\n"
    )
    assert snapshot(store).out == f"{store.alias}: recorded 11 indexes.\n"


def test_odd_names_are_recorded_as_they_are(store: Scratch) -> None:
    name = 'Ein "Index" USING %s \\ \'' + "ß" * 10
    store.run(f"CREATE INDEX {words.quote(name)} ON t (b)")
    snapshot(store)
    snapshot(store)
    assert record(store, name).scans == 0


def test_any_number_of_indexes_takes_the_same_statements(store: Scratch) -> None:
    snapshot(store)
    few = statements(store)
    store.run("".join(f"CREATE TABLE w{n} (id serial PRIMARY KEY, a int UNIQUE);" for n in range(100)))
    assert statements(store) == few
    assert len(few) < 25


def statements(store: Scratch) -> list[str]:
    server, indexes = store.fact(Server), store.fact(Indexes)
    config = Config(store=store.alias)
    with Store(config) as opened, CaptureQueriesContext(opened._wrapper) as sent:
        writing.write(opened, store.alias, server, indexes.items, config)
    return [each["sql"][:40] for each in sent.captured_queries]


def test_two_snapshots_at_once_both_come_through(store: Scratch) -> None:
    read(store, 3)
    results: list[Result] = []
    threads = [threading.Thread(target=lambda: results.append(_in_thread(store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(each.status, each.err) for each in results] == [(0, "")] * 4
    assert record(store).scans == 3
    assert len(store.fact(IndexHistory, store=store.alias).servers) == 1


def _in_thread(store: Scratch) -> Result:
    try:
        return command("indexreport", "--snapshot", "--database", store.alias)
    finally:
        connections.close_all()


def test_a_look_that_was_overtaken_is_left_out(store: Scratch) -> None:
    diary = Diary(store)
    diary.write(20, {"t_a": 50})
    assert diary.write(19, {"t_a": 40}).is_late
    assert record(store).scans == 50


def test_facts_from_a_file_can_be_recorded(store: Scratch, tmp_path: Path) -> None:
    read(store, 3)
    file = tmp_path / "facts.json"
    command("indexreport", "--database", store.alias, "--select", "IDX004", "--save-facts", file)
    result = command("indexreport", "--snapshot", "--load-facts", file)
    assert (result.status, result.err) == (0, "")
    assert record(store).scans == 3


def test_old_days_are_pruned(store: Scratch) -> None:
    diary = Diary(store)
    diary.config = Config(store=store.alias, history_days=30)
    for day in range(40, 101, 10):
        diary.write(day, {"t_a": day} if day < 60 else {"t_a": day, "django_migrations_pkey": 0})
    history = diary.history()
    assert min(each.taken_at for each in history.snapshots) > diary.moment(69)
    assert store.run(f"SELECT count(*) FROM {OURS}recordedday")[0][0] <= 8
    # What it adds up to stays.
    assert record(store).scans == 100


def test_an_index_that_is_long_gone_is_pruned_with_its_days(store: Scratch) -> None:
    diary = Diary(store)
    diary.config = Config(store=store.alias, history_days=30)
    diary.write(10, {"t_a": 5, "django_migrations_pkey": 0})
    diary.write(20, {"t_a": 5})
    assert len(diary.history().indexes) == 2
    diary.write(60, {"t_a": 5})
    assert [each.name for each in diary.history().indexes] == ["t_a"]


def test_a_server_that_is_long_gone_is_pruned(store: Scratch) -> None:
    diary = Diary(store)
    diary.config = Config(store=store.alias, history_days=30)
    diary.write(10, {"t_a": 5}, alias="old", in_recovery=True, since=1)
    diary.write(60, {"t_a": 5})
    assert [each.alias for each in diary.history().servers] == [store.alias]


# Whose counters they are.


def test_a_failover_is_no_double_count(store: Scratch) -> None:
    diary = Diary(store)
    diary.write(10, {"t_a": 100})
    diary.write(10, {"t_a": 7}, alias="replica", since=2, in_recovery=True)
    # The replica was promoted on day 11: its counters go on behind the other alias.
    diary.write(12, {"t_a": 9}, since=2, promoted_at=diary.moment(11))
    assert sum(each.scans for each in diary.history().indexes) == 109
    assert len(diary.history().servers) == 2


def test_a_load_balancer_before_two_servers_makes_no_counts_up(store: Scratch) -> None:
    diary = Diary(store)
    for day in range(10, 20, 2):
        diary.write(day, {"t_a": 100 + day}, alias="balanced", since=1, in_recovery=True)
        diary.write(day + 1, {"t_a": day}, alias="balanced", since=2, in_recovery=True)
    assert sorted(each.scans for each in diary.history().indexes) == [18, 118]


def test_two_aliases_of_one_server_are_one_record(store: Scratch) -> None:
    diary = Diary(store)
    diary.write(10, {"t_a": 100})
    diary.write(10.1, {"t_a": 101}, alias="direct")
    (found,) = diary.history().indexes
    assert found.scans == 101


def test_a_crash_goes_on_in_the_same_record(store: Scratch) -> None:
    diary = Diary(store)
    diary.write(10, {"t_a": 100})
    diary.write(20, {"t_a": 3}, since=15)
    (found,) = diary.history().indexes
    assert found.scans == 103
    assert diary.history().snapshots[-1].covered_from == diary.moment(15)


def test_what_a_day_lost_is_told(store: Scratch) -> None:
    diary = Diary(store)
    start = diary.moment(10).replace(hour=1)
    for hours, since in ((0, 0.0), (6, 0.0), (12, None)):
        server = diary.server(10, since=since or 0)
        moment = start + timedelta(hours=hours)
        began: dict[str, Any] = {} if since is not None else {"counting_since": start + timedelta(hours=8)}
        at = {"taken_at": moment, **began}
        with Store(diary.config) as opened:
            posed = replace(server, **at)
            writing.write(opened, store.alias, posed, diary.indexes({"t_a": 1}).items, diary.config)
    (day,) = diary.history().snapshots
    assert day.lost_seconds == 2 * 3600
    assert day.taken_at == start + timedelta(hours=12)


# What is in the way.


def refusal(*arguments: object) -> str:
    result = command("indexreport", "--snapshot", *arguments)
    assert (result.status, result.out) == (2, "")
    assert "Traceback" not in result.err
    return result.err


def test_without_our_tables_it_says_how_to_make_them(scratch: Scratch, settings: Any) -> None:
    settings.DBAUDIT = {"STORE": scratch.alias}
    scratch.run(TABLE)
    said = refusal("--database", scratch.alias)
    assert f"Run 'manage.py migrate django_dbaudit --database {scratch.alias}'" in said
    assert "allow_migrate" in said


def test_a_store_that_is_no_alias_is_named_with_those_that_are(scratch: Scratch, settings: Any) -> None:
    settings.DBAUDIT = {"STORE": "nowhere"}
    scratch.run(TABLE)
    said = refusal("--database", scratch.alias)
    assert "DBAUDIT['STORE'] is 'nowhere'; DATABASES has: " in said
    assert scratch.alias in said


def test_a_store_that_is_not_postgresql_is_refused(scratch: Scratch, settings: Any) -> None:
    scratch.run(TABLE)
    lite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": {}}
    with alias_like("default", **lite) as alias:
        settings.DBAUDIT = {"STORE": alias}
        said = refusal("--database", scratch.alias)
    assert f"alias {alias!r} (DBAUDIT['STORE']), is sqlite; it must be PostgreSQL" in said


def test_a_store_that_is_down_is_named(scratch: Scratch, settings: Any) -> None:
    scratch.run(TABLE)
    with alias_like(scratch.alias, NAME="no_such_database") as alias:
        settings.DBAUDIT = {"STORE": alias}
        said = refusal("--database", scratch.alias)
    assert f"Cannot open the store, alias {alias!r}" in said
    assert '"no_such_database" does not exist' in said


def test_a_role_that_may_not_write_is_told_what_to_grant(store: Scratch, settings: Any) -> None:
    with store.role("looker") as role, alias_like(store.alias, USER=role, PASSWORD=role) as alias:
        settings.DBAUDIT = {"STORE": alias}
        said = refusal("--database", store.alias)
        assert "GRANT SELECT, INSERT, UPDATE, DELETE" in said
        assert "to looker" in said


def test_sessions_that_only_read_by_default_are_no_hindrance(store: Scratch, settings: Any) -> None:
    options = {"OPTIONS": {"options": "-c default_transaction_read_only=on"}}
    with alias_like(store.alias, **options) as alias:
        settings.DBAUDIT = {"STORE": alias}
        assert snapshot(store).status == 0


def test_an_alias_that_cannot_be_recorded_does_not_keep_others_from_it(store: Scratch) -> None:
    with alias_like(store.alias, NAME="no_such_database") as alias:
        result = command("indexreport", "--snapshot", "--database", alias, "--database", store.alias)
    assert result.status == 2
    assert f"{alias}: not recorded: could not connect: " in result.err
    assert result.out.startswith(f"{store.alias}: recorded 11 indexes")


@pytest.mark.parametrize(
    "other",
    [
        ["--format", "json"],
        ["--write-migration", "flavors"],
        ["--table", "t"],
        ["--unused"],
        ["--fail-on", "info"],
        ["--output", "report.txt"],
        ["--select", "IDX001"],
    ],
)
def test_options_of_a_report_are_refused(store: Scratch, other: list[str]) -> None:
    assert f"leave out {other[0]}." in refusal("--database", store.alias, *other)


@pytest.mark.parametrize("days", [0, -1, "many", 40_000])
def test_a_wrong_number_of_days_is_refused(settings: Any, days: object) -> None:
    settings.DBAUDIT = {"HISTORY_DAYS": days}
    assert f"DBAUDIT['HISTORY_DAYS'] is {days!r}; it must be" in refusal()


# Harm to nobody.


def test_a_report_writes_nothing(store: Scratch) -> None:
    snapshot(store)
    ours = f"SELECT relname FROM pg_stat_user_tables WHERE relname ~ '^{OURS}'"
    tables = [row[0] for row in store.run(ours)]
    rows = [f"SELECT '{table}', ctid::text, xmin::text FROM {table}" for table in tables]
    before = store.run(" UNION ALL ".join(rows))
    assert len(tables) == 5
    command("indexreport", "--database", store.alias)
    command("dbaudit", "--database", store.alias)
    assert store.run(" UNION ALL ".join(rows)) == before


def test_a_role_without_rights_on_our_tables_has_its_report(store: Scratch, settings: Any) -> None:
    snapshot(store)
    with store.role("looker") as role, alias_like(store.alias, USER=role, PASSWORD=role) as alias:
        settings.DBAUDIT = {"STORE": alias}
        result = command("indexreport", "--database", alias, "--select", "IDX001", "--format", "json")
    assert (result.status, result.err) == (0, "")
    assert {each["history"] for each in result.json["indexes"]} == {None}


def test_without_our_tables_no_model_of_ours_is_missed(scratch: Scratch) -> None:
    scratch.run(TABLE)
    found = scratch.findings("index-missing-from-database")
    assert [each.subject.name for each in found if each.subject.name.startswith(OURS)] == []


def test_nothing_is_wrong_with_our_own_tables(store: Scratch) -> None:
    result = command("indexreport", "--database", store.alias, "--format", "json")
    ours = [each for each in result.json["findings"] if OURS in str(each["subject"]["name"])]
    assert ours == []


def test_our_tables_can_be_made_elsewhere_than_on_postgresql(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    lite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db"), "OPTIONS": {}}
    with django_db_blocker.unblock(), alias_like("default", **lite) as alias:
        call_command("migrate", "django_dbaudit", database=alias, verbosity=0)
        tables = connections[alias].introspection.table_names()
    assert f"{OURS}recordedday" in tables


def test_models_and_migrations_agree() -> None:
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    assert "django_dbaudit" not in detector.changes(graph=loader.graph)


def test_the_migration_can_be_taken_back(store: Scratch) -> None:
    snapshot(store)
    call_command("migrate", "django_dbaudit", "zero", database=store.alias, verbosity=0)
    assert store.run(f"SELECT to_regclass('{OURS}recordedday')") == [(None,)]
