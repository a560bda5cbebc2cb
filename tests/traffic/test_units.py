from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, TestCase, TransactionTestCase

import django_dbaudit
from aliases import alias_like
from django_dbaudit.traffic import recorder
from flavors.models import Category, Flavor
from recorded import commits, kinds, queries, query, units, view
from reviews.models import Review
from scratch import Scratch
from stock.models import StockItem
from users.models import User

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"


class UndoneError(Exception):
    """What a test rolls a block back with."""


def make(name: str = "granita") -> Category:
    made: Category = Category.objects.create(name=name)
    return made


@transaction.atomic
def make_atomically() -> None:
    make()
    make()


#: In a transaction of the test's, which does not count, and without: units are the same.
EITHER = pytest.mark.parametrize(
    "surrounded",
    [
        pytest.param(None, id="TestCase", marks=pytest.mark.django_db),
        pytest.param(None, id="no transaction", marks=pytest.mark.django_db(transaction=True)),
    ],
)


# What is no unit.


@EITHER
def test_reads_and_locks_commit_nothing(surrounded: None) -> None:
    with django_dbaudit.record() as traffic, transaction.atomic():
        list(Category.objects.select_for_update())
    assert query(traffic, kind="lock").unit == "atomic"
    assert view(traffic).commits == ()


@EITHER
def test_a_write_without_effect_commits_nothing(surrounded: None) -> None:
    with django_dbaudit.record() as traffic:
        Category.objects.filter(pk=0).update(name="x")
        # An UPDATE of no row, then the INSERT.
        Category(pk=7, name="with a key of its own").save()
    assert commits(traffic).most_units == 1
    assert query(traffic, how="save", rows=1).tables == ("flavors_category",)


@EITHER
def test_what_is_rolled_back_is_counted_apart(surrounded: None) -> None:
    with django_dbaudit.record() as traffic:
        with contextlib.suppress(UndoneError), transaction.atomic():
            make()
            raise UndoneError
        with transaction.atomic():
            make()
            transaction.set_rollback(True)
        make()
    assert (kinds(traffic), commits(traffic).rolled_back) == (["autocommit"], 2)


@EITHER
def test_what_a_nested_block_undoes_does_not_count(surrounded: None) -> None:
    with django_dbaudit.record() as traffic, transaction.atomic():
        make()
        with contextlib.suppress(UndoneError), transaction.atomic():
            Group.objects.create(name="x")
            raise UndoneError
    (unit,) = units(traffic)
    assert unit.tables == ("flavors_category",)


def test_a_commit_that_fails_committed_nothing(transactional_db: None) -> None:
    with django_dbaudit.record() as traffic, pytest.raises(IntegrityError), transaction.atomic():
        # The foreign key is checked at the COMMIT.
        Flavor.objects.create(title="x", slug="x", category_id=0, price=1)
    assert (kinds(traffic), commits(traffic).rolled_back) == ([], 1)


def test_an_error_that_was_swallowed_in_the_block_makes_the_commit_a_rollback(
    transactional_db: None,
) -> None:
    with django_dbaudit.record() as traffic, transaction.atomic(), connection.cursor() as cursor:
        make()
        with contextlib.suppress(Exception):
            cursor.execute("SELECT * FROM nowhere")
    assert not Category.objects.exists()
    assert (kinds(traffic), commits(traffic).rolled_back) == ([], 1)


# Units of each kind.


@EITHER
def test_each_bare_statement_is_a_unit(surrounded: None) -> None:
    with django_dbaudit.record() as traffic:
        make()
        Group.objects.create(name="x")
    assert [(unit.kind, unit.tables) for unit in units(traffic)] == [
        ("autocommit", ("flavors_category",)),
        ("autocommit", ("auth_group",)),
    ]
    assert commits(traffic).most_units == 2


@EITHER
def test_a_loop_is_told_by_being_repeated(surrounded: None) -> None:
    with django_dbaudit.record() as traffic:
        for name in "abc":
            make(name)
            Group.objects.create(name=name)
    assert [unit.is_repeated for unit in units(traffic)] == [True, True]
    assert commits(traffic).most_units == 6


@EITHER
def test_a_block_of_the_project_is_one(surrounded: None) -> None:
    with django_dbaudit.record() as traffic, transaction.atomic():
        make()
        with transaction.atomic():
            Group.objects.create(name="x")
    (unit,) = units(traffic)
    assert (unit.kind, unit.tables) == ("atomic", ("auth_group", "flavors_category"))
    assert {each.unit for each in queries(traffic, kind="write")} == {"atomic"}


@EITHER
def test_two_blocks_are_two(surrounded: None) -> None:
    with django_dbaudit.record() as traffic:
        with transaction.atomic():
            make()
        with transaction.atomic():
            make()
    assert [(unit.kind, unit.is_repeated) for unit in units(traffic)] == [("atomic", True)]
    assert commits(traffic).most_units == 2


@EITHER
def test_two_calls_of_one_decorated_function_are_two(surrounded: None) -> None:
    with django_dbaudit.record() as traffic:
        make_atomically()
        make_atomically()
    (unit,) = units(traffic)
    assert (unit.kind, unit.is_repeated, commits(traffic).most_units) == ("atomic", True, 2)


@EITHER
def test_a_decorated_function_that_calls_itself_is_one(surrounded: None) -> None:
    @transaction.atomic
    def descend(depth: int) -> None:
        make()
        if depth:
            descend(depth - 1)

    with django_dbaudit.record() as traffic:
        descend(3)
    assert (kinds(traffic), commits(traffic).most_units) == (["atomic"], 1)


@EITHER
def test_a_block_entered_by_an_exit_stack_is_the_project_s(surrounded: None) -> None:
    with django_dbaudit.record() as traffic, contextlib.ExitStack() as stack:
        stack.enter_context(transaction.atomic())
        make()
    assert kinds(traffic) == ["atomic"]


@EITHER
def test_a_durable_block_may_be_entered_and_is_one(surrounded: None) -> None:
    with django_dbaudit.record() as traffic, transaction.atomic(durable=True):
        make()
    assert kinds(traffic) == ["atomic"]


@EITHER
def test_a_durable_block_within_another_is_refused_as_without_us(surrounded: None) -> None:
    with django_dbaudit.record() as traffic, transaction.atomic():
        make()
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic(durable=True):
            make()
    assert (kinds(traffic), commits(traffic).most_units) == (["atomic"], 1)


@EITHER
@pytest.mark.parametrize("what", ["delete", "get_or_create", "set", "bulk_update"])
def test_what_django_protects_itself_is_one(surrounded: None, what: str) -> None:
    category, user = make(), User.objects.create(username="u", email="u@example.com")
    flavor = Flavor.objects.create(title="x", slug="x", category=category, price=1)
    Review.objects.create(flavor=flavor, author=user, rating=3)
    StockItem.objects.create(flavor=flavor)
    groups = [Group.objects.create(name=name) for name in "ab"]
    user.groups.set(groups[:1])
    with django_dbaudit.record() as traffic:
        if what == "delete":
            flavor.delete()
        elif what == "get_or_create":
            Category.objects.get_or_create(name="new")
        elif what == "set":
            user.groups.set(groups[1:])
        else:
            category.name = "y"
            Category.objects.bulk_update([category], ["name"])
    (unit,) = units(traffic)
    assert (unit.kind, unit.is_repeated, unit.site.function) == (
        "django",
        False,
        "test_what_django_protects_itself_is_one",
    )


def test_a_block_that_was_open_before_is_the_project_s(transactional_db: None) -> None:
    with transaction.atomic(), django_dbaudit.record() as traffic:
        make()
        with transaction.atomic():
            make()
        make()
    assert (kinds(traffic), commits(traffic).most_units) == (["atomic"], 1)


def test_each_alias_has_a_name_and_units_of_its_own(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int)")
    with (
        alias_like(scratch.alias) as other,
        django_dbaudit.record() as traffic,
        transaction.atomic(using=scratch.alias),
    ):
        scratch.run("INSERT INTO t VALUES (1)")
        with connections[other].cursor() as cursor:
            cursor.execute("INSERT INTO t VALUES (2)")
    assert {(unit.kind, unit.alias) for unit in units(traffic)} == {
        ("atomic", scratch.alias),
        ("autocommit", other),
    }
    assert {(each.unit, each.alias) for each in queries(traffic)} == {
        ("atomic", scratch.alias),
        ("autocommit", other),
    }


# Without a block.


@pytest.fixture
def manual(transactional_db: None) -> Iterator[None]:
    transaction.set_autocommit(False)
    try:
        yield
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


def test_with_autocommit_off_a_unit_ends_with_the_commit(manual: None) -> None:
    with django_dbaudit.record() as traffic:
        make()
        make()
        transaction.commit()
        make()
        transaction.rollback()
        make()
        with transaction.atomic():
            make()
        transaction.commit()
    assert (kinds(traffic), commits(traffic).most_units) == (["manual"], 2)
    assert commits(traffic).rolled_back == 1


def test_what_nobody_committed_is_not_committed(manual: None) -> None:
    with django_dbaudit.record() as traffic:
        make()
    assert kinds(traffic) == []


def test_a_transaction_of_raw_statements(transactional_db: None) -> None:
    with connection.cursor() as cursor, django_dbaudit.record() as traffic:
        for statements in (["BEGIN", "COMMIT"], ["start transaction", "ROLLBACK"], ["BEGIN WORK", "end"]):
            cursor.execute(statements[0])
            make()
            cursor.execute("SAVEPOINT s")
            Group.objects.create(name="x")
            cursor.execute("ROLLBACK TO SAVEPOINT s")
            make()
            cursor.execute(statements[1])
        make()
    assert [unit.kind for unit in units(traffic)] == ["manual", "autocommit"]
    assert (commits(traffic).most_units, commits(traffic).rolled_back) == (3, 1)


# Of a request.


def visit(method: Any, settings: Any) -> Any:
    """What is recorded of a view that is this function."""
    from django.urls import path

    settings.MIDDLEWARE = [OURS]
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("", method)]})
    recorder.totals.take()
    response = Client(raise_request_exception=False).get("/")
    (found,) = recorder.totals.take().views
    return response, found


def twice(request: HttpRequest) -> HttpResponse:
    make()
    make()
    return HttpResponse("")


@EITHER
def test_blocks_around_a_request_do_not_count_for_it(surrounded: None, settings: Any) -> None:
    with transaction.atomic():
        _, found = visit(twice, settings)
    assert (kinds(found), commits(found).most_units) == (["autocommit"], 2)


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)  # noqa: FBT003  # as pytest has it


@EITHER
def test_the_request_s_own_block(surrounded: None, settings: Any, atomic_requests: None) -> None:
    _, found = visit(twice, settings)
    assert (kinds(found), commits(found).most_units) == (["request"], 1)
    _, found = visit(transaction.atomic(twice), settings)
    assert kinds(found) == ["request"]


@EITHER
def test_a_view_that_is_exempt_has_a_block_of_its_own(
    surrounded: None, settings: Any, atomic_requests: None
) -> None:
    _, found = visit(transaction.non_atomic_requests(transaction.atomic(twice)), settings)
    assert kinds(found) == ["atomic"]


def test_a_view_that_raises_commits_nothing_of_its_block(
    transactional_db: None, settings: Any, atomic_requests: None
) -> None:
    def raising(request: HttpRequest) -> HttpResponse:
        make()
        raise UndoneError

    response, found = visit(raising, settings)
    assert response.status_code == 500
    assert (kinds(found), commits(found).rolled_back, commits(found).failed_requests) == ([], 1, 1)


def test_a_request_that_failed_half_way_is_told(transactional_db: None, settings: Any) -> None:
    def half(request: HttpRequest) -> HttpResponse:
        make()
        return HttpResponse("", status=409)

    _, found = visit(half, settings)
    assert (found.failed_requests, commits(found).failed_requests, commits(found).requests) == (0, 1, 1)


# Django's own test cases.


def run(case: type[TestCase | TransactionTestCase]) -> None:
    import unittest

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun == 1
    assert not result.errors + result.failures, result.errors + result.failures


@pytest.mark.parametrize("base", [TestCase, TransactionTestCase])
def test_blocks_of_a_test_case_do_not_count(
    django_db_blocker: Any, base: Any, transactional_db: None
) -> None:
    seen = []

    class Case(base):  # type: ignore[misc]  # either
        @classmethod
        def setUpTestData(cls) -> None:
            with django_dbaudit.record() as traffic:
                make()
                make()
            seen.append(kinds(traffic))

        def test_units(self) -> None:
            with django_dbaudit.record() as traffic:
                make()
                make_atomically()
            seen.append(kinds(traffic))

    run(Case)
    assert seen[-1] == ["autocommit", "atomic"]
    assert len(seen) == 1 or seen[0] == ["autocommit"]
