from __future__ import annotations

import contextvars
import gc
import logging
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.backends.signals import connection_created

import django_dbaudit
from django_dbaudit.traffic import recorder, trouble
from django_dbaudit.traffic.recording import Recording, current
from flavors.models import Category, Flavor
from recorded import here, queries, query, queryset, view

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    recorder.install()
    trouble.rearm()
    yield
    recorder.install()


def execute(sql: str, params: Any = None, using: Any = connection) -> list[tuple[Any, ...]]:
    with using.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall()) if cursor.description else []


# What is not seen, and what is not changed.


def test_outside_of_a_block_nothing_is_kept() -> None:
    assert current.get() is None
    execute("SELECT 1")
    with django_dbaudit.record() as traffic:
        pass
    execute("SELECT 2")
    assert view(traffic).executions == 0
    assert current.get() is None


def test_an_error_passes_unchanged_and_is_counted() -> None:
    with (
        connection.execute_wrapper(failing),
        django_dbaudit.record() as traffic,
        pytest.raises(ZeroDivisionError) as raised,
    ):
        execute("SELECT 1")
    assert raised.value is ERROR
    assert raised.value.__cause__ is raised.value.__context__ is None
    assert query(traffic).failures == 1


ERROR = ZeroDivisionError("of the query")


def failing(*args: object) -> None:
    raise ERROR


def test_an_error_of_the_database_is_still_django_s() -> None:
    with django_dbaudit.record() as traffic, pytest.raises(DatabaseError, match="nowhere"):
        execute("SELECT * FROM nowhere")
    assert query(traffic).failures == 1


def test_an_error_of_ours_is_told_once_and_the_query_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise ArithmeticError

    monkeypatch.setattr(Recording, "note", broken)
    with django_dbaudit.record():
        assert execute("SELECT 1") == [(1,)]
        assert execute("SELECT 2") == [(2,)]
        with pytest.raises(DatabaseError, match="nowhere"):
            execute("SELECT * FROM nowhere")
    (told,) = caplog.records
    assert (told.name, told.levelno) == ("django_dbaudit.traffic", logging.ERROR)
    assert told.exc_info
    assert told.exc_info[0] is ArithmeticError


def test_lazy_parameters_are_not_evaluated_by_us() -> None:
    class Lazy:
        evaluated = 0

        def __hash__(self) -> int:
            self.evaluated += 1
            return 1

    lazy = Lazy()

    def instead(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return execute(sql, (1,), many, context)

    with connection.execute_wrapper(instead), django_dbaudit.record() as traffic:
        for _ in range(2):
            execute("SELECT %s", (lazy,))
    assert lazy.evaluated == 0
    assert query(traffic).duplicates == 0


def test_nothing_is_held_of_a_queryset_its_rows_and_its_parameters(flavors: list[Flavor]) -> None:
    class Title(str):
        __slots__ = ("__weakref__",)

    with django_dbaudit.record() as traffic:
        found = Flavor.objects.filter(title=Title("flavor 1"))
        row, title = found[:1].get(), Title("flavor 2")
        execute("SELECT %s::text", (title,))
        held = [weakref.ref(each) for each in (found, found.query, row, title)]
        del found, row, title
        gc.collect()
        assert [each() for each in held] == [None] * 4
    assert view(traffic).executions == 2


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_a_long_text_and_odd_characters_are_taken(size: int) -> None:
    odd = "é%\x01" * (size // 4)
    text = f"SELECT '{odd}'"
    with django_dbaudit.record() as traffic:
        ((answer,),) = execute(text)
    assert len(answer) == size // 4 * 3
    assert query(traffic).fingerprint.startswith("SELECT")
    assert len(query(traffic).fingerprint) < 5_000


# The wrapper on its connections.


def wrapped(using: Any) -> int:
    return sum(each is recorder.observe for each in using.execute_wrappers)


def test_a_connection_opened_before_is_seen() -> None:
    connection.ensure_connection()
    recorder.uninstall()
    assert not wrapped(connection)
    with django_dbaudit.record() as traffic:
        execute("SELECT 1")
    assert view(traffic).executions == 1


def test_a_connection_opened_within_is_seen() -> None:
    with django_dbaudit.record() as traffic:
        other = connection.copy()
        try:
            execute("SELECT 1", using=other)
        finally:
            other.close()
    assert view(traffic).executions == 1


def test_each_connection_has_the_wrapper_once_however_often_it_opens() -> None:
    other = connection.copy()
    for _ in range(3):
        other.connect()
        other.close()
    recorder.install()
    recorder.ensure()
    assert wrapped(other) == 1
    assert wrapped(connection) == 1


def test_a_tool_that_pops_the_last_wrapper_pops_its_own() -> None:
    def theirs(execute: Any, *args: Any) -> Any:
        return execute(*args)

    other = connection.copy()
    with other.execute_wrapper(theirs):
        other.connect()
        assert wrapped(other) == 1
    try:
        assert other.execute_wrappers == [recorder.observe]
    finally:
        other.close()


def test_a_wrapper_that_was_cleared_away_is_put_back() -> None:
    connection.execute_wrappers.clear()
    with django_dbaudit.record() as traffic:
        execute("SELECT 1")
    assert view(traffic).executions == 1


def test_another_wrapper_s_equality_is_not_asked() -> None:
    class Theirs:
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = object.__hash__

        def __call__(self, execute: Any, *args: Any) -> Any:
            return execute(*args)

    with connection.execute_wrapper(Theirs()):
        recorder.ensure()
        recorder.uninstall()
        recorder.install()
        execute("SELECT 1")


def test_uninstalled_we_leave_nothing_behind() -> None:
    recorder.uninstall()
    assert not wrapped(connection)
    assert not any("django_dbaudit" in str(each) for each in connection_created.receivers)


def test_debug_makes_no_difference(settings: Any, flavors: list[Flavor]) -> None:
    connection.force_debug_cursor = True
    try:
        with django_dbaudit.record() as traffic:
            for _ in range(2):
                Flavor.objects.get(pk=flavors[0].pk)
        (found,) = queries(traffic)
        assert (found.executions, found.how) == (2, "get")
        assert queryset(traffic).executions == 2
    finally:
        connection.force_debug_cursor = False


# What is counted.


def test_executions_rows_and_the_line(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        for _ in range(3):
            line, found = here(), list(Flavor.objects.all())
    assert len(found) == 4
    seen = query(traffic)
    assert (seen.site.kind, seen.site.line) == ("code", line)
    assert seen.site.path == "tests/traffic/test_recorder.py"
    assert seen.site.function.endswith("test_executions_rows_and_the_line")
    assert (seen.executions, seen.most_executions, seen.requests) == (3, 3, 1)
    assert (seen.requests_with_2, seen.requests_with_3, seen.requests_with_5) == (1, 1, 0)
    assert (seen.rows, seen.most_rows) == (12, 4)
    assert (seen.kind, seen.phase, seen.how, seen.unit) == ("read", "block", "iteration", "autocommit")
    assert 0 < seen.slowest_microseconds <= seen.microseconds


def test_the_same_text_from_two_lines_is_two(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        first, _ = here(), list(Flavor.objects.all())
        second, _ = here(), list(Flavor.objects.all())
    assert {each.site.line for each in queries(traffic)} == {first, second}


def test_a_read_that_an_earlier_one_could_have_answered_is_a_duplicate(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        for flavor in flavors:
            Category.objects.get(pk=flavor.category_id)
    assert (query(traffic).executions, query(traffic).duplicates) == (4, 2)


def test_after_a_write_a_read_is_not_a_duplicate(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        for flavor in flavors:
            Flavor.objects.count()
            Flavor.objects.filter(pk=flavor.pk).update(price=9)
    assert query(traffic, how="count").duplicates == 0


def test_a_block_within_a_block_counts_for_both(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as outer:
        found = Flavor.objects.all()
        with django_dbaudit.record() as inner:
            list(found)
        Category.objects.count()
    assert [each.how for each in queries(inner)] == ["iteration"]
    assert {each.how for each in queries(outer)} == {"iteration", "count"}
    assert all(each.is_executed for each in view(outer).querysets)


def test_a_block_that_raises_has_its_facts(flavors: list[Flavor]) -> None:
    with pytest.raises(KeyError), django_dbaudit.record() as traffic:
        Flavor.objects.count()
        raise KeyError
    assert view(traffic).executions == 1
    assert current.get() is None


def test_a_block_left_in_another_context_is_left() -> None:
    recording = django_dbaudit.record()
    contextvars.copy_context().run(recording.__enter__)
    recording.__exit__(None, None, None)
    assert current.get() is None


def test_a_thread_with_a_copy_of_the_context_is_counted_and_another_is_not() -> None:
    def work() -> None:
        other = connection.copy()
        other.inc_thread_sharing()
        try:
            execute("SELECT 1", using=other)
        finally:
            other.close()

    with django_dbaudit.record() as traffic:
        context = contextvars.copy_context()
        threads = [
            threading.Thread(target=lambda: context.run(work)),
            threading.Thread(target=lambda: contextvars.Context().run(work)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert view(traffic).executions == 1


def test_what_a_thread_does_after_the_end_is_not_counted() -> None:
    with django_dbaudit.record() as traffic:
        context = contextvars.copy_context()
    context.run(execute, "SELECT 1")
    assert view(traffic).executions == 0


def test_many_texts_that_never_come_again_keep_a_bounded_number() -> None:
    from django_dbaudit.traffic import trails

    most = trails.budget.most_bytes // trails.TEXT_BYTES
    with django_dbaudit.record() as traffic:
        for number in range(most + 50):
            execute(f"SELECT {number}")
    assert len(trails.latest) <= most
    assert query(traffic).executions == most + 50
