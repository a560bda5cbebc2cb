from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from requests_posed import (
    LIBRARY_LINE,
    LINE,
    MOVED,
    OTHER_LINE,
    TEMPLATE_LINE,
    findings,
    query,
    queryset,
    view,
)

NAME = "duplicate-query"
TWICE = {"executions": 2, "most_executions": 2, "duplicates": 1, "how": "get"}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"duplicates": 0}, id="other parameters"),
        pytest.param({"site": LIBRARY_LINE}, id="a library's own"),
        pytest.param({"kind": "lock"}, id="a lock, which means to look again"),
        pytest.param({"how": "relation"}, id="two objects that follow a relation to one row"),
        pytest.param({"how": "deferred-field"}, id="two objects of one row"),
        pytest.param({"how": "prefetch"}, id="two lookups with the same keys"),
    ],
)
def test_what_nobody_asks_again_by_himself_is_left_alone(given: dict[str, object]) -> None:
    assert findings(NAME, view(query(**{**TWICE, **given}))) == []


def test_a_queryset_that_is_evaluated_twice_is_left_to_its_own_rule() -> None:
    again = queryset("count", "count", repeats=1)
    assert findings(NAME, view(query(**{**TWICE, "how": "count"}), querysets=(again,))) == []


def test_a_loop_is_left_to_n_plus_one() -> None:
    loop = query(how="get", executions=6, most_executions=6, duplicates=2)
    assert findings(NAME, view(loop, query(**TWICE, site=OTHER_LINE))) == []


def test_a_second_time_is_an_information() -> None:
    (finding,) = findings(NAME, view(query(**TWICE), requests=4))
    assert finding.severity is Severity.INFO
    assert finding.message == (
        "shop.views.cart (GET) asks what it was told before: 1 time in 1 of 4 requests, at "
        "shop/views.py:12: SELECT id FROM book WHERE author_id = ?."
    )
    assert finding.location == LINE.location


def test_ten_times_in_each_request_are_a_warning() -> None:
    def severity(duplicates: int) -> Severity:
        times = {"executions": duplicates + 2, "most_executions": 11, "duplicates": duplicates}
        (finding,) = findings(NAME, view(query(how="get", requests=2, **times)))
        return finding.severity

    assert (severity(19), severity(20)) == (Severity.INFO, Severity.WARNING)


def test_a_template_that_asks_again_is_named_at_its_line() -> None:
    (finding,) = findings(NAME, view(query(**TWICE, site=TEMPLATE_LINE)))
    assert finding.location == TEMPLATE_LINE.location


def test_it_is_the_same_finding_when_lines_move() -> None:
    (one,), (other,) = (
        findings(NAME, view(query(**TWICE))),
        findings(NAME, view(query(**TWICE, site=MOVED))),
    )
    assert one.fingerprint == other.fingerprint


def test_the_way_out_is_to_keep_the_answer() -> None:
    (finding,) = findings(NAME, view(query(**TWICE)))
    assert finding.fix
    assert "cached_property" in finding.fix.text


def test_a_line_beside_it_that_asks_once_is_left_alone() -> None:
    (finding,) = findings(NAME, view(query(**TWICE), query(site=OTHER_LINE, fingerprint="SELECT 1")))
    assert finding.location == LINE.location
