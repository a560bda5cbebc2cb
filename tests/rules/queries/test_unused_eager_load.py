from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from django_dbaudit.traffic.facts import EagerLoadTraffic, Traffic, merge
from requests_posed import LIBRARY_LINE, LINE, MOVED, eager_load, findings, view

NAME = "unused-eager-load"


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(eager_load(loads=900, reads=1), id="followed once"),
        pytest.param(eager_load(site=LIBRARY_LINE), id="a library's own"),
    ],
)
def test_what_is_followed_at_times_is_left_alone(load: EagerLoadTraffic) -> None:
    assert findings(NAME, view(eager_loads=(load,))) == []


def test_a_fleet_in_which_one_request_followed_it_is_left_alone() -> None:
    never, once = view(eager_loads=(eager_load(),)), view(eager_loads=(eager_load(reads=1),))
    (found,) = merge(Traffic((never,)), Traffic((once,)), Traffic((never,))).views
    assert findings(NAME, found) == []


def test_what_nobody_follows_is_an_information() -> None:
    (finding,) = findings(NAME, view(eager_loads=(eager_load(),), requests=9))
    assert finding.severity is Severity.INFO
    assert finding.message == (
        "shop.views.cart (GET) loads author with each shop.Book, by select_related at shop/views.py:12, "
        "and follows it in none of 4 requests."
    )
    assert finding.location == LINE.location


def test_each_lookup_is_a_finding_of_its_own() -> None:
    loads = (
        eager_load(),
        eager_load(lookup="editor"),
        eager_load(method="prefetch_related", lookup="tags"),
    )
    found = findings(NAME, view(eager_loads=loads))
    assert len({each.fingerprint for each in found}) == 3


def test_it_is_the_same_finding_when_lines_move_and_numbers_change() -> None:
    (one,), (other,) = (
        findings(NAME, view(eager_loads=(eager_load(),))),
        findings(NAME, view(eager_loads=(eager_load(site=MOVED, requests=70),))),
    )
    assert one.fingerprint == other.fingerprint


def test_the_way_out_names_the_lookup_and_the_method() -> None:
    load = eager_load(method="prefetch_related", lookup="books__reviews")
    (finding,) = findings(NAME, view(eager_loads=(load,)))
    assert finding.fix
    assert "'books__reviews' out of prefetch_related()" in finding.fix.text
