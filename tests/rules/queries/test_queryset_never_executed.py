from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from django_dbaudit.traffic.facts import QuerySetTraffic
from requests_posed import LIBRARY_LINE, LINE, MOVED, findings, queryset, view

NAME = "queryset-never-executed"


@pytest.mark.parametrize(
    "built",
    [
        pytest.param((queryset(built=2),), id="two"),
        pytest.param((queryset(built=5, requests=2),), id="two and a half in each request"),
        pytest.param((queryset(built=9), queryset("iteration")), id="one of ten is executed"),
        pytest.param((queryset(built=9, site=LIBRARY_LINE),), id="a library's own"),
    ],
)
def test_few_and_those_that_are_needed_at_times_are_left_alone(built: tuple[QuerySetTraffic, ...]) -> None:
    assert findings(NAME, view(querysets=built)) == []


def test_three_in_each_request_are_an_information() -> None:
    (finding,) = findings(NAME, view(querysets=(queryset(built=6, requests=2),), requests=5))
    assert finding.severity is Severity.INFO
    assert finding.message == (
        "shop.views.cart (GET) builds 6 querysets of shop.Book in 2 of 5 requests, at shop/views.py:12, "
        "and executes none."
    )
    assert finding.location == LINE.location


def test_it_is_the_same_finding_when_lines_move_and_numbers_change() -> None:
    (one,), (other,) = (
        findings(NAME, view(querysets=(queryset(built=3),))),
        findings(NAME, view(querysets=(queryset(built=8, site=MOVED),))),
    )
    assert one.fingerprint == other.fingerprint


def test_the_way_out_is_to_build_it_where_it_is_used() -> None:
    (finding,) = findings(NAME, view(querysets=(queryset(built=3),)))
    assert finding.fix
    assert "where it is used" in finding.fix.text
