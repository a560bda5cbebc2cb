"""An index that statements would miss is not called droppable without a word."""

from __future__ import annotations

import pytest

from advice import available, can_hide, needs, plans, prepare, record
from django_dbaudit.analysis.what_if import WhatIf
from django_dbaudit.finding import Finding, Severity, Subject
from django_dbaudit.postgres.indexes import Indexes
from scratch import Scratch

pytestmark = needs("hypopg")

NARROW = "CREATE INDEX narrow ON sale (customer)"
WIDE = "CREATE INDEX wide ON sale (customer, code)"
LOOK = "SELECT * FROM sale WHERE customer = 5"


@pytest.fixture
def sales(scratch: Scratch) -> Scratch:
    return prepare(scratch, "hypopg")


def weighed(scratch: Scratch, name: str, index: str) -> Finding:
    finding = Finding(
        "IDX000",
        name,
        Severity.WARNING,
        Subject("index", f"public.{index}"),
        "It can go.",
        {"size_bytes": 1},
    )
    return WhatIf(scratch.fact(Indexes), plans(scratch)).weigh(finding)


def test_an_index_that_another_stands_in_for_can_still_go(sales: Scratch) -> None:
    sales.run(NARROW, WIDE)
    record(sales, LOOK)
    both = [weighed(sales, "redundant-index", name) for name in ("narrow", "wide")]
    assert sorted(each.evidence["statements_using_it"] for each in both) == [0, 1]  # type: ignore[type-var]  # they are numbers
    for found in both:
        assert found.severity is Severity.WARNING
        assert found.message == "It can go."
        assert not found.evidence.get("statements_slower_without_it")


def test_an_index_that_no_statement_is_planned_with_can_go(sales: Scratch) -> None:
    sales.run("CREATE INDEX lonely ON sale (price)")
    record(sales, LOOK)
    found = weighed(sales, "unused-index", "lonely")
    assert found.severity is Severity.WARNING
    assert found.evidence["statements_using_it"] == 0
    assert found.evidence["size_bytes"] == 1


def test_an_index_that_statements_need_is_only_an_information(sales: Scratch) -> None:
    if not can_hide():
        pytest.skip("HypoPG before 1.4 hides no index")
    sales.run(NARROW)
    record(sales, LOOK)
    found = weighed(sales, "unused-index", "narrow")
    assert found.severity is Severity.INFO
    assert "but 1 statement of the" in found.message
    assert found.evidence["statements_slower_without_it"] == ["SELECT * FROM sale WHERE customer = $1"]


def test_where_constants_decide_nothing_is_claimed(sales: Scratch) -> None:
    """The statement may well be planned with the index when its constant is the predicate's."""
    sales.run("CREATE INDEX late ON sale (customer) WHERE price = 1999")
    record(sales, "SELECT * FROM sale WHERE customer = 5 AND price = 1999")
    assert set(weighed(sales, "unused-index", "late").evidence) == {"size_bytes"}


def test_other_findings_stay_as_they_are(sales: Scratch) -> None:
    sales.run(NARROW)
    record(sales, LOOK)
    assert set(weighed(sales, "invalid-index", "narrow").evidence) == {"size_bytes"}


def test_the_audit_weighs_what_rules_find(sales: Scratch) -> None:
    assert "hypopg" in available()
    sales.run(NARROW, WIDE)
    record(sales, LOOK)
    (finding,) = sales.findings("redundant-index")
    assert finding.evidence["statements_planned"] == 1
