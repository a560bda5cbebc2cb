"""Rules over facts: which of them speak up, and which could not look."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django_dbaudit import derived
from django_dbaudit.analysis import suppressions
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.analysis.suppressions import Suppressions
from django_dbaudit.analysis.what_if import DROPS, WhatIf
from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import OF_SCHEMA, OF_THE_CODE, SHARED, AliasFacts, Facts, Unavailable
from django_dbaudit.finding import Finding, NotRun, worst_first
from django_dbaudit.postgres.server import Server
from django_dbaudit.rule import Rule

logger = logging.getLogger("django_dbaudit")


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of it. ``failures`` are the reasons, if any, why we could not look as asked."""

    findings: tuple[Finding, ...]
    not_run: tuple[NotRun, ...]
    failures: tuple[str, ...]
    #: Findings that a comment in the code answers.
    suppressed: tuple[Finding, ...] = ()


def needed_facts(rules: Iterable[Rule]) -> set[type[Any]]:
    """The kinds of facts to gather for these rules, and to weigh their findings with."""
    rules = list(rules)
    kinds = {kind for rule in rules for kind in rule.sources if kind is not Thresholds}
    if any(rule.name in DROPS for rule in rules):
        kinds |= derived.sources(WhatIf)
    return kinds


def run(rules: Sequence[Rule], facts: Facts, thresholds: Thresholds) -> Audit:
    """Run each rule once for each alias, or once if it asks for nothing that an alias has of its own.

    Findings come out worst first. What several rules derive from the facts is worked out once for each
    alias; what a replica has from its primary is told there alone.
    """
    facts = facts.having(thresholds)
    runner = _Runner(facts.of_code)
    for rule in rules:
        if is_of_code(rule):
            runner.run(rule, facts.of_code)
    for alias in facts.aliases:
        for rule in rules:
            if not is_of_code(rule) and not _is_told_at_primary(rule, alias):
                runner.run(rule, alias)
    return runner.audit()


def _is_told_at_primary(rule: Rule, alias: AliasFacts) -> bool:
    cluster: Cluster = alias.get(Cluster)
    if cluster.primary is None or rule.per_server:
        return False
    return not set(rule.sources).isdisjoint(OF_SCHEMA)


def is_of_code(rule: Rule) -> bool:
    """Whether the rule judges the code, or what it was seen to do, whatever the database."""
    kinds = needed_facts([rule])
    return bool(kinds) and kinds <= set(SHARED)


class _Runner:
    def __init__(self, code: AliasFacts) -> None:
        self._code = code
        self._outcomes: list[Finding | NotRun] = []
        # Keys alone: one failure often stops many rules.
        self._failures: dict[str, None] = {}
        #: Of the code and of databases, those that some rule could look at.
        self._seen: set[str] = set()

    def run(self, rule: Rule, alias: AliasFacts) -> None:
        try:
            arguments = self._arguments(rule, alias)
            if isinstance(arguments, Unavailable):
                self._add(alias, [rule.not_run(arguments.reason)])
                return
            self._seen.add("code" if alias.database is OF_THE_CODE else "database")
            # Whole before any of it counts: half a rule's findings would pass for all of them.
            outcomes = list(rule.function(**arguments))
            self._add(alias, _weighed(alias, outcomes) if rule.name in DROPS else outcomes)
        except Exception as error:  # one rule's defect must not cost the other findings
            logger.debug("rule %s failed", rule.name, exc_info=True)
            reason = f"a defect of django-dbaudit, please report it: {type(error).__name__}: {error}"
            self._failures[f"{_named(alias)}{rule.code} {rule.name}: {reason}."] = None
            self._add(alias, [rule.not_run(reason)])

    def audit(self) -> Audit:
        findings = [each for each in self._outcomes if isinstance(each, Finding)]
        answered: list[Finding] = []
        known = self._code.get(Suppressions)
        if not isinstance(known, Unavailable):
            findings, answered = suppressions.split(findings, known)
        not_run = [each for each in self._outcomes if isinstance(each, NotRun)]
        of_databases = [each for each in not_run if each.database]
        unseen = of_databases or not_run
        if unseen and ("database" if of_databases else "code") not in self._seen and not self._failures:
            # Green for ever, else, is the build whose settings name the wrong database.
            reasons = dict.fromkeys(
                f"{each.database}: {each.reason}" if each.database else each.reason for each in unseen
            )
            self._failures[f"Nothing was audited; {', '.join(reasons)}."] = None
        suppressed = (dataclasses.replace(each, status="suppressed") for each in answered)
        return Audit(
            findings=tuple(sorted(findings, key=worst_first)),
            not_run=tuple(not_run),
            failures=tuple(self._failures),
            suppressed=tuple(sorted(suppressed, key=worst_first)),
        )

    def _add(self, alias: AliasFacts, outcomes: Iterable[Finding | NotRun]) -> None:
        if alias.database is OF_THE_CODE:
            # Of the code a finding may name the alias itself.
            self._outcomes += outcomes
        else:
            name = alias.database.alias
            self._outcomes += [dataclasses.replace(each, database=name) for each in outcomes]

    def _arguments(self, rule: Rule, alias: AliasFacts) -> dict[str, Any] | Unavailable:
        """What the rule's function takes, by name; or why it cannot have it."""
        arguments: dict[str, Any] = {}
        for name, kind in rule.needs.items():
            fact = (self._code if kind in SHARED else alias).get(kind)
            if isinstance(fact, Unavailable):
                if fact.failed:
                    self._failures[f"{_named(alias)}{fact.reason}."] = None
                return fact
            arguments[name] = fact
        server = alias.get(Server)
        if isinstance(server, Server) and server.version < rule.min_server_version:
            return Unavailable(f"needs PostgreSQL {rule.min_server_version // 10000}")
        return arguments


def _named(alias: AliasFacts) -> str:
    return "" if alias.database is OF_THE_CODE else f"{alias.database.alias}: "


def _weighed(alias: AliasFacts, outcomes: Sequence[Finding | NotRun]) -> Sequence[Finding | NotRun]:
    """Held against the statements on record, where there are any: they are evidence, not a need."""
    judge = alias.get(WhatIf)
    if isinstance(judge, Unavailable):
        return outcomes
    return [judge.weigh(each) if isinstance(each, Finding) else each for each in outcomes]
