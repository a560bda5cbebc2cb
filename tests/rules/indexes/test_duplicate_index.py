from __future__ import annotations

from scratch import Scratch


def names(scratch: Scratch) -> list[str]:
    return [finding.subject.name for finding in scratch.findings("duplicate-index")]


def test_another_column_is_no_duplicate(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int, b int)", "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_b ON t (b)")
    assert names(scratch) == []


def test_the_younger_of_two_equals_is_named(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int)", "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_copy ON t (a)")
    assert names(scratch) == ["public.t_a_copy"]
