"""Findings that the code answers."""

from __future__ import annotations

from collections.abc import Sequence

from django_dbaudit.analysis.suppressions import Suppressions
from django_dbaudit.finding import Finding, Location, Related, Severity, Subject
from django_dbaudit.project.effects.facts import Effects
from django_dbaudit.project.effects.remarks import Remark


def at(line: int) -> Location:
    return Location("views.py", line)


def remark(line: int, rules: Sequence[str] = ("TXN001",), reason: str = "it must stay") -> Remark:
    return Remark(at(line), line, line, tuple(rules), reason)


def finding(*related: tuple[str, int]) -> Finding:
    return Finding(
        rule="TXN001",
        name="split-writes",
        severity=Severity.WARNING,
        subject=Subject("view", "views.pay"),
        message="",
        location=at(1),
        related=tuple(Related(kind, "", at(line)) for kind, line in related),
    )


def answers(found: Finding, *remarks: Remark) -> bool:
    return Suppressions(Effects((), remarks=remarks)).answer(found)


def test_without_a_remark_there_is_no_answer() -> None:
    assert not answers(finding(("write", 2), ("write", 3)))


def test_a_remark_on_another_line_of_another_rule_or_without_a_reason_answers_nothing() -> None:
    found = finding(("write", 2), ("write", 3))
    assert not answers(found, remark(9), remark(1, ["TXN002"]), remark(1, reason=""))


def test_a_remark_at_the_view_answers_it() -> None:
    assert answers(finding(("write", 2), ("write", 3)), remark(1))
    assert answers(finding(("write", 2), ("write", 3)), remark(1, ["Split_Writes"]))


def test_of_two_pieces_one_that_is_meant_is_enough_and_of_three_two() -> None:
    assert answers(finding(("write", 2), ("write", 3)), remark(3))
    three = finding(("write", 2), ("write", 3), ("write", 4))
    assert not answers(three, remark(3))
    assert answers(three, remark(3), remark(4))


def test_a_defect_on_several_lines_needs_an_answer_on_each() -> None:
    assert not answers(finding(("line", 5)), remark(1))
    assert answers(finding(("line", 5)), remark(1), remark(5))
