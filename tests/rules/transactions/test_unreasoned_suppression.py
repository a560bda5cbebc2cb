"""unreasoned-suppression: remarks that silence nothing; and those that do."""

from __future__ import annotations

import pytest

from django_dbaudit import audit
from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import Facts
from django_dbaudit.finding import Finding
from django_dbaudit.project.effects import remarks
from django_dbaudit.project.effects.facts import Effects
from django_dbaudit.rule import get_rule


def told(source: str) -> tuple[Finding, ...]:
    found = tuple(remarks.of_source(source.encode(), "shop/views.py"))
    facts = Facts((), {Effects: Effects((), remarks=found)})
    return audit.run([get_rule("unreasoned-suppression")], facts, Thresholds()).findings


@pytest.mark.parametrize(
    "source",
    [
        "a = 1  # dbaudit: ok TXN001 because the log has to stay",
        "a = 1  # dbaudit: ok split-writes because the log has to stay",
        "a = 1  # dbaudit: ok TXN001, TXN013 because the log has to stay",
        "a = '# dbaudit: ok TXN001'",
        "a = 1  # about dbaudit: ok",
        "def broken(:  # dbaudit: ok TXN001",
    ],
)
def test_a_remark_with_a_reason_and_what_is_no_remark_are_left_alone(source: str) -> None:
    assert told(source) == ()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("a = 1  # dbaudit: ok TXN001", "gives no reason for TXN001"),
        ("a = 1  # dbaudit: ok TXN001 because", "gives no reason for TXN001"),
        ("a = 1  # dbaudit: ok TXN999 because of that", "names no rule: TXN999"),
        ("a = 1  # dbaudit: ignore", "cannot be understood"),
    ],
)
def test_the_others_are_told_where_they_stand(source: str, says: str) -> None:
    (finding,) = told(source)
    assert says in finding.message
    assert str(finding.location) == "shop/views.py:1"
