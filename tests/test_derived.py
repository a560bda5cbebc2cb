"""Derived facts: made of other facts, once for each alias, and only where those are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_dbaudit import facts
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.audit import needed_facts, run
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.derived import DerivedFact, needs, sources
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
from django_dbaudit.finding import Database, Finding, NotRun, Severity, Subject
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.rule import Rule, all_rules
from scratch import Scratch

made: list[DerivedFact] = []


class Counted(DerivedFact):
    def __init__(self, tables: Tables) -> None:
        self.tables = len(tables.items)
        made.append(self)


class OfThat(DerivedFact):
    def __init__(self, counted: Counted, thresholds: Thresholds) -> None:
        self.text = f"{counted.tables} tables, {thresholds.connections_share}"
        made.append(self)


class Broken(DerivedFact):
    def __init__(self, tables: Tables) -> None:
        raise KeyError("oops")


@pytest.fixture(autouse=True)
def _nothing_made() -> None:
    made.clear()


def alias(known: dict[type[Any], Any], name: str = "default") -> AliasFacts:
    return AliasFacts(Database(name, "postgresql", "18.0"), known)


def rule_of(check: Any) -> Rule:
    rule = Rule(code="TST001", severity=Severity.WARNING, since="0.1")
    rule.check(check)
    return rule


def tell(derived: OfThat, counted: Counted) -> Iterator[Finding | NotRun]:
    yield telling.finding(Subject("server", "s"), derived.text)


telling = rule_of(tell)


def break_down(broken: Broken) -> Iterator[Finding | NotRun]:
    yield breaking.finding(Subject("server", "s"), "never told")


breaking = rule_of(break_down)


def test_it_needs_what_its_constructor_takes_and_comes_down_to_facts() -> None:
    assert needs(OfThat) == {"counted": Counted, "thresholds": Thresholds}
    assert sources(OfThat) == {Tables, Thresholds}
    assert sources(Tables) == {Tables}


def test_its_sources_are_gathered_and_thresholds_are_not() -> None:
    assert needed_facts([telling]) == {Tables}


def test_it_is_made_once_for_each_alias_whoever_asks() -> None:
    both = Facts((alias({Tables: Tables(())}), alias({Tables: Tables(())}, "archive")))
    outcome = run([telling, telling], both, Thresholds(connections_share=0.5))
    assert [each.message for each in outcome.findings] == ["0 tables, 0.5"] * 4
    assert [type(each) for each in made] == [Counted, OfThat] * 2


def test_the_report_gets_what_the_rules_had() -> None:
    thresholds = Thresholds()
    seen = Facts((alias({Tables: Tables(())}),)).having(thresholds)
    run([telling], seen, thresholds)
    seen.aliases[0].get(OfThat)
    assert len(made) == 2


def test_other_thresholds_make_another() -> None:
    seen = Facts((alias({Tables: Tables(())}),))
    texts = [
        run([telling], seen, Thresholds(connections_share=share)).findings[0].message
        for share in (0.1, 0.2)
    ]
    assert texts == ["0 tables, 0.1", "0 tables, 0.2"]


def test_where_a_source_cannot_be_had_it_cannot_be_had_for_the_same_reason() -> None:
    outcome = run([telling], Facts((alias({Tables: Unavailable("needs pg_monitor")}),)), Thresholds())
    assert [each.reason for each in outcome.not_run] == ["needs pg_monitor"]
    assert made == []


def test_one_that_breaks_costs_the_rules_that_ask_for_it_and_no_other() -> None:
    outcome = run([breaking, telling], Facts((alias({Tables: Tables(())}),)), Thresholds())
    assert [each.message for each in outcome.findings] == ["0 tables, 0.8"]
    (stopped,) = outcome.not_run
    assert stopped.reason == "a defect of django-dbaudit, please report it: KeyError: 'oops'"


def test_what_is_given_is_not_made() -> None:
    given = Counted(Tables(()))
    assert alias({Tables: Tables(()), Counted: given}).get(Counted) is given


def test_it_is_never_saved(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (id int PRIMARY KEY)")
    seen = facts.gather([scratch.alias], {Counted}, Config())
    (only,) = seen.aliases
    assert set(only.known) == {Server, Tables}
    seen.aliases[0].get(Counted)
    assert "Counted" not in facts.save(seen.having(Thresholds()))


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_comes_down_to_facts_that_can_be_gathered(rule: Rule) -> None:
    # A `Cluster` comes of all aliases together, once they have been looked at.
    assert rule.sources <= {*facts.ALL.values(), Thresholds, Cluster}


def test_rules_share_what_they_derive(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch.run("CREATE TABLE t (id int PRIMARY KEY)")
    asked: list[type[Any]] = []
    derive = AliasFacts._derive

    def counting(self: AliasFacts, kind: type[DerivedFact]) -> Any:
        asked.append(kind)
        return derive(self, kind)

    monkeypatch.setattr(AliasFacts, "_derive", counting)
    run(all_rules(), scratch.gather(), Thresholds())
    assert len(asked) == len(set(asked)) > 5
    assert Indexes not in asked
