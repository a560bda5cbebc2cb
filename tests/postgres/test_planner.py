"""Asking the planner leaves nothing behind: no row read, no lock, no index, no trace in the statistics."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import Error

from advice import available, can_hide, needs, plans, prepare, record
from aliases import alias_like
from django_dbaudit import facts
from django_dbaudit.conf import Config
from django_dbaudit.postgres import extensions, queries
from django_dbaudit.postgres.connection import GuardedConnection
from django_dbaudit.postgres.planner import Job, Planner, Refusal
from django_dbaudit.postgres.plans import Plan, StatementPlans
from django_dbaudit.postgres.statements import Statements
from scratch import Scratch
from versions import needs_server

pytestmark = needs()

LOOK = "SELECT * FROM sale WHERE customer = '5'"


@pytest.fixture
def sales(scratch: Scratch) -> Scratch:
    return prepare(scratch, *({"hypopg"} & available()))


def test_no_statement_is_run_and_none_can_write(sales: Scratch) -> None:
    sales.run(
        "CREATE SEQUENCE s", "CREATE FUNCTION stop() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE; END'"
    )
    with GuardedConnection(sales.alias, Config()) as connection:
        answers = Planner(connection, None).ask(
            [
                Job(
                    1,
                    (
                        (1, "SELECT nextval('s'), stop() FROM sale"),
                        (2, "SELECT 1 FROM nothing"),
                        (3, "SELECT 1; CREATE TABLE made ()"),
                        (4, "SELECT 1; DELETE FROM sale"),
                        (5, LOOK),
                    ),
                )
            ]
        )
    assert isinstance(answers[1, 1], Plan)
    assert isinstance(answers[1, 2], Refusal)
    assert isinstance(answers[1, 5], Plan)
    assert sales.run("SELECT count(*), to_regclass('made') FROM sale") == [(20_000, None)]
    assert sales.run("SELECT is_called FROM s") == [(False,)]


def test_locks_go_with_each_plan_and_indexes_with_the_last(sales: Scratch) -> None:
    if "hypopg" not in available():
        pytest.skip("the server has no hypopg")
    with GuardedConnection(sales.alias, Config()) as connection:
        planner = Planner(connection, extensions.read(connection)["hypopg"])
        job = Job(1, ((1, LOOK),), create="CREATE INDEX ON sale (customer)")
        plan = planner.ask([job])[1, 1]
        assert isinstance(plan, Plan)
        assert "btree_sale_customer" in str(plan.scans[0].indexes)
        with connection._wrapper.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM public.hypopg_list_indexes")
            assert cursor.fetchall() == [(0,)]
        refused = planner.ask([Job(1, ((1, LOOK),), create="CREATE INDEX ON sale USING gin (tags)")])
        assert isinstance(refused[1, 1], Refusal)


def test_no_lock_is_kept_while_the_rest_is_planned(sales: Scratch) -> None:
    with GuardedConnection(sales.alias, Config()) as connection:
        Planner(connection, None).ask([Job(1, ((1, LOOK),))])
        with connection._transaction("SELECT %s, %s") as cursor:
            cursor.execute("SELECT pg_catalog.set_config('django_dbaudit.request', %s, true)", [REQUEST])
            cursor.execute(queries.get("plan_statements", connection.server_version))
            cursor.execute(
                "SELECT count(*) FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() "
                "AND relation = 'public.sale'::regclass"
            )
            assert cursor.fetchall() == [(0,)]


REQUEST = """{"hypopg": null, "can_hide": false, "seconds": 5,
    "jobs": [{"id": 1, "statements": [{"id": 1, "text": "SELECT * FROM public.sale"}]}]}"""


# Before that a process of its own collects the counters, and nobody can tell when it has them all.
@needs_server(150_000)
def test_indexes_are_not_scanned_and_statements_not_counted(sales: Scratch) -> None:
    """Weighing a merge join, the planner would look the ends of both columns up in their indexes."""
    sales.run("CREATE INDEX by_time ON sale (made_at)", "CREATE INDEX by_customer ON sale (customer)")
    record(sales)
    with sales.session() as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM sale a JOIN sale b USING (customer) WHERE a.made_at > '2026-01-03'"
        )
    sales.wait_until(lambda: not others(sales))
    scans, calls = sales.run(SCANS), sales.run(CALLS)
    assert plans(sales).planned >= 1
    sales.wait_until(lambda: not others(sales))
    assert (sales.run(SCANS), sales.run(CALLS)) == (scans, calls)
    assert sales.run(EXPLAINED) == [(0,)]


SCANS = """SELECT pg_stat_get_numscans('by_time'::regclass), pg_stat_get_numscans('by_customer'::regclass),
    pg_stat_get_numscans('sale_pkey'::regclass)"""
EXPLAINED = """SELECT count(*) FROM pg_stat_statements JOIN pg_database AS d ON d.oid = dbid
    WHERE datname = current_database() AND query LIKE 'EXPLAIN%'"""
CALLS = """SELECT calls FROM pg_stat_statements JOIN pg_database AS d ON d.oid = dbid
    WHERE datname = current_database() AND query LIKE '%JOIN sale b%'"""


def others(scratch: Scratch) -> int:
    """Sessions but our own, which have counters to hand over when they end."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    return int(scratch.run(f"{query} pg_backend_pid()")[0][0])


def test_no_value_of_the_tables_is_in_the_facts(sales: Scratch) -> None:
    record(sales, "SELECT * FROM sale WHERE status = 'sent' AND code > 'abc'")
    seen = facts.gather([sales.alias], {StatementPlans, Statements}, Config())
    assert seen.aliases[0].get(StatementPlans).planned == 1
    text = facts.save(seen)
    assert "status = $1" in text
    assert not any(
        f"{quote}{value}{quote}" in text for quote in "'\"" for value in ("sent", "done", "late")
    )


def test_facts_are_the_same_after_a_file(sales: Scratch, tmp_path: Path) -> None:
    record(sales, LOOK)
    seen = facts.gather([sales.alias], {StatementPlans}, Config())
    path = tmp_path / "facts.json"
    path.write_text(facts.save(seen))
    assert facts.load(path).aliases[0].get(StatementPlans) == seen.aliases[0].get(StatementPlans)


def test_a_role_without_rights_is_told_what_it_lacks(sales: Scratch) -> None:
    record(sales, LOOK)
    with sales.role(f"{sales.alias}_nobody") as role:
        with alias_like(sales.alias, USER=role, PASSWORD=role) as alias:
            (seen,) = facts.gather([alias], {StatementPlans}, Config()).aliases
            assert seen.get(StatementPlans).hidden > 0
            assert not [each for each in seen.get(StatementPlans).items if "sale" in each.text]
        sales.run(f'GRANT pg_read_all_stats TO "{role}"')
        with alias_like(sales.alias, USER=role, PASSWORD=role) as alias:
            (seen,) = facts.gather([alias], {StatementPlans}, Config()).aliases
            problems = {each.problem for each in seen.get(StatementPlans).items if "sale" in each.text}
            assert problems == {"needs SELECT on its tables, or pg_read_all_data"}
        sales.run(f'GRANT pg_read_all_data TO "{role}"')
        with alias_like(sales.alias, USER=role, PASSWORD=role) as alias:
            (seen,) = facts.gather([alias], {StatementPlans}, Config()).aliases
            assert seen.get(StatementPlans).planned >= 1


def test_a_locked_table_is_not_waited_for_longer_than_allowed(sales: Scratch) -> None:
    record(sales, LOOK)
    with sales.session() as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE sale IN ACCESS EXCLUSIVE MODE")
        (seen,) = facts.gather([sales.alias], {StatementPlans}, Config(lock_timeout=0.05)).aliases
        cursor.execute("ROLLBACK")
    problems = [each.problem for each in seen.get(StatementPlans).items if "sale" in each.text]
    assert problems
    assert all(problem and problem.startswith("a table was locked") for problem in problems)


def test_only_so_many_statements_are_planned_and_in_so_much_time(sales: Scratch) -> None:
    record(sales, LOOK, "SELECT count(*) FROM sale", "SELECT max(price) FROM sale")
    for config, planned in ((Config(planned_statements=1), 1), (Config(planning_timeout=0.001), 0)):
        (seen,) = facts.gather([sales.alias], {StatementPlans}, config).aliases
        assert seen.get(StatementPlans).planned <= planned
        assert seen.get(StatementPlans).total >= 3


def test_without_the_language_nothing_is_planned_and_that_is_said(sales: Scratch) -> None:
    record(sales, LOOK)
    sales.run("DROP EXTENSION plpgsql")
    (seen,) = facts.gather([sales.alias], {StatementPlans}, Config()).aliases
    assert seen.get(StatementPlans) == facts.Unavailable("needs the language plpgsql, and USAGE on it")


def test_hiding_is_asked_of_those_that_can(sales: Scratch) -> None:
    if "hypopg" not in available():
        pytest.skip("the server has no hypopg")
    sales.run("CREATE INDEX by_customer ON sale (customer)")
    record(sales, LOOK)
    asked = plans(sales)
    assert asked.can_hide == can_hide()
    assert bool(asked.removals) == can_hide()
    for removal in asked.removals:
        plan = asked.items[removal.statement].plan
        assert plan is not None
        assert removal.cost > 2 * plan.cost


def test_an_error_of_the_driver_is_told_and_not_raised(sales: Scratch) -> None:
    with GuardedConnection(sales.alias, Config()) as connection, pytest.raises(Error):
        connection.answer("plan_statements", {"jobs": 5, "seconds": "x"})
