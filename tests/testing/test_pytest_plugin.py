"""Each test writes a suite and runs pytest on it, as a team would."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from suites import HAS_ENTRY_POINT, PLUGIN, Suite

HEAD = """
import pytest
from django.test import TestCase
from shelf import services
from shelf.models import Author, Book
pytestmark = pytest.mark.django_db
"""


def of(body: str) -> str:
    return HEAD + dedent(body)


# What is left alone.


def test_without_django_the_plugin_loads_nothing_but_itself(suite: Suite) -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, {PLUGIN}; print(*(m for m in sys.modules if m.startswith(('django', 'rich'))))",
        ],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert loaded.stdout.split() == ["django_dbaudit", "django_dbaudit.testing", PLUGIN]


def test_a_suite_without_django_runs_as_ever(suite: Suite) -> None:
    suite.write("test_plain.py", "def test_it(): assert True")
    assert suite.pytest("-p", "no:django").passed(1)


@pytest.mark.skipif(not HAS_ENTRY_POINT, reason="the package is not installed with its entry points")
def test_the_plugin_can_be_left_out_by_its_name(suite: Suite) -> None:
    suite.write("test_plain.py", "def test_it(): assert True")
    assert suite.pytest("-p", "no:django_dbaudit").passed(1)
    assert suite.pytest("-p", "no:django_dbaudit", "--dbaudit-record", "traffic.json").status == 4


def test_what_a_marked_test_prepares_itself_is_not_judged(suite: Suite) -> None:
    suite.write(
        "test_shelf.py",
        of("""
        @pytest.mark.dbaudit(max_queries=0)
        def test_rows():
            for n in range(5):
                Author.objects.create(name=str(n))
            assert [Author.objects.get(name=str(n)).pk for n in range(5)]

        @pytest.mark.dbaudit
        class TestOfDjango(TestCase):
            def setUp(self):
                for n in range(5):
                    Author.objects.create(name=str(n))
            def test_it(self):
                self.assertEqual(self.client.get("/joined/").status_code, 200)
        """),
    )
    assert suite.pytest().passed(2)


def test_what_fixtures_and_helpers_beside_the_tests_do_is_not_judged(suite: Suite) -> None:
    suite.write("tests/__init__.py", "")
    suite.write(
        "tests/factories.py",
        """
        from shelf.models import Author
        def authors():
            return [Author.objects.create(name=str(n)) for n in range(5)]
        """,
    )
    suite.write(
        "tests/test_shelf.py",
        of("""
        from tests import factories
        @pytest.fixture
        def shelf():
            services.stock()
        @pytest.mark.dbaudit
        def test_it(shelf):
            factories.authors()
        """),
    )
    assert suite.pytest().passed(1)


def test_a_test_without_the_marker_may_do_as_it_likes(suite: Suite) -> None:
    suite.write(
        "test_shelf.py",
        of("""
        def test_it(client):
            services.stock()
            assert client.get("/loop/").content
        """),
    )
    assert suite.pytest().passed(1)


def test_the_failure_of_the_test_itself_is_the_one_that_is_told(suite: Suite) -> None:
    suite.write(
        "test_shelf.py",
        of("""
        @pytest.mark.dbaudit
        def test_it(client):
            services.stock()
            client.get("/loop/")
            assert "the test's own" == ""
        @pytest.mark.dbaudit
        def test_error(client):
            client.get("/failing/")
        """),
    )
    run = suite.pytest()
    assert run.failed(2)
    assert "the test's own" in run.output
    assert "ZeroDivisionError" in run.output
    assert "QRY001" not in run.output


# What fails a test.


def test_a_loop_in_a_view_fails_the_test_with_line_and_advice(suite: Suite) -> None:
    suite.write(
        "test_shelf.py",
        of("""
        @pytest.mark.dbaudit("n-plus-one")
        def test_it(client):
            services.stock()
            client.get("/loop/")
        """),
    )
    run = suite.pytest("--tb=short")
    assert run.failed(1)
    assert "QRY001 n-plus-one: shelf.views.loop (GET) asks for shelf.Book.author 4 times" in run.output
    assert "at  shelf/services.py:3" in run.output
    assert "fix Add select_related('author')" in run.output
    # The reader is to see the finding, not our frames.
    assert "pytest_plugin.py" not in run.output


KINDS_OF_TESTS = {
    "db": "def test_it(client): services.stock(); client.get('/loop/')",
    "transactional": """
@pytest.mark.django_db(transaction=True)
def test_it(client):
    services.stock()
    client.get("/loop/")
""",
    "without a request": "def test_it(): services.stock(); services.names()",
    "stream": "def test_it(client): services.stock(); b''.join(client.get('/stream/'))",
    "TestCase": """
class TestIt(TestCase):
    def test_it(self):
        services.stock()
        self.client.get("/loop/")
""",
    "asynchronous TestCase": """
class TestIt(TestCase):
    async def test_it(self):
        from asgiref.sync import sync_to_async
        await sync_to_async(services.stock)()
        await self.async_client.get("/loop/")
""",
}


@pytest.mark.parametrize("kind", KINDS_OF_TESTS)
def test_a_loop_is_found_in_every_kind_of_test(suite: Suite, kind: str) -> None:
    suite.write(
        "test_shelf.py", f"{HEAD}\n@pytest.mark.dbaudit('QRY001')\n{KINDS_OF_TESTS[kind].strip()}\n"
    )
    run = suite.pytest()
    assert run.failed(1)
    assert "QRY001 n-plus-one" in run.output


def test_a_class_can_be_marked_and_a_rule_left_out(suite: Suite) -> None:
    suite.write(
        "test_shelf.py",
        of("""
        @pytest.mark.dbaudit(ignore="n-plus-one,per-row-writes")
        class TestIt:
            def test_left_out(self, client):
                services.stock()
                client.get("/loop/")
            @pytest.mark.dbaudit(select=["QRY001"])
            def test_own_marker(self, client):
                services.stock()
                client.get("/loop/")
        """),
    )
    run = suite.pytest()
    assert run.failed(1)
    assert "1 passed" in run.output
    assert "test_own_marker" in run.output


def test_too_many_queries_are_listed_by_line(suite: Suite) -> None:
    suite.write(
        "test_shelf.py",
        of("""
        @pytest.mark.dbaudit(ignore="QRY", max_queries=3)
        def test_it(client):
            Book.objects.bulk_create(
                Book(title="a", author=Author.objects.create(name="a")) for n in range(3)
            )
            client.get("/loop/")
        """),
    )
    run = suite.pytest()
    assert run.failed(1)
    assert "4 statements sent, and 3 allowed (max_queries):" in run.output
    assert "3 at shelf/services.py:3, relation: SELECT" in run.output


def test_the_fixture_judges_a_part_of_a_test(suite: Suite) -> None:
    suite.write(
        "test_shelf.py",
        of("""
        def test_fine(dbaudit, client):
            services.stock()
            with dbaudit(max_queries=1) as traffic:
                client.get("/joined/")
            assert [each.view for each in traffic.facts.views if each.requests] == [
                "(block)", "shelf.views.joined"
            ]
        def test_loop(dbaudit, client):
            services.stock()
            with dbaudit("QRY001"):
                client.get("/loop/")
        def test_own_lines_count(dbaudit):
            services.stock()
            with dbaudit():
                [book.author for book in Book.objects.all()]
        """),
    )
    run = suite.pytest()
    assert run.failed(2)
    assert "1 passed" in run.output


def test_an_expected_failure_is_one(suite: Suite) -> None:
    suite.write(
        "test_shelf.py",
        of("""
        @pytest.mark.xfail(strict=True)
        @pytest.mark.dbaudit
        def test_it(client):
            services.stock()
            client.get("/loop/")
        """),
    )
    run = suite.pytest()
    assert run.status == 0
    assert "1 xfailed" in run.output


# Baselines.

LOOPS = of("""
    @pytest.mark.dbaudit("QRY001")
    def test_view(client):
        services.stock()
        client.get("/loop/")
    @pytest.mark.dbaudit("QRY001")
    def test_stream(client):
        services.stock()
        b"".join(client.get("/stream/"))
    """)


def test_known_findings_pass_and_new_ones_do_not(suite: Suite) -> None:
    suite.write("test_shelf.py", LOOPS)
    written = suite.pytest("--dbaudit-write-baseline", "known.json", "-k", "view")
    assert written.passed(1)
    assert "Wrote 1 finding to" in written.output
    (entry,) = suite.baseline("known.json")
    assert entry["name"] == "n-plus-one"
    run = suite.pytest("--dbaudit-baseline", "known.json")
    assert run.failed(1)
    assert "1 passed" in run.output
    assert "shelf.views.stream" in run.output


def test_the_baseline_may_stand_in_the_ini_file(suite: Suite) -> None:
    suite.write("test_shelf.py", LOOPS)
    suite.write("pytest.ini", "[pytest]\ndbaudit_baseline = known.json\n")
    assert suite.pytest("--dbaudit-write-baseline", "known.json").passed(2)
    run = suite.pytest()
    assert run.passed(2)
    assert "matched nothing" not in run.output


@pytest.mark.parametrize("processes", ["0", "2"])
def test_entries_that_match_nothing_are_told_once_all_tests_have_run(suite: Suite, processes: str) -> None:
    suite.write("test_shelf.py", LOOPS)
    suite.pytest("--dbaudit-write-baseline", "known.json")
    suite.write("shelf/services.py", "def stock(): pass\ndef names(): return []\n")
    some = suite.pytest("--dbaudit-baseline", "known.json", "-k", "view")
    assert some.passed(1)
    assert "matched nothing" not in some.output
    run = suite.pytest("--dbaudit-baseline", "known.json", "-n", processes)
    assert run.passed(2)
    assert "django-dbaudit: 2 entries of the baseline matched nothing" in run.output


# What is wrong is told.


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ("'QRY099'", "Unknown rule: 'QRY099'"),
        ("'IDX001'", "IDX001 names no rule that judges traffic"),
        ("max_queries='few'", "max_queries is 'few'; it must be a whole number"),
        ("most=1", "unexpected keyword argument 'most'"),
        ("select=7", "select is 7; it must be a string or a list of strings"),
    ],
)
def test_a_wrong_marker_fails_its_test_alone(suite: Suite, marker: str, told: str) -> None:
    suite.write(
        "test_shelf.py",
        of(f"""
        @pytest.mark.dbaudit({marker})
        def test_it(): pass
        def test_other(): pass
        """),
    )
    run = suite.pytest()
    assert run.failed(1)
    assert "1 passed" in run.output
    assert told in run.output


@pytest.mark.parametrize(
    ("option", "file", "told"),
    [
        ("--dbaudit-record", "gone/traffic.json", "there is no directory"),
        ("--dbaudit-record", ".", "it is a directory"),
        ("--dbaudit-baseline", "gone.json", "gone.json"),
        ("--dbaudit-baseline", "test_shelf.py", "is damaged"),
    ],
)
def test_a_wrong_option_is_told_before_any_test(suite: Suite, option: str, file: str, told: str) -> None:
    suite.write("test_shelf.py", "def test_it(): pass")
    run = suite.pytest(option, file)
    assert run.status == 4
    assert told in run.output
    assert "Traceback" not in run.output


def test_a_marker_without_django_says_what_is_missing(suite: Suite) -> None:
    suite.write("test_shelf.py", "import pytest\n@pytest.mark.dbaudit\ndef test_it(): pass")
    run = suite.pytest("-p", "no:django")
    assert run.failed(1)
    assert "Django is not set up" in run.output


def test_a_defect_of_ours_fails_no_test_and_is_told(suite: Suite) -> None:
    suite.write(
        "conftest.py",
        """
        from django_dbaudit.testing import marked
        def judge(*args):
            raise ZeroDivisionError("ours")
        marked.judge = judge
        """,
    )
    suite.write("test_shelf.py", of("@pytest.mark.dbaudit\ndef test_it(): pass\n"))
    run = suite.pytest()
    assert run.passed(1)
    assert "django-dbaudit: a defect, please report it: ZeroDivisionError: ours" in run.output
