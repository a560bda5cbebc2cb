from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from django_dbaudit.traffic.facts import WriteUnit
from requests_posed import MOVED, OTHER_LINE, committed, findings, unit, view

NAME = "autocommit-writes"


@pytest.mark.parametrize(
    "units",
    [
        pytest.param((unit("shop_order"),), id="one statement"),
        pytest.param((unit("shop_order"), unit("django_session")), id="the session"),
        pytest.param((unit("shop_order"), unit("django_admin_log")), id="the admin's log"),
        pytest.param((unit("shop_order"), unit("shop_visit", phase="middleware")), id="a middleware's"),
        pytest.param((unit("shop_order"), unit("shop_event", alias="events")), id="two databases"),
        pytest.param((unit("shop_visit", phase="middleware", is_repeated=True),), id="a middleware's loop"),
    ],
)
def test_one_piece_with_what_is_not_its_own_beside_it_is_left_alone(units: tuple[WriteUnit, ...]) -> None:
    assert findings(NAME, view(commits=(committed(*units),))) == []


def test_pieces_of_which_one_is_a_block_are_left_to_split_commits() -> None:
    pieces = committed(unit("shop_order"), unit("shop_line", kind="atomic"))
    assert findings(NAME, view(commits=(pieces,))) == []


def test_two_tables_are_a_warning() -> None:
    (finding,) = findings(NAME, view(commits=(committed(unit("shop_order"), unit("shop_line")),)))
    assert finding.severity is Severity.WARNING
    assert finding.subject.kind == "view"
    assert finding.subject.method == "GET"


def test_a_loop_over_one_table_is_an_information() -> None:
    loop = committed(unit("shop_order", is_repeated=True), most_units=4)
    (finding,) = findings(NAME, view(commits=(loop,)))
    assert finding.severity is Severity.INFO
    assert "commits in 4 pieces" in finding.message
    assert "shop_order at shop/views.py:12 in a loop" in finding.message


def test_two_pieces_in_one_of_two_databases_are_named_without_the_other() -> None:
    pieces = committed(unit("shop_order"), unit("shop_line"), unit("shop_event", alias="events"))
    (finding,) = findings(NAME, view(commits=(pieces,)))
    assert finding.evidence["tables"] == ["shop_line", "shop_order"]


def test_the_ways_of_one_view_are_told_together_by_the_one_with_most_tables() -> None:
    ways = (
        committed(unit("shop_order"), unit("shop_order"), requests=3),
        committed(unit("shop_order"), unit("shop_line"), unit("shop_bill", site=OTHER_LINE), requests=2),
    )
    (finding,) = findings(NAME, view(commits=ways, requests=9))
    assert finding.evidence["tables"] == ["shop_bill", "shop_line", "shop_order"]
    assert finding.message == (
        "shop.views.cart (GET) commits in 3 pieces, each statement by itself, in autocommit, in 5 of 9 "
        "requests: shop_order at shop/views.py:12; then shop_line at shop/views.py:12; then shop_bill at "
        "shop/views.py:20."
    )
    assert [each.location and each.location.line for each in finding.related] == [12, 12, 20]


def test_it_is_the_same_finding_when_lines_move_and_a_table_joins() -> None:
    before = view(commits=(committed(unit("shop_order"), unit("shop_line")),))
    after = view(commits=(committed(unit("shop_order", site=MOVED), unit("shop_bill"), requests=3),))
    (one,), (other,) = findings(NAME, before), findings(NAME, after)
    assert one.fingerprint == other.fingerprint


def test_the_way_out_is_one_block() -> None:
    (finding,) = findings(NAME, view(commits=(committed(unit("shop_order"), unit("shop_line")),)))
    assert finding.fix
    assert "transaction.atomic()" in finding.fix.text
