from __future__ import annotations

from typing import Any

import pytest

from activity import ago, at_work, execute, hidden, outcome, pid_of, posed
from aliases import alias_like
from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.rule import get_rule
from scratch import Scratch

RULE = "idle-in-transaction"
STATE = "idle in transaction"


def found(scratch: Scratch) -> tuple[Finding, ...]:
    return scratch.findings(RULE, idle_in_transaction_seconds=0)


# What is left alone.


def test_an_idle_session_is_left_alone(scratch: Scratch) -> None:
    with scratch.session() as other:
        execute(other, "SELECT 1")
        assert found(scratch) == ()


def test_a_transaction_at_work_is_left_alone(scratch: Scratch) -> None:
    with scratch.session() as other:
        execute(other, "BEGIN")
        with at_work(scratch, other, "SELECT pg_sleep(60)"):
            assert found(scratch) == ()


def test_a_transaction_that_has_just_become_idle_is_left_alone(scratch: Scratch) -> None:
    with scratch.session() as other:
        execute(other, "BEGIN")
        assert scratch.findings(RULE) == ()


def test_a_transaction_in_another_database_belongs_to_another_report(scratch: Scratch) -> None:
    with scratch.session(NAME="postgres") as other:
        execute(other, "BEGIN", "SELECT 1")
        assert found(scratch) == ()


def test_the_bound_is_reached_and_not_only_passed() -> None:
    assert outcome(RULE, posed(state=STATE, state_changed_at=ago(59.9))).findings == ()
    assert len(outcome(RULE, posed(state=STATE, state_changed_at=ago(60))).findings) == 1


def test_a_state_that_changed_after_the_clock_was_read_has_lasted_no_time() -> None:
    late = posed(state=STATE, state_changed_at=ago(-5))
    assert outcome(RULE, late, idle_in_transaction_seconds=0.1).findings == ()
    (finding,) = outcome(RULE, late, idle_in_transaction_seconds=0).findings
    assert finding.evidence["idle_seconds"] == 0


# What is told.


def test_an_open_transaction_is_named_with_its_last_statement_and_its_locks(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with scratch.session("till 7") as other:
        pid = pid_of(other)
        execute(other, "BEGIN", "INSERT INTO flavor VALUES (1)")
        (finding,) = found(scratch)
    assert finding.subject.name == f"pid {pid}"
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith(f"pid {pid} (till 7, ")
    assert (
        " s, holds locks on public.flavor; its last statement: INSERT INTO flavor VALUES" in finding.message
    )
    assert finding.evidence["locked_tables"] == ["public.flavor"]
    assert finding.fix is not None
    assert finding.fix.text == f"SELECT pg_terminate_backend({pid});"


def test_an_aborted_transaction_counts_as_well(scratch: Scratch) -> None:
    with scratch.session() as other:
        execute(other, "BEGIN")
        with pytest.raises(Exception, match="division by zero"):
            execute(other, "SELECT 1 / 0")
        (finding,) = found(scratch)
    assert finding.evidence["state"] == "idle in transaction (aborted)"


def test_its_own_temporary_tables_and_mere_reads_are_no_locks_to_speak_of(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with scratch.session() as other:
        execute(other, "BEGIN", "CREATE TEMPORARY TABLE basket (id int)", "SELECT FROM flavor")
        (finding,) = found(scratch)
    assert finding.evidence["locked_tables"] == []
    assert "holds locks" not in finding.message


def test_one_that_others_wait_for_is_an_error(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with scratch.session() as holder, scratch.session() as waiter:
        execute(holder, "BEGIN", "LOCK TABLE flavor")
        with at_work(scratch, waiter, "SELECT FROM flavor") as pid:
            (finding,) = found(scratch)
    assert finding.severity is Severity.ERROR
    assert "and blocks 1 session;" in finding.message
    assert finding.evidence["blocks"] == [str(pid)]


def test_times_are_told_in_words_and_in_seconds() -> None:
    idle = posed(state=STATE, state_changed_at=ago(95), transaction_started_at=ago(3700), xmin_age=12)
    (finding,) = outcome(RULE, idle).findings
    assert "for 1 min 35 s; its last statement: SELECT ?" in finding.message
    assert finding.evidence["idle_seconds"] == 95
    assert finding.evidence["transaction_seconds"] == 3700
    assert finding.evidence["xmin_age"] == 12


# What could not be seen.


def test_what_a_role_may_not_see_is_said_and_never_passed(scratch: Scratch) -> None:
    rule = get_rule(RULE)
    with scratch.role(f"{scratch.alias}_reader") as role, scratch.session() as other:
        execute(other, "BEGIN")
        with alias_like(scratch.alias, USER=role, PASSWORD=role) as alias:
            seen = facts.gather([alias], audit.needed_facts([rule]), Config())
        result = audit.run([rule], seen, Thresholds(idle_in_transaction_seconds=0))
    assert result.findings == ()
    (not_run,) = result.not_run
    # The test's own session, and the one that is idle in transaction.
    assert not_run.reason == (
        "only in part: 2 sessions of other roles cannot be seen; "
        "needs membership in pg_read_all_stats (or pg_monitor)"
    )


def test_a_hidden_session_of_another_database_or_of_the_server_itself_takes_nothing_away() -> None:
    elsewhere = hidden(1, database="other", user="postgres")
    autovacuum = hidden(2, user=None)
    assert outcome(RULE, elsewhere, autovacuum).not_run == ()
    (not_run,) = outcome(RULE, elsewhere, autovacuum, hidden(3, user="postgres")).not_run
    assert "only in part: 1 session of" in not_run.reason


# What tells one from another.


def fingerprint(query: str, **fields: Any) -> str:
    idle = posed(state=STATE, query=query, **fields)
    (finding,) = outcome(RULE, idle).findings
    return finding.fingerprint


def test_the_same_code_has_the_same_fingerprint_in_another_process() -> None:
    one = fingerprint('SELECT "id" FROM "flavor" WHERE "id" = 1 AND "title" = \'Lemon\'', pid=1)
    other = fingerprint('SELECT "id" FROM "flavor" WHERE "id" = -22 AND "title" = \'It\'\'s\'', pid=2)
    assert one == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IN (1, 2)", "IN (1, 2, 3)"),
        ("VALUES (1, 'a', NULL)", "VALUES (2, 'b', true), (3, NULL, false)"),
        ("= ANY('{1,2}'::int2[])", "= ANY('{70000}'::int4[])"),
        ("= 'x' /* route='a' */", "= 'y' /* route='b', cut off here"),
        ("LIKE E'a\\'%'", "LIKE '%a'"),
        ("LIKE E'cut after \\", "LIKE 'whole'"),
        ("BETWEEN 1e-5 AND .5", "BETWEEN 2 AND 3"),
        ("= $tag$it's$tag$", "= 'cut off he"),
        ('WHERE "a" = 1; RELEASE SAVEPOINT "s1_x1"', 'WHERE "a" = 2; RELEASE SAVEPOINT "s140_x2"'),
        ('FROM "_django_curs_139_sync_1"', 'FROM "_django_curs_7_sync_4"'),
    ],
)
def test_values_comments_and_threads_tell_no_statements_apart(one: str, other: str) -> None:
    assert fingerprint(f"SELECT {one}") == fingerprint(f"SELECT {other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('SELECT "id" FROM "flavor"', 'SELECT "id" FROM "orders"'),
        ('SELECT "id" FROM "flavor"', 'SELECT "name" FROM "flavor"'),
        ("SELECT a1 FROM t1", "SELECT a2 FROM t2"),
        ("SELECT $1, a", "SELECT $1, b"),
        ("SELECT a IS NULL", "SELECT a IS NOT NULL"),
        ("SELECT 'x' AS nullable", "SELECT 'x' AS trueish"),
    ],
)
def test_another_statement_has_another_fingerprint(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_where_the_server_cut_a_long_statement_does_not_show() -> None:
    columns = ", ".join(f'"flavor"."column_{number}"' for number in range(40))
    one, other = (f"SELECT '{'x' * length}', {columns}"[:1023] for length in (1, 90))
    assert fingerprint(one) == fingerprint(other)


def test_another_program_has_another_fingerprint() -> None:
    assert fingerprint("SELECT 1") != fingerprint("SELECT 1", application_name="celery")


# What is shown of a statement.


def last_statement(query: str) -> str:
    (finding,) = outcome(RULE, posed(state=STATE, query=query)).findings
    return finding.message.partition("its last statement: ")[2]


def test_a_statement_is_shown_on_one_line_without_its_comments() -> None:
    assert last_statement("/* view=till */ SELECT 1,\n\t2 -- why\nFROM t") == "SELECT ?, ? FROM t"
    assert last_statement("SELECT/**/1 /* cut off he") == "SELECT ?"


def test_literals_are_nobodys_business() -> None:
    assert (
        last_statement("SELECT * FROM u WHERE mail = 'me@example.com'") == "SELECT * FROM u WHERE mail = ?"
    )
    assert last_statement(f"SELECT '{'x' * 1_000_000}") == "SELECT ?"


@pytest.mark.parametrize(
    "query", ["SELECT " + "1, " * 400_000, "(" * 1_000_000, f"SELECT {'x' * 1_000_000}"]
)
def test_a_statement_of_a_megabyte_is_cut_and_not_parsed(query: str) -> None:
    shown = last_statement(query)
    assert len(shown) == 100
    assert shown.endswith("…")
