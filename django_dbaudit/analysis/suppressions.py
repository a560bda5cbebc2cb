"""Findings that a comment in the code answers: ``# dbaudit: ok TXN001 because …``."""

from __future__ import annotations

from collections.abc import Iterable

from django_dbaudit.derived import DerivedFact
from django_dbaudit.finding import Finding, Location
from django_dbaudit.project.effects.facts import Effects


class Suppressions(DerivedFact):
    """What the authors of the code have answered already."""

    __slots__ = ("_remarks",)

    def __init__(self, effects: Effects) -> None:
        # Without a reason it is a finding of its own, and answers nothing.
        self._remarks = [each for each in effects.remarks if each.reason]

    def answer(self, finding: Finding) -> bool:
        """Whether a remark speaks of where the finding is, or of all but one of the writes it is about.

        With one write that is meant to be apart, two pieces are one.
        """
        if not self._remarks:
            return False
        words = {finding.rule.lower(), finding.name}
        own = [each for each in self._remarks if not words.isdisjoint(map(_plain, each.rules))]

        def is_covered(place: Location | None) -> bool:
            return place is not None and any(remark.covers(place) for remark in own)

        lines = [each.location for each in finding.related if each.kind == "line"]
        if all(map(is_covered, [finding.location, *lines])):
            return True
        writes = [each.location for each in finding.related if each.kind == "write"]
        left = [place for place in writes if not is_covered(place)]
        return len(left) < len(writes) and len(left) <= 1


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")


def split(findings: Iterable[Finding], known: Suppressions) -> tuple[list[Finding], list[Finding]]:
    """Those that stay, and those that are answered."""
    stay: list[Finding] = []
    answered: list[Finding] = []
    for each in findings:
        (answered if known.answer(each) else stay).append(each)
    return stay, answered
