"""What statements on record would lose with an index that a finding would have dropped."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from django_dbaudit import words
from django_dbaudit.derived import DerivedFact
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.plans import PlannedStatement, StatementPlans

#: Rules whose findings say of an index that it can go.
DROPS = frozenset(
    {"unused-index", "rarely-used-index", "duplicate-index", "redundant-index", "low-selectivity-index"}
)
#: A plan that costs so many times as much is another plan; less is the planner's rounding.
SLOWER = 1.2
#: Statements that are shown, and how much of each.
SHOWN, LENGTH = 3, 200


class WhatIf(DerivedFact):
    """Weighs findings with what the planner said of one database's statements."""

    def __init__(self, indexes: Indexes, plans: StatementPlans) -> None:
        self._plans = plans
        self._indexes = {index.qualified_name: index for index in indexes.items}
        self._users: dict[str, list[int]] = defaultdict(list)
        for number, item in enumerate(plans.items):
            scans = item.plan.scans if item.plan else ()
            for name in {f"{scan.schema}.{index}" for scan in scans for index in scan.indexes}:
                self._users[name].append(number)
        self._without = {(each.index_oid, each.statement): each.cost for each in plans.removals}

    def weigh(self, finding: Finding) -> Finding:
        """The finding with what is known; an information only, if statements would be slower."""
        index = self._indexes.get(finding.subject.name)
        if finding.name not in DROPS or index is None or not self._plans.planned:
            return finding
        users = self._users[finding.subject.name]
        slower = [number for number in users if self._is_slower(index, number)]
        if not users and not _is_sure(index):
            return finding
        evidence = {
            **finding.evidence,
            "statements_planned": self._plans.planned,
            "statements_using_it": len(users),
        }
        if self._plans.can_hide:
            evidence["statements_slower_without_it"] = [self._said(number) for number in slower[:SHOWN]]
        if not slower:
            return replace(finding, evidence=evidence)
        message = (
            f"{finding.message.removesuffix('.')}; but {words.count(len(slower), 'statement')} of the "
            f"{self._plans.planned:,} planned would cost more without it, the first "
            f"{self._cost(slower[0]):,.0f} → {self._without[index.oid, slower[0]]:,.0f}."
        )
        return replace(finding, evidence=evidence, message=message, severity=Severity.INFO)

    def _is_slower(self, index: Index, number: int) -> bool:
        without = self._without.get((index.oid, number))
        return without is not None and without > SLOWER * self._cost(number)

    def _cost(self, number: int) -> float:
        plan = self._item(number).plan
        return plan.cost if plan else 0.0

    def _said(self, number: int) -> str:
        text = self._item(number).text
        return text if len(text) <= LENGTH else f"{text[:LENGTH]}…"

    def _item(self, number: int) -> PlannedStatement:
        return self._plans.items[number]


def _is_sure(index: Index) -> bool:
    """Whether plans with made-up constants can tell that an index is of no use.

    Constants in an expression or a predicate are not on record, so statements with the true ones may
    well be planned with it.
    """
    return index.predicate is None and None not in index.columns
