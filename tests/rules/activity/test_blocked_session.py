from __future__ import annotations

from typing import Any

from activity import ago, at_work, execute, hidden, outcome, pid_of, posed
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.sessions import Session
from scratch import Scratch

RULE = "blocked-session"


def found(scratch: Scratch) -> dict[str, Finding]:
    findings = scratch.findings(RULE, blocked_session_seconds=0)
    return {finding.subject.name: finding for finding in findings}


def waiting(pid: int, *blocked_by: int, **fields: Any) -> Session:
    """A session that has waited a minute for others, but for these fields."""
    wait = {
        "state": "active",
        "query": "SELECT 1",
        "lock_type": "relation",
        "lock_mode": "AccessShareLock",
        "lock_relation": "public.flavor",
        "waiting_since": ago(60),
    }
    return posed(pid, blocked_by=blocked_by, **{**wait, **fields})


def related(finding: Finding) -> list[str]:
    return [each.name for each in finding.related]


# What is left alone.


def test_a_holder_of_locks_that_nobody_waits_for_is_left_alone(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with scratch.session() as holder:
        execute(holder, "BEGIN", "LOCK TABLE flavor")
        assert found(scratch) == {}


def test_a_wait_that_has_just_begun_is_left_alone(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with scratch.session() as holder, scratch.session() as waiter:
        execute(holder, "BEGIN", "LOCK TABLE flavor")
        with at_work(scratch, waiter, "SELECT FROM flavor"):
            assert scratch.findings(RULE) == ()


def test_a_wait_for_anything_but_a_lock_is_left_alone(scratch: Scratch) -> None:
    with scratch.session() as other, at_work(scratch, other, "SELECT pg_sleep(60)"):
        assert found(scratch) == {}


def test_a_wait_in_another_database_belongs_to_another_report() -> None:
    assert outcome(RULE, waiting(2, 1, database="other"), posed(1)).findings == ()


def test_the_bound_is_reached_and_not_only_passed() -> None:
    assert outcome(RULE, waiting(2, 1, waiting_since=ago(4.9))).findings == ()
    assert len(outcome(RULE, waiting(2, 1, waiting_since=ago(5))).findings) == 1


# What is told.


def test_who_waits_for_what_and_for_whom(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with scratch.session("migrate") as holder, scratch.session("web") as waiter:
        execute(holder, "BEGIN", "LOCK TABLE flavor")
        root = pid_of(holder)
        with at_work(scratch, waiter, "SELECT FROM flavor") as pid:
            (finding,) = found(scratch).values()
    assert finding.subject.name == f"pid {pid}"
    assert finding.severity is Severity.ERROR
    assert " s for AccessShareLock on public.flavor, blocked by " in finding.message
    assert f"blocked by pid {root} (migrate, " in finding.message
    assert finding.message.endswith("idle in transaction; it runs: SELECT FROM flavor")
    assert related(finding) == [f"pid {root}"]
    assert finding.fix is not None
    assert finding.fix.text == f"SELECT pg_terminate_backend({root});"


def test_the_root_of_a_chain_of_row_locks_is_named(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)", "INSERT INTO flavor VALUES (1), (2)")
    first, second = (f"UPDATE flavor SET id = id WHERE id = {number}" for number in (1, 2))
    with scratch.session() as a, scratch.session() as b, scratch.session() as c:
        execute(a, "BEGIN", first)
        execute(b, "BEGIN", second)
        root = pid_of(a)
        with at_work(scratch, b, first) as middle, at_work(scratch, c, second) as last:
            findings = found(scratch)
    assert set(findings) == {f"pid {middle}", f"pid {last}"}
    assert related(findings[f"pid {middle}"]) == [f"pid {root}"]
    assert related(findings[f"pid {last}"]) == [f"pid {middle}", f"pid {root}"]
    assert findings[f"pid {last}"].evidence["root"] == root
    assert "for a row lock, blocked by" in findings[f"pid {last}"].message


def test_queueing_behind_one_who_waits_counts_too(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with scratch.session() as reader, scratch.session() as migration, scratch.session() as web:
        execute(reader, "BEGIN", "SELECT FROM flavor")
        root = pid_of(reader)
        with (
            at_work(scratch, migration, "ALTER TABLE flavor ADD COLUMN title text") as ahead,
            at_work(scratch, web, "SELECT FROM flavor WHERE id = 1") as behind,
        ):
            findings = found(scratch)
    assert related(findings[f"pid {ahead}"]) == [f"pid {root}"]
    assert related(findings[f"pid {behind}"]) == [f"pid {ahead}", f"pid {root}"]
    assert findings[f"pid {ahead}"].evidence["lock_mode"] == "AccessExclusiveLock"


def test_an_advisory_lock_is_a_lock(scratch: Scratch) -> None:
    with scratch.session() as holder, scratch.session() as waiter:
        execute(holder, "SELECT pg_advisory_lock(42)")
        with at_work(scratch, waiter, "SELECT pg_advisory_lock(42)"):
            (finding,) = found(scratch).values()
    assert "for ExclusiveLock on advisory, blocked by" in finding.message


def test_a_role_without_rights_still_learns_who_blocks_whom() -> None:
    (finding,) = outcome(RULE, waiting(2, 1, **vars_of_hidden()), hidden(1)).findings
    assert finding.message.endswith("blocked by pid 1 (app@shop)")


def vars_of_hidden() -> dict[str, Any]:
    text = {"application_name": "", "query": "<insufficient privilege>", "hidden": True}
    return {**text, "state": None, "backend_type": None, "query_started_at": None}


def test_a_wait_that_has_no_beginning_yet_began_with_its_statement() -> None:
    early = waiting(2, 1, waiting_since=None, query_started_at=ago(7))
    (finding,) = outcome(RULE, early).findings
    assert finding.evidence["waited_seconds"] == 7


def test_a_blocker_that_is_gone_is_told_by_its_number() -> None:
    (finding,) = outcome(RULE, waiting(2, 1)).findings
    assert "blocked by pid 1; it runs" in finding.message


def test_a_blocking_autovacuum_is_called_by_its_kind() -> None:
    vacuum = posed(1, user=None, application_name="", backend_type="autovacuum worker", state="active")
    (finding,) = outcome(RULE, waiting(2, 1), vacuum).findings
    assert "blocked by pid 1 (autovacuum worker), active;" in finding.message


def test_a_prepared_transaction_has_no_session_to_end() -> None:
    chain = outcome(RULE, waiting(2, 0), waiting(3, 2)).findings
    for finding in chain:
        assert "blocked by a prepared transaction;" in finding.message
        assert related(finding)[-1] == "a prepared transaction"
        assert finding.fix is not None
        assert "ROLLBACK PREPARED" in finding.fix.text
        assert "pg_prepared_xacts" in finding.fix.text
        assert "pg_terminate_backend" not in finding.fix.text


def test_a_circle_ends_where_it_would_begin_anew() -> None:
    one, other = outcome(RULE, waiting(1, 2), waiting(2, 1)).findings
    assert (related(one), related(other)) == (["pid 2"], ["pid 1"])


def test_one_who_waits_for_a_circle_is_told_its_members() -> None:
    findings = outcome(RULE, waiting(1, 2), waiting(2, 1), waiting(3, 1)).findings
    assert related(findings[-1]) == ["pid 1", "pid 2"]


# What tells one from another.


def fingerprint(pid: int, query: str) -> str:
    (finding,) = outcome(RULE, waiting(pid, 99, query=query)).findings
    return finding.fingerprint


def test_a_fingerprint_is_of_the_statement_and_not_of_process_or_values() -> None:
    one = fingerprint(1, 'UPDATE "t" SET "a" = 1')
    assert one == fingerprint(2, 'UPDATE "t" SET "a" = 22')
    assert one != fingerprint(1, 'UPDATE "u" SET "a" = 1')


def blocked_by(root: Session, **fields: object) -> Finding:
    waiting = {
        "query_started_at": ago(60),
        "waiting_since": ago(60),
        "state": "active",
        "blocked_by": (root.pid,),
    }
    (finding,) = outcome(RULE, posed(2, **{**waiting, **fields}), root).findings
    return finding


def test_a_concurrent_build_that_waits_for_older_transactions_is_how_it_works() -> None:
    finding = blocked_by(posed(state="active"), lock_type="virtualxid", lock_mode="ShareLock")
    assert finding.severity is Severity.INFO
    assert finding.fix is None


def test_only_a_root_that_does_nothing_is_ended() -> None:
    idle = blocked_by(posed(state="idle in transaction")).fix
    busy = blocked_by(posed(state="active")).fix
    vacuum = blocked_by(posed(state="active", backend_type="autovacuum worker")).fix
    assert idle
    assert idle.text == "SELECT pg_terminate_backend(1);"
    assert busy
    assert busy.text.endswith("SELECT pg_cancel_backend(1);")
    assert vacuum
    assert vacuum.text.startswith("Let VACUUM finish")
