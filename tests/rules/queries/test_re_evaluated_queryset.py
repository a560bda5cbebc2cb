from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from django_dbaudit.traffic.facts import QuerySetTraffic
from requests_posed import LIBRARY_LINE, LINE, MOVED, findings, queryset, view

NAME = "re-evaluated-queryset"


@pytest.mark.parametrize(
    "built",
    [
        pytest.param(queryset("iteration", built=5, executions=5), id="five of them, once each"),
        pytest.param(queryset("iteration", "iteration"), id="other conditions, or a write between"),
        pytest.param(queryset("count", "slice", repeats=1), id="a paginator's count and its page"),
        pytest.param(queryset("slice", "slice", "slice", repeats=2), id="one page after another"),
        pytest.param(queryset("count", "count", repeats=1, site=LIBRARY_LINE), id="a library's own"),
        pytest.param(queryset(), id="one that is never executed"),
    ],
)
def test_what_does_not_ask_for_the_same_rows_is_left_alone(built: QuerySetTraffic) -> None:
    assert findings(NAME, view(querysets=(built,))) == []


def test_count_and_then_the_rows_is_an_information() -> None:
    (finding,) = findings(NAME, view(querysets=(queryset("count", "iteration", repeats=1),)))
    assert finding.severity is Severity.INFO
    assert finding.message == (
        "shop.views.cart (GET) executes the queryset of shop.Book from shop/views.py:12 2 times in one "
        "request: count, then iteration."
    )
    assert finding.location == LINE.location


def test_three_times_are_a_warning() -> None:
    (finding,) = findings(NAME, view(querysets=(queryset("index", "index", "index", repeats=2),)))
    assert finding.severity is Severity.WARNING


def test_what_became_of_those_of_one_line_is_told_by_the_worst() -> None:
    ways = (queryset("count", "iteration", repeats=1), queryset("first", "len", "iteration", repeats=2))
    (finding,) = findings(NAME, view(querysets=(*ways, queryset("iteration"))))
    assert "3 times in one request: first, then len, then iteration." in finding.message
    assert finding.evidence["built"] == 2


def test_it_is_the_same_finding_when_lines_move() -> None:
    hows = ("exists", "iteration")
    (one,), (other,) = (
        findings(NAME, view(querysets=(queryset(*hows, repeats=1),))),
        findings(NAME, view(querysets=(queryset(*hows, repeats=4, site=MOVED),))),
    )
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("hows", "advice"),
    [
        (("index", "index"), "in a list before indexing"),
        (("count", "count", "bool"), "Count once, and keep the number"),
        (("count", "iteration"), "len() of the evaluated queryset"),
        (("exists", "iteration"), "truth of the evaluated queryset"),
        (("iteration", "iteration"), "do not clone it"),
    ],
)
def test_the_advice_fits_what_was_done(hows: tuple[str, ...], advice: str) -> None:
    (finding,) = findings(NAME, view(querysets=(queryset(*hows, repeats=1),)))
    assert finding.fix
    assert advice in finding.fix.text
