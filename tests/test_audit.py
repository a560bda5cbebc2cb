"""The runner: facts by type, once for each alias, and never a pass where nobody looked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from django_dbaudit.audit import Audit, needed_facts, run
from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
from django_dbaudit.finding import Database, Finding, NotRun, Severity, Subject
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.rule import Rule

NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)
SERVER = Server(
    version=150003,
    version_text="15.3",
    database="shop",
    user="app",
    taken_at=NOW,
    started_at=NOW,
    statistics_reset_at=None,
    in_recovery=False,
    reads_all_stats=True,
    track_counts=True,
    max_connections=100,
    reserved_connections=3,
    database_connection_limit=None,
    role_connection_limit=None,
)


def make_rule(function: Any, **options: Any) -> Rule:
    rule = Rule(code="TST001", severity=Severity.WARNING, since="0.1", **options)
    rule.check(function)
    return rule


def audit(rule: Rule, *aliases: dict[type[Any], Any]) -> Audit:
    facts = [
        AliasFacts(Database(name, "postgresql", "15.3"), known)
        for name, known in zip(("default", "archive"), aliases, strict=False)
    ]
    return run([rule], Facts(tuple(facts)), Thresholds(connections_share=0.5))


def find_version(server: Server, thresholds: Thresholds) -> Iterator[Finding | NotRun]:
    yield rule_of_version.finding(Subject("server", server.version_text), f"{thresholds.connections_share}")


rule_of_version = make_rule(find_version)


def test_a_rule_runs_once_for_each_alias_and_findings_name_it() -> None:
    outcome = audit(rule_of_version, {Server: SERVER}, {Server: SERVER})
    assert [finding.database for finding in outcome.findings] == ["archive", "default"]
    assert {finding.message for finding in outcome.findings} == {"0.5"}


def test_thresholds_are_no_fact() -> None:
    assert needed_facts([rule_of_version]) == {Server}


def test_a_fact_that_cannot_be_had_stops_the_rule_with_its_reason() -> None:
    outcome = audit(rule_of_version, {Server: Unavailable("needs pg_monitor")})
    assert outcome.findings == ()
    assert [(each.reason, each.database) for each in outcome.not_run] == [("needs pg_monitor", "default")]


def test_an_audit_in_which_nothing_ran_is_a_failure() -> None:
    outcome = audit(rule_of_version, {Server: Unavailable("not PostgreSQL: the alias is sqlite")})
    assert outcome.failures == ("Nothing was audited; default: not PostgreSQL: the alias is sqlite.",)


def test_one_alias_that_can_be_audited_is_enough() -> None:
    outcome = audit(rule_of_version, {Server: Unavailable("needs pg_monitor")}, {Server: SERVER})
    assert outcome.failures == ()


def test_a_fact_that_failed_is_a_failure_told_once() -> None:
    down = Unavailable("could not connect", failed=True)
    assert audit(rule_of_version, {Server: down}).failures == ("default: could not connect.",)


def test_a_fact_that_nobody_gathered_is_not_run_either() -> None:
    outcome = audit(rule_of_version, {})
    assert [each.reason for each in outcome.not_run] == ["not among the facts that were gathered"]


@pytest.mark.parametrize(("minimum", "ran"), [(0, True), (150000, True), (160000, False)])
def test_a_rule_for_newer_servers_says_so(minimum: int, ran: bool) -> None:
    def check(server: Server) -> Iterator[Finding | NotRun]:
        yield rule.finding(Subject("server", "s"), "ran")

    rule = make_rule(check, min_server_version=minimum)
    outcome = audit(rule, {Server: SERVER})
    assert bool(outcome.findings) is ran
    assert [each.reason for each in outcome.not_run] == ([] if ran else ["needs PostgreSQL 16"])


def test_a_rule_that_breaks_costs_its_own_findings_and_is_a_failure() -> None:
    def check(server: Server, tables: Tables) -> Iterator[Finding | NotRun]:
        yield rule.finding(Subject("server", "s"), "half of them")
        raise KeyError("oops")

    rule = make_rule(check)
    outcome = audit(rule, {Server: SERVER, Tables: Tables(())})
    assert outcome.findings == ()
    assert "a defect of django-dbaudit, please report it: KeyError: 'oops'" in outcome.not_run[0].reason
    assert outcome.failures[0].startswith("default: TST001 test-audit: a defect")
