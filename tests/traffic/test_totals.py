from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from django.db import connection

import django_dbaudit
from django_dbaudit.traffic import recorder, totals
from django_dbaudit.traffic.facts import NO_VIEW, OTHER, Traffic
from django_dbaudit.traffic.recording import Recording, current
from django_dbaudit.traffic.totals import Answer, Totals
from flavors.models import Category, Flavor
from recorded import query

pytestmark = pytest.mark.django_db


def request(into: Totals, view: str = "shop.views.home", *statements: str, **answer: Any) -> None:
    """A request that executes these."""
    recording = Recording()
    token = current.set(recording)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        current.reset(token)
    into.add(recording, Answer((view, "GET", "home/"), **answer))


def test_nothing_added_is_nothing() -> None:
    assert Totals().take() == Traffic()


def test_what_was_taken_is_not_given_again() -> None:
    seen = Totals()
    request(seen)
    assert seen.take().requests == 1
    assert seen.take() == Traffic()


def test_requests_of_a_view_are_added_up() -> None:
    seen = Totals()
    for times in (1, 2, 12):
        request(seen, "shop.views.home", *["SELECT 1"] * times, seconds=times / 1_000_000)
    (view,) = seen.take().views
    assert (view.requests, view.executions, view.most_executions) == (3, 15, 12)
    assert (view.microseconds, view.slowest_microseconds) == (15, 12)
    found = query(view)
    assert (found.requests, found.requests_with_2, found.requests_with_3) == (3, 2, 1)
    assert (found.requests_with_5, found.requests_with_10, found.most_executions) == (1, 1, 12)


@pytest.mark.parametrize(("status", "failed"), [(200, 0), (404, 0), (500, 1), (503, 1), (0, 1)])
def test_a_request_failed_if_it_was_not_answered(status: int, failed: int) -> None:
    seen = Totals()
    request(seen, status=status)
    (view,) = seen.take().views
    assert view.failed_requests == failed


def test_transaction_control_is_no_execution() -> None:
    seen = Totals()
    request(seen, "home", "SAVEPOINT a", "SELECT 1", "RELEASE SAVEPOINT a")
    (view,) = seen.take().views
    assert view.executions == 1
    assert len(view.queries) == 3


def test_views_beyond_the_bound_are_counted_together_and_said_so() -> None:
    seen = Totals(most_keys=3)
    for number in range(10):
        request(seen, f"shop.views.v{number}", status=500)
    found = {view.view: view.requests for view in seen.take().views}
    assert found == {"shop.views.v0": 1, "shop.views.v1": 1, "shop.views.v2": 1, OTHER: 7}


def test_queries_beyond_the_bound_are_counted_together_and_said_so() -> None:
    seen = Totals(most_keys=3)
    for number in range(10):
        request(seen, "home", f"SELECT {number} AS a{number}")
    (view,) = seen.take().views
    assert view.executions == 10
    assert {each.fingerprint: each.executions for each in view.queries if each.fingerprint == OTHER} == {
        OTHER: 8
    }


def test_querysets_and_commits_beyond_the_bound_lose_no_number(flavors: list[Flavor]) -> None:
    seen = Totals(most_keys=1)
    recording = Recording()
    token = current.set(recording)
    try:
        list(Flavor.objects.all())
        list(Category.objects.all())
        Category.objects.create(name="x")
    finally:
        current.reset(token)
    seen.add(recording, Answer(("home", "GET", "")))
    (view,) = seen.take().views
    assert [(each.model, each.built) for each in view.querysets] == [(OTHER, 2)]
    assert [(each.units, each.is_cut, each.most_units) for each in view.commits] == [((), True, 1)]


def test_bounds_begin_anew_once_all_is_taken() -> None:
    seen = Totals(most_keys=1)
    for view in ("a", "b"):
        request(seen, view)
        assert [each.view for each in seen.take().views] == [view]


def test_threads_add_without_losing_any() -> None:
    seen = Totals()

    def work() -> None:
        for _ in range(500):
            seen.add(Recording(), Answer((NO_VIEW, "GET", "")))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.take().requests == 2_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_counts_its_own_even_if_the_lock_was_held() -> None:
    seen = Totals()
    request(seen)
    with seen._lock:
        child = os.fork()
        if not child:
            # Nothing of pytest's may run in here.
            seen.add(Recording(), Answer((NO_VIEW, "GET", "")))
            os._exit(seen.take().requests)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert seen.take().requests == 1


def test_memory_stays_where_it_is_over_views_and_texts_that_never_come_again() -> None:
    seen = Totals(most_keys=50)
    with django_dbaudit.record():
        for number in range(300):
            request(seen, f"v{number}", f"SELECT {number} AS b{number}")
    assert seen._keys == 50
    assert sum(len(view.queries) for view in seen._views.values()) <= 52


def test_listeners_hear_of_each_request() -> None:
    heard: list[Any] = []

    def listener(recording: Recording, answer: Answer) -> None:
        heard.append((answer.view, len(recording.counted)))

    recorder.listeners.append(listener)
    try:
        recorder.deliver(Recording(), Answer(("home", "GET", "")))
    finally:
        recorder.listeners.remove(listener)
        recorder.totals.take()
    assert heard == [(("home", "GET", ""), 0)]


def test_the_bound_is_fixed() -> None:
    assert Totals().most_keys == totals.MOST_KEYS == 20_000
