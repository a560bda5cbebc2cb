from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from django_dbaudit.traffic.facts import QuerySetTraffic
from requests_posed import LIBRARY_LINE, LINE, MOVED, findings, query, queryset, view

NAME = "rows-loaded-to-count"
UNREAD = {"fetched": 1, "unread": 1}


@pytest.mark.parametrize(
    "built",
    [
        pytest.param((queryset("len", fetched=1),), id="iterated afterwards"),
        pytest.param((queryset("bool", fetched=0),), id="no row ever came"),
        pytest.param((queryset("bool", built=9, fetched=3, unread=2),), id="iterated once of three times"),
        pytest.param((queryset("len", **UNREAD), queryset("iteration", fetched=1)), id="read elsewhere"),
        pytest.param((queryset("count"),), id="count()"),
        pytest.param((queryset("exists"),), id="exists()"),
        pytest.param((queryset("iteration", **UNREAD),), id="not by len() or truth"),
        pytest.param((queryset("len", **UNREAD, site=LIBRARY_LINE),), id="a library's own"),
        pytest.param((queryset(),), id="never executed"),
    ],
)
def test_rows_that_are_used_or_never_came_are_left_alone(built: tuple[QuerySetTraffic, ...]) -> None:
    assert findings(NAME, view(querysets=built)) == []


def test_a_loop_is_left_to_n_plus_one() -> None:
    loop = query(executions=5, most_executions=5, how="len")
    each = queryset("len", built=5, fetched=5, unread=5)
    assert findings(NAME, view(loop, querysets=(each,))) == []


@pytest.mark.parametrize(
    ("how", "message", "advice"),
    [
        ("len", "only to know how many there are.", "count()"),
        ("bool", "only to know whether there are any.", "exists()"),
    ],
)
def test_rows_that_nobody_looks_at_are_an_information(how: str, message: str, advice: str) -> None:
    (finding,) = findings(NAME, view(querysets=(queryset(how, **UNREAD),)))
    assert finding.severity is Severity.INFO
    assert finding.message == (
        f"shop.views.cart (GET) loads the rows of shop.Book from shop/views.py:12 {message}"
    )
    assert finding.location == LINE.location
    assert finding.fix
    assert advice in finding.fix.text


def test_requests_without_a_row_do_not_speak_for_those_with_some() -> None:
    assert len(findings(NAME, view(querysets=(queryset("bool", built=9, fetched=3, unread=3),)))) == 1


def test_it_is_the_same_finding_when_lines_move() -> None:
    (one,), (other,) = (
        findings(NAME, view(querysets=(queryset("len", **UNREAD),))),
        findings(NAME, view(querysets=(queryset("len", **UNREAD, site=MOVED),))),
    )
    assert one.fingerprint == other.fingerprint
