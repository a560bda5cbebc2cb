from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from django_dbaudit.traffic.facts import WriteUnit
from requests_posed import MOVED, committed, findings, unit, view

NAME = "split-commits"
BLOCK = unit("shop_line", kind="atomic")


@pytest.mark.parametrize(
    "units",
    [
        pytest.param((BLOCK,), id="one block"),
        pytest.param((BLOCK, unit("django_session")), id="the session"),
        pytest.param((BLOCK, unit("django_admin_log")), id="the admin's log"),
        pytest.param((BLOCK, unit("shop_visit", phase="middleware")), id="a middleware's"),
        pytest.param((BLOCK, unit("shop_event", alias="events")), id="two databases"),
        pytest.param((unit("shop_order", kind="request"),), id="ATOMIC_REQUESTS"),
    ],
)
def test_one_block_with_what_is_not_its_own_beside_it_is_left_alone(units: tuple[WriteUnit, ...]) -> None:
    assert findings(NAME, view(commits=(committed(*units),))) == []


def test_bare_statements_are_left_to_autocommit_writes() -> None:
    assert findings(NAME, view(commits=(committed(unit("shop_order"), unit("shop_line")),))) == []


@pytest.mark.parametrize("kind", ["atomic", "django", "library", "request", "manual"])
def test_a_statement_beside_a_block_of_any_kind_is_a_warning(kind: str) -> None:
    (finding,) = findings(
        NAME, view(commits=(committed(unit("shop_order"), unit("shop_line", kind=kind)),))
    )
    assert finding.severity is Severity.WARNING
    assert finding.evidence["tables"] == ["shop_line", "shop_order"]


def test_two_blocks_that_write_to_one_table_are_an_information() -> None:
    (finding,) = findings(NAME, view(commits=(committed(BLOCK, BLOCK),)))
    assert finding.severity is Severity.INFO


def test_a_block_in_a_loop_is_named() -> None:
    loop = committed(unit("shop_line", kind="atomic", is_repeated=True), most_units=7, requests=2)
    (finding,) = findings(NAME, view(commits=(loop,), requests=4))
    assert finding.message == (
        "shop.views.cart (GET) commits in 7 pieces, some of them in a transaction, in 2 of 4 requests: "
        "shop_line at shop/views.py:12 in a loop."
    )


def test_what_was_rolled_back_and_what_failed_is_told() -> None:
    pieces = committed(unit("shop_order"), BLOCK, rolled_back=2, failed_requests=1)
    (finding,) = findings(NAME, view(commits=(pieces,)))
    assert (finding.evidence["rolled_back"], finding.evidence["failed_requests"]) == (2, 1)


def test_it_is_the_same_finding_when_lines_move() -> None:
    before = view(commits=(committed(unit("shop_order"), BLOCK),))
    after = view(commits=(committed(unit("shop_order", site=MOVED), BLOCK),))
    (one,), (other,) = findings(NAME, before), findings(NAME, after)
    assert one.fingerprint == other.fingerprint
    assert one.location != other.location


def test_the_way_out_is_one_outer_block() -> None:
    (finding,) = findings(NAME, view(commits=(committed(unit("shop_order"), BLOCK),)))
    assert finding.fix
    assert "one outer with transaction.atomic()" in finding.fix.text
