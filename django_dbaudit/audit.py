"""Rules over facts: which of them speak up, and which could not look."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
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


def needed_facts(rules: Iterable[Rule]) -> set[type[Any]]:
    """The kinds of facts that these rules take."""
    return {kind for rule in rules for kind in rule.needs.values() if kind is not Thresholds}


def run(rules: Sequence[Rule], facts: Facts, thresholds: Thresholds) -> Audit:
    """Run each rule once for each alias; findings come out worst first."""
    findings: list[Finding] = []
    not_run: list[NotRun] = []
    failures: dict[str, None] = {}
    for alias in facts.aliases:
        for rule in rules:
            for outcome in _outcomes(rule, alias, thresholds, failures):
                stamped = dataclasses.replace(outcome, database=alias.database.alias)
                if isinstance(stamped, Finding):
                    findings.append(stamped)
                else:
                    not_run.append(stamped)
    return Audit(tuple(sorted(findings, key=worst_first)), tuple(not_run), tuple(failures))


def _outcomes(
    rule: Rule, alias: AliasFacts, thresholds: Thresholds, failures: dict[str, None]
) -> Iterator[Finding | NotRun]:
    arguments: dict[str, Any] = {}
    for name, kind in rule.needs.items():
        fact = thresholds if kind is Thresholds else alias.get(kind)
        if isinstance(fact, Unavailable):
            if fact.failed:
                failures[f"{alias.database.alias}: {fact.reason}."] = None
            yield rule.not_run(fact.reason)
            return
        arguments[name] = fact
    server = alias.get(Server)
    if isinstance(server, Server) and server.version < rule.min_server_version:
        yield rule.not_run(f"needs PostgreSQL {rule.min_server_version // 10000}")
        return
    try:
        # Whole before any of it counts: half a rule's findings would pass for all of them.
        outcomes = list(rule.function(**arguments))
    except Exception as error:  # one rule's defect must not cost the other findings
        logger.debug("rule %s failed", rule.name, exc_info=True)
        reason = f"a defect of django-dbaudit, please report it: {type(error).__name__}: {error}"
        failures[f"{alias.database.alias}: {rule.code} {rule.name}: {reason}."] = None
        yield rule.not_run(reason)
        return
    yield from outcomes
