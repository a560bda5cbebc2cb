from __future__ import annotations

from typing import Any

import pytest

from activity import ago, at_work, execute, hidden, outcome, posed
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.sessions import Session
from scratch import Scratch

RULE = "long-running-query"


def found(scratch: Scratch) -> tuple[Finding, ...]:
    return scratch.findings(RULE, long_running_query_seconds=0)


def running(pid: int = 1, **fields: Any) -> Session:
    """An hour's statement, but for these fields."""
    return posed(pid, **{"state": "active", "query_started_at": ago(3600), **fields})


# What is left alone.


def test_a_statement_that_is_over_is_left_alone(scratch: Scratch) -> None:
    with scratch.session() as other:
        execute(other, "SELECT 1", "BEGIN", "SELECT 2")
        assert found(scratch) == ()


def test_a_statement_that_has_just_begun_is_left_alone(scratch: Scratch) -> None:
    with scratch.session() as other, at_work(scratch, other, "SELECT pg_sleep(60)"):
        assert scratch.findings(RULE) == ()


def test_a_statement_that_waits_for_a_lock_is_left_to_blocked_session(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with scratch.session() as holder, scratch.session() as waiter:
        execute(holder, "BEGIN", "LOCK TABLE flavor")
        with at_work(scratch, waiter, "SELECT FROM flavor"):
            assert found(scratch) == ()


def test_a_statement_in_another_database_belongs_to_another_report(scratch: Scratch) -> None:
    with scratch.session(NAME="postgres") as other, at_work(scratch, other, "SELECT pg_sleep(60)"):
        assert found(scratch) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"backend_type": "walsender", "query": "START_REPLICATION SLOT s LOGICAL 0/0"},
        {"backend_type": "autovacuum worker", "user": None, "query": "autovacuum: VACUUM public.t"},
        {"backend_type": "parallel worker", "leader_pid": 1},
        {"backend_type": "logical replication worker"},
        {"backend_type": "background worker"},
    ],
    ids=lambda fields: fields["backend_type"],
)
def test_what_is_no_clients_own_statement_is_left_alone(fields: dict[str, Any]) -> None:
    assert outcome(RULE, running(2, **fields)).findings == ()


def test_the_bound_is_reached_and_not_only_passed() -> None:
    assert outcome(RULE, running(query_started_at=ago(59.9))).findings == ()
    assert len(outcome(RULE, running(query_started_at=ago(60))).findings) == 1


# What is told.


def test_a_long_statement_is_named_with_a_way_to_stop_it(scratch: Scratch) -> None:
    with scratch.session("till 7") as other, at_work(scratch, other, "SELECT pg_sleep(60)") as pid:
        (finding,) = found(scratch)
    assert finding.subject.name == f"pid {pid}"
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith(f"pid {pid} (till 7, ")
    assert finding.message.endswith(" s: SELECT pg_sleep(?)")
    assert finding.fix is not None
    assert finding.fix.text == f"SELECT pg_cancel_backend({pid});"


def test_of_a_parallel_query_only_its_leader_is_told() -> None:
    worker = running(2, backend_type="parallel worker", leader_pid=1)
    (finding,) = outcome(RULE, running(1), worker).findings
    assert finding.subject.name == "pid 1"
    assert "for 1 h:" in finding.message
    assert finding.evidence["running_seconds"] == 3600


@pytest.mark.parametrize(
    "query",
    [
        "VACUUM flavor",
        "vacuum(FULL) flavor",
        "/* nightly */ ANALYZE",
        "-- weekly\nREINDEX TABLE flavor",
        "  CREATE INDEX CONCURRENTLY i ON flavor (id)",
        "COPY flavor FROM STDIN",
        "REFRESH MATERIALIZED VIEW podium",
    ],
)
def test_maintenance_is_an_information(query: str) -> None:
    (finding,) = outcome(RULE, running(query=query)).findings
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    "query", ["SELECT vacuum FROM t", "WITH copy AS (SELECT 1) SELECT 1", "", "/* cut"]
)
def test_a_word_of_maintenance_elsewhere_makes_no_maintenance(query: str) -> None:
    (finding,) = outcome(RULE, running(query=query)).findings
    assert finding.severity is Severity.WARNING


def test_what_a_role_may_not_see_is_said_beside_what_it_sees() -> None:
    result = outcome(RULE, running(1), hidden(2), hidden(3, database="other"))
    assert [finding.subject.name for finding in result.findings] == ["pid 1"]
    (not_run,) = result.not_run
    assert not_run.reason.startswith("only in part: 1 session of other roles cannot be seen; needs ")


# What tells one from another.


def fingerprint(pid: int, query: str) -> str:
    (finding,) = outcome(RULE, running(pid, query=query)).findings
    return finding.fingerprint


def test_a_fingerprint_is_of_the_statement_and_not_of_process_or_values() -> None:
    one = fingerprint(1, 'SELECT "a" FROM "t" WHERE "id" = 1')
    assert one == fingerprint(2, 'SELECT "a" FROM "t" WHERE "id" = 22')
    assert one != fingerprint(1, 'SELECT "a" FROM "u" WHERE "id" = 1')


def test_maintenance_is_not_to_be_cancelled_which_would_leave_an_invalid_index() -> None:
    building = posed(
        state="active", query="CREATE INDEX CONCURRENTLY i ON t (a)", query_started_at=ago(600)
    )
    (finding,) = outcome(RULE, building).findings
    assert (finding.severity, finding.fix) == (Severity.INFO, None)
