from __future__ import annotations

from typing import Any

import pytest

from activity import hidden, outcome, posed, posed_server
from aliases import alias_like
from django_dbaudit import facts
from django_dbaudit.conf import Config
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Session
from scratch import Scratch

RULE = "connections-near-limit"


def many(number: int, **fields: Any) -> list[Session]:
    return [posed(pid, **fields) for pid in range(1, number + 1)]


def found(*sessions: Session, **server: Any) -> list[Finding]:
    return list(outcome(RULE, *sessions, server=posed_server(**server)).findings)


# What is left alone.


def test_a_server_with_room_is_left_alone(scratch: Scratch) -> None:
    # Of the others' sessions on this server a test knows nothing.
    assert scratch.findings(RULE, connections_share=1) == ()


def test_a_share_below_the_bound_is_left_alone() -> None:
    # 97 connections are for ordinary roles.
    assert found(*many(77)) == []
    assert len(found(*many(78))) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"backend_type": "walsender", "database": None},
        {"backend_type": "walsender"},
        {"backend_type": "parallel worker", "leader_pid": 1},
        {"backend_type": "autovacuum worker", "user": None},
        {"backend_type": "logical replication launcher", "database": None},
        {"backend_type": "background worker"},
    ],
    ids=lambda fields: fields["backend_type"],
)
def test_what_takes_no_clients_connection_is_not_counted(fields: dict[str, Any]) -> None:
    assert found(*many(97, **fields)) == []


def test_limits_of_other_databases_and_roles_are_not_ours() -> None:
    limits = {"database_connection_limit": 10, "role_connection_limit": 10}
    assert found(*many(20, database="other", user="other"), **limits) == []


def test_a_limit_that_nobody_uses_is_left_alone() -> None:
    assert found(database_connection_limit=0) == []


# What is told.


def test_how_many_of_how_many_and_whose() -> None:
    web, celery = many(60), many(20, application_name="celery", state="active")
    (finding,) = found(*web, *celery, posed(99, application_name=""))
    assert str(finding.subject) == "parameter max_connections"
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "81 of 97 connections are taken (83.5 % of max_connections less the reserved ones), "
        "61 of them idle; most by web: 60."
    )
    assert finding.evidence["by_application"] == ["web: 60", "celery: 20", "(unnamed): 1"]


def test_from_95_percent_on_it_is_an_error() -> None:
    assert found(*many(92))[0].severity is Severity.WARNING
    assert found(*many(93))[0].severity is Severity.ERROR


def test_reserved_connections_are_not_there_for_us() -> None:
    (finding,) = found(*many(40), reserved_connections=53)
    assert finding.evidence["limit"] == 47
    assert found(*many(40), reserved_connections=0) == []
    (finding,) = found(posed(), reserved_connections=100)
    assert finding.severity is Severity.ERROR


def test_hidden_sessions_are_counted_all_the_same() -> None:
    (finding,) = found(*[hidden(pid) for pid in range(80)])
    assert finding.evidence["taken"] == 80
    assert found(*[hidden(pid, user=None) for pid in range(80)]) == []


def test_each_limit_is_told_by_itself() -> None:
    limits = {"database_connection_limit": 10, "role_connection_limit": 9}
    ours, others = many(9), many(80, user="other", database="other")
    findings = found(*ours, *others, **limits)
    assert {str(each.subject): each.evidence["limit"] for each in findings} == {
        "parameter max_connections": 97,
        "database shop": 10,
        "role app": 9,
    }
    assert "of the CONNECTION LIMIT of database shop" in "".join(each.message for each in findings)


def test_the_databases_own_limit_is_read_and_its_sessions_are_counted(scratch: Scratch) -> None:
    scratch.run(f'ALTER DATABASE "{scratch.alias}" CONNECTION LIMIT 4')
    assert scratch.fact(Server).database_connection_limit == 4
    with scratch.session(), scratch.session():
        findings = scratch.findings(RULE, connections_share=0.75)
    (ours,) = [each for each in findings if each.subject.kind == "database"]
    # Those two and the test's own; the audit's does not count.
    assert ours.message.startswith("3 of 4 connections are taken (75.0 % of the CONNECTION LIMIT of ")


def test_the_limit_is_that_of_the_role_that_logs_in_whatever_role_it_assumes(scratch: Scratch) -> None:
    name = f"{scratch.alias}_%s"
    with scratch.role(name % "login") as login, scratch.role(name % "owner") as owner:
        scratch.run(
            f'ALTER ROLE "{login}" CONNECTION LIMIT 7',
            f'ALTER ROLE "{owner}" CONNECTION LIMIT 3',
            f'GRANT "{owner}" TO "{login}"',
        )
        settings = {"USER": login, "PASSWORD": login, "OPTIONS": {"assume_role": owner}}
        with alias_like(scratch.alias, **settings) as alias:
            (seen,) = facts.gather([alias], {Server}, Config()).aliases
    assert seen.get(Server).role_connection_limit == 7
    assert seen.get(Server).user == login


# What tells one from another.


def test_a_fingerprint_is_of_the_limit_and_not_of_how_many() -> None:
    one, other = found(*many(80))[0], found(*many(90))[0]
    assert one.fingerprint == other.fingerprint
    limited = found(*many(9), database_connection_limit=10)[0]
    assert limited.fingerprint != one.fingerprint


def test_what_a_role_may_not_look_into_is_not_called_busy() -> None:
    result = outcome(RULE, *(hidden(pid) for pid in range(90)), connections_share=0.5)
    (finding,) = result.findings
    assert "idle" not in finding.message
    (not_run,) = result.not_run
    assert not_run.reason.startswith("only in part: 90 sessions of other roles cannot be seen; needs")
