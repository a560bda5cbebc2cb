"""What keeping traffic promises: what is read is what was counted, whoever counted it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.errors import AuditError
from django_dbaudit.rule import get_rule
from django_dbaudit.store.connection import Store
from django_dbaudit.store.traffic import writing
from django_dbaudit.store.traffic.room import Room
from django_dbaudit.store.traffic.rows import TABLES, clean, fields, rows_of
from django_dbaudit.traffic.facts import OTHER, Traffic, ViewTraffic, merge
from kept import DAY, Kept, dated, line, whole_view
from requests_posed import query, view
from scratch import Scratch

#: Adds the same traffic, in orders of its own, as often as it is told.
WORKER = """
import random, sys, django
django.setup()
from django.db import connections
name, times, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
connections.settings[name] = {**connections.settings["default"], "NAME": name}
from django_dbaudit.conf import Config
from django_dbaudit.store.connection import Store
from django_dbaudit.store.traffic import writing
from django_dbaudit.store.traffic.room import Room
from django_dbaudit.traffic.facts import Traffic
from kept import dated, DAY, line
from requests_posed import query, view
rng = random.Random(seed)
with Store(Config(store=name)) as store:
    room = Room()
    for _ in range(times):
        lines = rng.sample(range(60), 60)
        views = [view(*[query(site=line(n)) for n in lines], view=f"v{v}") for v in range(5)]
        rng.shuffle(views)
        writing.write(store, Traffic(tuple(views)), DAY, room)
"""


@pytest.fixture
def kept(scratch: Scratch) -> Kept:
    return Kept(scratch)


@pytest.mark.parametrize("kind", TABLES)
def test_each_table_has_the_counters_of_its_facts(kind: type) -> None:
    (model,) = [each for each in apps.get_models() if each._meta.db_table == TABLES[kind]]
    columns = {each.attname for each in model._meta.concrete_fields}
    common = {"id", "identity", "day", "key"} | ({"view_id"} if kind is not ViewTraffic else set())
    assert columns - common == set(fields(kind, "total", "highest"))


def test_what_is_read_is_what_was_counted(kept: Kept) -> None:
    kept.add(whole_view(), whole_view(view="shop.views.other", method="POST"))
    assert kept.read() == merge(
        dated(DAY, whole_view(), whole_view(view="shop.views.other", method="POST"))
    ), "in any order, merged with nothing"


def test_what_comes_again_is_added(kept: Kept) -> None:
    seen = whole_view(), whole_view(slowest_microseconds=5)
    for each in seen:
        kept.add(each)
    assert kept.read() == merge(*(dated(DAY, each) for each in seen))
    assert kept.count("view") == 1


def test_days_are_kept_apart_and_read_together(kept: Kept) -> None:
    kept.add(whole_view(), day=DAY)
    kept.add(whole_view(), day=DAY + timedelta(days=1))
    assert kept.count("view") == 2
    assert kept.read().requests == 2
    assert kept.read(since=DAY + timedelta(days=1)).requests == 1
    last = DAY + timedelta(days=1)
    assert merge(kept.read()) == merge(dated(DAY, whole_view()), dated(last, whole_view()))
    assert {each.last_day for each in kept.read().views[0].commits} == {last.isoformat()}


def test_the_same_query_of_two_views_stays_two(kept: Kept) -> None:
    kept.add(whole_view(view="a"), whole_view(view="b"))
    assert [len(each.queries) for each in kept.read().views] == [2, 2]


@pytest.mark.parametrize(
    "text", ["NUL \0", "half \ud800", "100 % %s %(day)s", "'; DROP TABLE x; --", "\\u0000"]
)
def test_any_text_can_be_kept(kept: Kept, text: str) -> None:
    kept.add(view(query(fingerprint=text), route=text))
    (found,) = kept.read().views
    assert found.queries[0].fingerprint == clean(text)


@given(st.text())
def test_clean_text_is_what_it_was_unless_jsonb_refuses_it(text: str) -> None:
    assert clean(text) == text.replace("\0", "�")
    clean(text).encode()


def test_texts_that_differ_only_in_what_is_refused_are_added_up(kept: Kept) -> None:
    kept.add(view(query(fingerprint="\0"), query(fingerprint="�")))
    (found,) = kept.read().views[0].queries
    assert found.executions == 2


def test_a_day_has_room_for_so_many_rows_and_the_rest_is_summed_up(kept: Kept) -> None:
    for first in (0, 10):
        kept.add(view(*(query(site=line(n)) for n in range(first, first + 10))), most_rows=12)
    (found,) = kept.read().views
    assert len(found.queries) <= 13
    assert sum(each.executions for each in found.queries) == 20, "nothing is lost but what tells it apart"
    (other,) = [each for each in found.queries if each.fingerprint == OTHER]
    assert other.executions == 8


def test_what_has_a_row_already_keeps_it_on_a_full_day(kept: Kept) -> None:
    for _ in range(2):
        kept.add(view(*(query(site=line(n)) for n in range(10))), most_rows=10)
    (found,) = kept.read().views
    assert {each.executions for each in found.queries} == {2}
    assert all(each.fingerprint != OTHER for each in found.queries)


def test_a_view_without_room_takes_its_queries_along(kept: Kept) -> None:
    kept.add(whole_view(view="a"), most_rows=2)
    kept.add(*(whole_view(view=f"v{n}") for n in range(4)), most_rows=2)
    found = {each.view: each for each in kept.read().views}
    assert len(found) == 3
    assert found[OTHER].requests == 3
    assert [each.fingerprint for each in found[OTHER].queries] == [OTHER]
    assert sum(each.executions for one in found.values() for each in one.queries) == 5 * 4


def test_old_days_are_pruned(kept: Kept) -> None:
    for days in (0, 29, 31, 400):
        kept.add(whole_view(), day=DAY - timedelta(days=days))
    with Store(kept.config) as store:
        assert writing.prune(store, DAY, 30) == 2 * 6
    assert {kept.count(each) for each in ("view", "queryset", "eagerload", "commit")} == {2}


def test_pruning_waits_for_nobody(kept: Kept) -> None:
    kept.add(whole_view(), day=date(2020, 1, 1))
    with kept.scratch.session() as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM django_dbaudit_recordedview FOR UPDATE")
        with Store(kept.config) as store:
            assert writing.prune(store, DAY, 30) == 5
        cursor.execute("ROLLBACK")
    assert kept.count("view") == 1


def test_reading_and_writing_take_the_same_few_statements_for_any_number(kept: Kept) -> None:
    def statements(number: int) -> int:
        views = [whole_view(view=f"v{number}.{n}") for n in range(number)]
        with Store(kept.config) as store, CaptureQueriesContext(store._wrapper) as queries:
            writing.write(store, Traffic(tuple(views)), DAY, Room())
        return len(queries)

    assert statements(1) == statements(200) <= 20


def test_workers_that_add_to_the_same_rows_at_once_neither_deadlock_nor_lose_any(kept: Kept) -> None:
    workers, times = 6, 8
    tests = Path(__file__).parent.parent
    path = os.pathsep.join([str(tests), str(tests.parent / "testproject"), str(tests.parent)])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, kept.scratch.alias, str(times), str(seed)],
            env={**os.environ, "PYTHONPATH": path},
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(workers)
    ]
    assert [each.communicate(timeout=120)[1] for each in running] == [""] * workers
    traffic = kept.read()
    assert {each.requests for each in traffic.views} == {workers * times}
    assert {each.executions for one in traffic.views for each in one.queries} == {workers * times}


def test_without_tables_it_says_what_to_run(scratch: Scratch) -> None:
    with (
        pytest.raises(AuditError, match="migrate django_dbaudit --database scratch"),
        Store(Config(store=scratch.alias)) as store,
    ):
        writing.write(store, Traffic((whole_view(),)), DAY, Room())


@pytest.mark.parametrize("has_tables", [False, True])
def test_rules_are_not_run_while_nothing_was_recorded(scratch: Scratch, has_tables: bool) -> None:
    if has_tables:
        Kept(scratch)
    seen = facts.gather([scratch.alias], {Traffic}, Config(store=scratch.alias))
    outcome = audit.run([get_rule("n-plus-one")], seen, Thresholds())
    (not_run,) = outcome.not_run
    assert not_run.database is None
    assert not_run.reason.startswith("No traffic was recorded yet in alias"), not_run.reason
    assert ("MIDDLEWARE" if has_tables else "migrate") in not_run.reason


def test_rules_judge_what_is_kept_once_whatever_the_aliases(kept: Kept) -> None:
    kept.add(whole_view())
    seen = facts.gather([kept.scratch.alias, "default"], {Traffic}, kept.config)
    (finding,) = audit.run([get_rule("n-plus-one")], seen, Thresholds()).findings
    assert (finding.subject.name, finding.database) == ("shop.views.cart", None)


def test_facts_of_traffic_can_be_saved_and_loaded(kept: Kept, tmp_path: Path) -> None:
    kept.add(whole_view())
    seen = facts.gather([], {Traffic}, kept.config)
    path = tmp_path / "facts.json"
    path.write_text(facts.save(seen))
    assert facts.load(path) == seen


def test_ids_are_the_same_in_every_process() -> None:
    (view_id,) = rows_of(Traffic((whole_view(),)), DAY).by_kind[ViewTraffic]
    assert str(view_id) == "c209cb27-ae1c-f4dd-1d35-bdbd283f3e0a"
