"""Remarks: of which lines a comment speaks."""

from __future__ import annotations

import textwrap

import pytest

from django_dbaudit.finding import Location
from django_dbaudit.project.effects import remarks
from django_dbaudit.project.effects.remarks import Remark

SAYS = "# dbaudit: ok TXN001 because of that"


def of(source: str) -> list[Remark]:
    return list(remarks.of_source(textwrap.dedent(source).encode(), "views.py"))


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (f"a = 1\nb = 2  {SAYS}\nc = 3", {2}),
        (f"a = 1\n{SAYS}\nb = 2\nc = 3", {3}),
        (f"save(\n    a,\n)  {SAYS}\nb = 2", {1, 2, 3}),
        (f"save(  {SAYS}\n    a,\n)\nb = 2", {1, 2, 3}),
        (f"@a\ndef view():  {SAYS}\n    b = 1\n    c = 2\nd = 3", {1, 2, 3, 4}),
        (f"@a  {SAYS}\ndef view():\n    b = 1\nd = 3", {1, 2, 3}),
        (f"class View:  {SAYS}\n    def post(self):\n        b = 1\nd = 3", {1, 2, 3}),
        (f"def view():\n    with a:  {SAYS}\n        b = 1\n    c = 2", {2, 3}),
        (f"def view():\n    b = 1  {SAYS}\n    c = 2", {2}),
        (f"if a:\n    b = 1\nelse:\n    c = 2  {SAYS}", {4}),
    ],
)
def test_a_remark_speaks_of_its_statement_or_of_the_block_that_it_heads(
    source: str, lines: set[int]
) -> None:
    (remark,) = of(source)
    covered = {line for line in range(1, 20) if remark.covers(Location("views.py", line))}
    assert covered == lines


def test_it_speaks_of_no_other_file() -> None:
    (remark,) = of(f"a = 1  {SAYS}")
    assert not remark.covers(Location("models.py", 1))


def test_rules_and_reason_are_read_apart() -> None:
    (remark,) = of("a = 1  # dbaudit: OK TXN001, lost-update because it is  so ")
    assert (remark.rules, remark.reason) == (("TXN001", "lost-update"), "it is  so")


def test_a_text_is_no_comment_and_a_broken_file_has_none() -> None:
    assert of(f"a = {SAYS!r}") == []
    assert of(f"def (:  {SAYS}") == []
    assert list(remarks.of_source(b"\x00\xff", "views.py")) == []
