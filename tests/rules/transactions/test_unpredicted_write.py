"""unpredicted-write: what traffic saw of a view, and reading its code did not tell."""

from __future__ import annotations

from typing import Any

import pytest

from django_dbaudit import audit
from django_dbaudit.audit import Audit
from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import Facts, Unavailable
from django_dbaudit.finding import Finding, Location, Severity
from django_dbaudit.project.effects.facts import Effects, ViewEffects
from django_dbaudit.project.effects.tree import Atomic, Node, Read, Sequence, Unresolved, Write
from django_dbaudit.project.views import View
from django_dbaudit.rule import get_rule
from django_dbaudit.traffic.facts import Traffic, ViewTraffic
from witness import requests, unit, way

PLACE = Location("orders/views.py", 10)
READ = Read("shop.Order", "shop_order", "default", "get", PLACE)
WRITE = Write("shop.Order", "shop_order", "default", "insert", "Model.save", PLACE)
LINE = Write("shop.Line", "shop_line", "default", "insert", "Model.save", PLACE)
BLOCK = Atomic(Sequence((WRITE, LINE)), "default", "project", PLACE)
UNRESOLVED = Unresolved("plugin.run", "not known what is called", PLACE)
IN_PIECES = way(unit("shop_order"), unit("shop_line", 24), requests=3)


def run(body: Node, traffic: Traffic | Unavailable) -> Audit:
    view = View(
        "orders.views.pay",
        "POST",
        "function",
        ("pay/",),
        is_third_party=False,
        is_async=False,
        location=PLACE,
    )
    known: dict[type[Any], Any] = {Effects: Effects((ViewEffects(view, body),)), Traffic: traffic}
    return audit.run([get_rule("unpredicted-write")], Facts((), known), Thresholds())


def findings(body: Node, *seen: ViewTraffic) -> tuple[Finding, ...]:
    return run(body, Traffic(seen)).findings


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        pytest.param(READ, requests(), id="nothing was written"),
        pytest.param(READ, requests(way(unit("django_session"))), id="a session"),
        pytest.param(READ, requests(way(unit("shop_visit", phase="middleware"))), id="a middleware"),
        pytest.param(READ, requests(way(unit("shop_order")), view="shop.views.x"), id="another view"),
        pytest.param(WRITE, requests(way(unit("shop_order"))), id="as predicted"),
        pytest.param(BLOCK, requests(way(unit("shop_order", kind="atomic"))), id="in its block"),
        pytest.param(Sequence((WRITE, LINE)), requests(IN_PIECES), id="predicted in pieces"),
        pytest.param(UNRESOLVED, requests(IN_PIECES), id="nothing was promised"),
        pytest.param(Sequence((WRITE, UNRESOLVED)), requests(IN_PIECES), id="nor here"),
    ],
)
def test_what_analysis_did_not_rule_out_is_left_alone(body: Node, seen: ViewTraffic) -> None:
    assert findings(body, seen) == ()


def test_a_write_of_a_view_that_reads_only_is_told() -> None:
    (finding,) = findings(READ, requests(way(unit("shop_order"))))
    assert finding.severity is Severity.INFO
    assert finding.message == (
        "orders.views.pay (POST) was seen to write: shop_order at orders/views.py:20. "
        "From its code we had read that it writes nothing."
    )
    assert [each.location for each in finding.related] == [Location("orders/views.py", 20)]


@pytest.mark.parametrize(
    ("body", "promise"),
    [(WRITE, "that it commits once at most"), (BLOCK, "that one transaction holds all it writes")],
)
def test_pieces_of_a_view_that_commits_once_are_told(body: Node, promise: str) -> None:
    (finding,) = findings(body, requests(IN_PIECES))
    assert "commit in 2 pieces, in 3 of 10 recorded requests: shop_order at orders/views.py:20; then" in (
        finding.message
    )
    assert finding.message.endswith(f"From its code we had read {promise}.")
    assert finding.evidence["traffic"] == "confirmed"


def test_without_traffic_it_does_not_run_and_says_why() -> None:
    outcome = run(READ, Unavailable("no traffic was recorded yet"))
    assert outcome.findings == ()
    assert [each.reason for each in outcome.not_run] == ["no traffic was recorded yet"]
