"""Suites recorded whole, by pytest and by ``manage.py test``, and the same tests passing as without."""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connections

from django_dbaudit.traffic.middleware import TrafficMiddleware
from scratch import Scratch
from suites import URL, Suite

TESTS = """
import asyncio
import threading
from django.test import Client, LiveServerTestCase, TestCase, TransactionTestCase, override_settings
from django.conf import settings
from shelf import services
from shelf.models import Author, Book


class OfViews(TestCase):
    @classmethod
    def setUpTestData(cls):
        services.stock()

    def test_loop(self):
        self.assertEqual(self.client.get("/loop/").status_code, 200)

    def test_joined(self):
        self.assertEqual(self.client.get("/joined/").status_code, 200)

    def test_stream(self):
        self.assertEqual(len(b"".join(self.client.get("/stream/"))), 4)

    def test_no_view(self):
        self.assertEqual(self.client.get("/nowhere/").status_code, 404)

    def test_failing(self):
        with self.assertRaises(ZeroDivisionError):
            self.client.get("/failing/")

    async def test_waiting(self):
        self.assertEqual((await self.async_client.get("/waiting/")).status_code, 200)

    def test_the_settings_are_as_written(self):
        self.assertEqual(settings.MIDDLEWARE, [])
        with override_settings(MIDDLEWARE=["django.middleware.common.CommonMiddleware"]):
            self.assertEqual(self.client.get("/joined/").status_code, 200)


class OfThreads(TransactionTestCase):
    def test_thread(self):
        services.stock()
        seen = []
        thread = threading.Thread(target=lambda: seen.append(self.ask()))
        thread.start()
        thread.join()
        self.assertEqual(seen, [200])

    def ask(self):
        from django.db import connection
        try:
            return Client().get("/joined/").status_code
        finally:
            connection.close()


class OfTheServer(LiveServerTestCase):
    def test_over_http(self):
        from urllib.request import urlopen
        services.stock()
        with urlopen(self.live_server_url + "/loop/") as answer:
            self.assertEqual(answer.status, 200)


class OfModels(TestCase):
    def test_no_request(self):
        services.stock()
        self.assertEqual(len(services.names()), 4)
"""
REQUESTS = {
    "(no view)": 1,
    "shelf.views.failing": 1,
    "shelf.views.joined": 3,
    "shelf.views.loop": 2,
    "shelf.views.stream": 1,
    "shelf.views.waiting": 1,
}
NUMBER = 10


@pytest.fixture
def tested(suite: Suite) -> Suite:
    suite.write("shelf/tests.py", TESTS)
    suite.write("settings.py", (suite.place / "settings.py").read_text() + "MIDDLEWARE = []\n")
    return suite


def requests(suite: Suite) -> dict[str, int]:
    return {name: view.requests for name, view in suite.views().items()}


def check(suite: Suite) -> None:
    """Every request once, with what it asked, and nothing that was asked outside of requests."""
    assert requests(suite) == REQUESTS
    views = suite.views()
    assert views["shelf.views.loop"].most_executions == 5
    assert views["shelf.views.joined"].executions == 3
    (relation,) = (each for each in views["shelf.views.stream"].queries if each.how == "relation")
    assert (relation.executions, relation.phase, relation.site.path) == (4, "streaming", "shelf/views.py")
    assert views["shelf.views.failing"].failed_requests == 1
    assert not any(view.writes for view in views.values())


# With pytest.


@pytest.mark.parametrize("processes", ["0", "2"])
def test_pytest_records_every_request_of_a_suite(tested: Suite, processes: str) -> None:
    run = tested.pytest("shelf/tests.py", "--dbaudit-record", "traffic.json", "-n", processes)
    assert run.passed(NUMBER), run.output
    assert "Recorded 9 requests to 6 views in" in run.output
    check(tested)


def test_marked_tests_are_a_part_of_the_suite(tested: Suite) -> None:
    tested.write(
        "conftest.py",
        """
        import pytest
        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.dbaudit(ignore="QRY"))
        """,
    )
    assert tested.pytest("shelf/tests.py", "--dbaudit-record", "traffic.json").passed(NUMBER)
    check(tested)


def test_where_the_middleware_is_installed_no_request_counts_twice(tested: Suite) -> None:
    path = f"{TrafficMiddleware.__module__}.{TrafficMiddleware.__qualname__}"
    settings = tested.place / "settings.py"
    settings.write_text(settings.read_text().replace("MIDDLEWARE = []", f"MIDDLEWARE = [{path!r}]"))
    test = tested.place / "shelf/tests.py"
    test.write_text(
        test.read_text().replace("(settings.MIDDLEWARE, [])", f"(settings.MIDDLEWARE, [{path!r}])")
    )
    assert tested.pytest("shelf/tests.py", "--dbaudit-record", "traffic.json").passed(NUMBER)
    check(tested)


def test_a_suite_without_requests_writes_nothing_and_says_so(tested: Suite) -> None:
    run = tested.pytest("shelf/tests.py", "-k", "no_request", "--dbaudit-record", "traffic.json")
    assert run.passed(1)
    assert "No request was recorded" in run.output
    assert not (tested.place / "traffic.json").exists()


def test_what_was_recorded_is_audited_without_a_server(tested: Suite) -> None:
    tested.pytest("shelf/tests.py", "--dbaudit-record", "traffic.json")
    settings = tested.place / "settings.py"
    settings.write_text(settings.read_text() + 'INSTALLED_APPS = ["shelf", "django_dbaudit"]\n')
    run = tested.manage("dbaudit", "--load-facts", "traffic.json", "--select", "QRY001")
    assert run.status == 1, run.output
    assert "shelf.views.loop (GET) asks for shelf.Book.author 4 times" in run.output


def test_the_store_is_the_projects_own_database_and_not_the_tests(tested: Suite, scratch: Scratch) -> None:
    url = urlsplit(os.environ[URL])._replace(path=f"/{connections[scratch.alias].settings_dict['NAME']}")
    settings = tested.place / "settings.py"
    settings.write_text(
        settings.read_text()
        + f"DATABASES['default'].update(dj_database_url.parse({urlunsplit(url)!r}))\n"
        + 'INSTALLED_APPS = ["shelf", "django_dbaudit"]\n'
    )
    assert tested.manage("migrate", "django_dbaudit").status == 0
    for run in (
        tested.pytest("shelf/tests.py", "--dbaudit-record", "store"),
        tested.manage("test", "--testrunner", RUNNER, "--dbaudit-record", "store"),
    ):
        assert run.status == 0, run.output
        assert "Recorded 9 requests to 6 views in the store" in run.output
    audited = tested.manage("dbaudit", "--select", "QRY001")
    assert audited.status == 1, audited.output
    assert "shelf.views.loop (GET) asks for shelf.Book.author 4 times" in audited.output


def test_a_store_that_is_not_there_costs_the_traffic_and_no_test(tested: Suite) -> None:
    run = tested.pytest("shelf/tests.py", "--dbaudit-record", "store")
    assert run.passed(NUMBER), run.output
    assert "The traffic of the tests was not kept: Cannot open the store, alias 'default'" in run.output


# With manage.py test.

RUNNER = "django_dbaudit.testing.RecordingRunner"


@pytest.mark.parametrize(
    ("processes", "start"), [("1", "fork"), ("2", "fork"), ("2", "spawn")], ids=["one", "fork", "spawn"]
)
def test_the_runner_records_every_request_of_a_suite(tested: Suite, processes: str, start: str) -> None:
    run = tested.manage(
        "test",
        "--testrunner",
        RUNNER,
        "--dbaudit-record",
        "traffic.json",
        "--parallel",
        processes,
        SHELF_START=start,
    )
    assert run.status == 0, run.output
    assert f"Ran {NUMBER} tests" in run.output
    assert "Recorded 9 requests to 6 views" in run.output
    check(tested)


def test_the_projects_own_runner_stays_at_work(tested: Suite) -> None:
    tested.write(
        "own.py",
        """
        from django.test.runner import DiscoverRunner
        class Runner(DiscoverRunner):
            @classmethod
            def add_arguments(cls, parser):
                super().add_arguments(parser)
                parser.add_argument("--greeting")
            def __init__(self, greeting="", **kwargs):
                super().__init__(**kwargs)
                print("The project's own runner says", greeting)
        """,
    )
    settings = tested.place / "settings.py"
    settings.write_text(settings.read_text() + 'TEST_RUNNER = "own.Runner"\n')
    run = tested.manage("test", "--testrunner", RUNNER, "--greeting", "hello", "shelf.tests.OfViews")
    assert run.status == 0, run.output
    assert "The project's own runner says hello" in run.output
    assert "Recorded 7 requests" in run.output
    assert (tested.place / "dbaudit-traffic.json").exists()


def test_a_failing_suite_fails_and_is_recorded(tested: Suite) -> None:
    tests = tested.place / "shelf/tests.py"
    tests.write_text(tests.read_text().replace('"/loop/").status_code, 200', '"/loop/").status_code, 201'))
    settings = tested.place / "settings.py"
    settings.write_text(settings.read_text() + f"TEST_RUNNER = {RUNNER!r}\n")
    run = tested.manage("test", "--dbaudit-record", "traffic.json", "shelf.tests.OfViews")
    assert run.status == 1
    assert "FAILED (failures=1)" in run.output
    assert requests(tested)["shelf.views.loop"] == 1


def test_a_file_that_cannot_be_written_is_told_before_the_tests(tested: Suite) -> None:
    run = tested.manage("test", "--testrunner", RUNNER, "--dbaudit-record", "gone/traffic.json")
    assert run.status == 1
    assert "there is no directory" in run.output
    assert "Traceback" not in run.output
    assert "Found" not in run.output
