"""The registry, and what a rule says of itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from django_dbaudit.analysis.correspondence import Correspondence
from django_dbaudit.analysis.declared_columns import Columns
from django_dbaudit.errors import AuditError
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.migrations import MigrationIndexes
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.rule import all_rules, get_rule, select_rules


def names(select: Sequence[str] = (), ignore: Sequence[str] = ()) -> list[str]:
    return [rule.name for rule in select_rules(select, ignore)]


def test_nothing_selected_is_everything_in_the_order_of_codes() -> None:
    codes = [rule.code for rule in select_rules([], [])]
    assert codes == sorted(codes)
    assert len(codes) == len(all_rules())


def test_a_name_is_no_prefix() -> None:
    with pytest.raises(AuditError, match="Unknown rule: 'duplicate'"):
        names(["duplicate"])


def test_a_prefix_of_a_code_stands_for_all_that_begin_with_it() -> None:
    assert set(names(["ACT"])) == {
        "idle-in-transaction",
        "long-running-query",
        "blocked-session",
        "connections-near-limit",
    }


@pytest.mark.parametrize("word", ["duplicate-index", "DUPLICATE_INDEX", "IDX002", "idx002"])
def test_names_and_codes_are_taken_as_people_write_them(word: str) -> None:
    assert names([word]) == ["duplicate-index"]
    assert get_rule(word).code == "IDX002"


def test_ignore_goes_before_select() -> None:
    assert names(["IDX002", "IDX003"], ["duplicate-index"]) == ["redundant-index"]


def test_one_rule_is_not_named_by_a_prefix() -> None:
    with pytest.raises(AuditError, match="Unknown rule: 'IDX'"):
        get_rule("IDX")


def test_what_a_rule_needs_is_what_its_function_takes() -> None:
    assert get_rule("undeclared-index").needs == {
        "correspondence": Correspondence,
        "columns": Columns,
        "migrations": MigrationIndexes,
    }


def test_what_a_derived_fact_is_made_from_is_what_the_rule_comes_down_to() -> None:
    assert get_rule("undeclared-index").sources == {Indexes, Tables, DeclaredIndexes, MigrationIndexes}
