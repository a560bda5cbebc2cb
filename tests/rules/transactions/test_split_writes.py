"""split-writes: what a view commits in pieces, and what it only seems to."""

from __future__ import annotations

from typing import Any

import pytest

from django_dbaudit import audit
from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import Facts
from django_dbaudit.finding import Finding, Location, Severity
from django_dbaudit.project.effects.facts import Effects, ViewEffects
from django_dbaudit.project.effects.tree import Atomic, Call, Node, Sequence, Write
from django_dbaudit.project.views import UrlProblem, View
from django_dbaudit.rule import get_rule
from django_dbaudit.traffic.facts import Traffic, ViewTraffic
from witness import requests, unit, way

PLACE = Location("orders/views.py", 10)


def write(table: str, line: int = 20, **changes: Any) -> Write:
    values = {"model": f"shop.{table}", "alias": "default", "statement": "insert", "how": "Model.save"}
    return Write(**{**values, "table": table, "location": Location("orders/views.py", line), **changes})


def findings(*steps: Node, traffic: Traffic | None = None, **about: Any) -> tuple[Finding, ...]:
    values = {"name": "orders.views.pay", "method": "POST", "kind": "function", "routes": ("pay/",)}
    view = View(**{**values, "is_third_party": False, "is_async": False, "location": PLACE, **about})
    body = Call(view.name, Sequence(steps), PLACE)
    known: dict[type[Any], Any] = {Effects: Effects((ViewEffects(view, body),))}
    if traffic is not None:
        known[Traffic] = traffic
    return audit.run([get_rule("split-writes")], Facts((), known), Thresholds()).findings


def test_one_write_is_left_alone() -> None:
    assert findings(write("order")) == ()


def test_writes_in_one_block_are_left_alone() -> None:
    both = Sequence((write("order"), write("line")))
    assert findings(Atomic(both, "default", "project", PLACE)) == ()


def test_writes_on_two_aliases_are_left_alone_because_no_transaction_holds_both() -> None:
    assert findings(write("order"), write("log", alias="archive")) == ()


def test_bookkeeping_of_the_frameworks_is_left_alone() -> None:
    session = write("django_session", model="sessions.Session")
    last_login = write("auth_user", fields=("last_login",))
    assert findings(session, last_login) == ()


def test_a_view_of_an_installed_package_is_left_to_its_authors() -> None:
    steps = (write("order", origin="package"), write("line", origin="package"))
    assert findings(*steps, is_third_party=True) == ()


def test_a_receiver_of_the_projects_makes_a_packages_view_ours() -> None:
    steps = (write("order", origin="package"), write("line", 24))
    assert len(findings(*steps, is_third_party=True)) == 1


def test_two_tables_in_two_pieces_are_a_warning_that_says_where_the_block_goes() -> None:
    (finding,) = findings(write("order", 20), write("line", 24))
    assert finding.severity is Severity.WARNING
    assert (finding.subject.kind, finding.subject.name, finding.subject.method) == (
        "view",
        "orders.views.pay",
        "POST",
    )
    assert finding.evidence["max_units"] == 2
    assert finding.location == PLACE
    assert [each.location for each in finding.related] == [
        Location("orders/views.py", 20),
        Location("orders/views.py", 24),
    ]
    assert finding.fix is not None
    assert finding.fix.text == (
        "In orders.views.pay, put with transaction.atomic(): around orders/views.py:20 to 24."
    )


@pytest.mark.parametrize(
    "second", [write("order", 24), write("django_session", 24, model="sessions.Session")]
)
def test_one_table_of_the_projects_is_an_information(second: Write) -> None:
    (finding,) = findings(write("order"), second)
    assert finding.severity is Severity.INFO


def test_another_alias_is_named_in_the_fix() -> None:
    (finding,) = findings(write("order", alias="archive"), write("line", 24, alias="archive"))
    assert finding.fix is not None
    assert 'transaction.atomic(using="archive")' in finding.fix.text


IN_PIECES = (write("order"), write("line", 24))
BOTH = (unit("shop_order"), unit("shop_line", 24))


def test_without_traffic_nothing_is_said_of_it() -> None:
    (finding,) = findings(*IN_PIECES)
    assert finding.message.endswith("An error after the first keeps it without the rest.")
    assert not [name for name in finding.evidence if name.startswith("traffic")]


@pytest.mark.parametrize(
    ("seen", "word", "sentence"),
    [
        (requests(view="orders.views.other"), "never-requested", "It was never requested while traffic"),
        (requests(method="GET"), "never-requested", "It was never requested while traffic"),
        (requests(way(unit("shop_order"))), "not-seen", "Not seen in 10 recorded requests."),
        (
            requests(way(unit("shop_order"), unit("django_session"))),
            "not-seen",
            "Not seen in 10 recorded requests.",
        ),
        (
            requests(way(unit("shop_order"), unit("shop_visit", phase="middleware")), number=1),
            "not-seen",
            "Not seen in 1 recorded request.",
        ),
        (
            requests(way(*BOTH, requests=4, last_day="2026-11-21")),
            "confirmed",
            "Confirmed: seen in 4 of 10 recorded requests, last on 2026-11-21 (shop_line, shop_order).",
        ),
        (
            requests(way(*BOTH, requests=4), way(*BOTH, unit("shop_log"), requests=2)),
            "confirmed",
            "Confirmed: seen in 6 of 10 recorded requests (shop_line, shop_log, shop_order).",
        ),
    ],
)
def test_traffic_confirms_or_does_not(seen: ViewTraffic, word: str, sentence: str) -> None:
    (finding,) = findings(*IN_PIECES, traffic=Traffic((seen,)))
    assert finding.evidence["traffic"] == word
    assert sentence in finding.message


def test_routes_of_one_view_are_counted_together() -> None:
    several = Traffic((requests(way(*BOTH)), requests(way(*BOTH), route="pay/again/")))
    (finding,) = findings(*IN_PIECES, traffic=several)
    assert finding.evidence["traffic_requests_in_pieces"] == 2
    assert finding.evidence["traffic_requests"] == 20


def test_head_is_answered_by_what_answers_get() -> None:
    (finding,) = findings(*IN_PIECES, method="GET", traffic=Traffic((requests(way(*BOTH), method="HEAD"),)))
    assert finding.evidence["traffic"] == "confirmed"


def test_traffic_is_no_part_of_what_tells_a_finding_from_others() -> None:
    (before,) = findings(*IN_PIECES)
    (after,) = findings(*IN_PIECES, traffic=Traffic((requests(way(*BOTH)),)))
    assert before.fingerprint == after.fingerprint


def test_a_urlconf_that_hides_its_views_is_told() -> None:
    seen = Effects((), (UrlProblem("shop.urls", "ImportError: no module named cart"),))
    outcome = audit.run([get_rule("split-writes")], Facts((), {Effects: seen}), Thresholds())
    (not_run,) = outcome.not_run
    assert not_run.reason == (
        "only in part: the views of shop.urls are not known, because it cannot be loaded: "
        "ImportError: no module named cart"
    )
    assert not outcome.failures
