"""What ``transactionreport`` promises: every view with its verdict, and no database asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.test import override_settings

import django_dbaudit.reports.json
from django_dbaudit import facts
from django_dbaudit.facts import Facts
from django_dbaudit.rule import all_rules
from django_dbaudit.traffic.facts import Traffic
from running import Result, command
from scratch import Scratch
from witness import requests, unit, way

SCHEMA = Path(django_dbaudit.reports.json.__file__).with_name("report.schema.json")


#: A facts file in which nothing was recorded, so that no store is asked.
NOTHING = Path(__file__).with_name("no_traffic.json")


def run(*arguments: object) -> Result:
    brings_its_own = {"--traffic", "--load-facts"}.intersection(map(str, arguments))
    return command("transactionreport", *arguments, *(() if brings_its_own else ("--traffic", NOTHING)))


def report(*arguments: object) -> Result:
    return run("--format", "json", *arguments)


def views(result: Result) -> dict[tuple[str, str], Any]:
    return {(each["view"], each["method"]): each for each in result.json["audited_views"]}


@pytest.fixture(scope="module")
def shop() -> Result:
    return report()


def test_the_report_follows_its_schema(shop: Result) -> None:
    jsonschema.validate(shop.json, json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize(
    ("view", "method", "verdict", "most"),
    [
        ("orders.views.counter", "GET", "reads-only", 0),
        ("flavors.views.like", "POST", "one-unit", 1),
        ("flavors.views.FlavorUpdate", "POST", "one-unit", 1),
        ("orders.views.checkout", "POST", "protected", 1),
        ("orders.views.serve", "POST", "protected", 1),
        ("flavors.views.FlavorCreate", "POST", "protected", 1),
        ("stock.views.deliver", "POST", "protected", 1),
        ("orders.api.OrderViewSet#create", "POST", "protected", 1),
        ("orders.api.OrderViewSet#cancel", "POST", "one-unit", 1),
        ("reviews.api.ReviewViewSet#create", "POST", "protected", 1),
        ("orders.admin.OrderAdmin.add_view", "POST", "one-unit", 1),
        ("orders.admin.OrderAdmin.delete_view", "POST", "one-unit", 1),
        ("orders.admin.OrderAdmin.changelist_view", "GET", "reads-only", 0),
        ("orders.views.checkout_in_pieces", "POST", "split", 3),
        ("reviews.views.PostReview", "POST", "split", 2),
        ("orders.views.export_and_mark", "POST", "split", None),
    ],
)
def test_each_view_of_the_shop_gets_its_verdict(
    shop: Result, view: str, method: str, verdict: str, most: int | None
) -> None:
    found = views(shop)[view, method]
    assert (found["verdict"], found["max_units"]) == (verdict, most)


def test_a_write_comes_with_the_path_from_the_view(shop: Result) -> None:
    first = views(shop)["orders.views.checkout_in_pieces", "POST"]["writes"][0]
    assert (first["table"], first["statement"], first["database"]) == ("orders_order", "insert", "default")
    assert [each["name"] for each in first["path"]] == [
        "orders.views.checkout_in_pieces",
        "orders.checkout.create_order",
    ]


def test_views_in_pieces_come_first(shop: Result) -> None:
    words = list(dict.fromkeys(each["verdict"] for each in shop.json["audited_views"]))
    assert words[0] == "split"
    assert words[-1] == "reads-only"


def test_without_traffic_nothing_is_said_of_it(shop: Result) -> None:
    assert {each["traffic"] for each in shop.json["audited_views"]} == {None}
    assert "requested" not in run("--view", "checkout_in_pieces").out


def test_one_view_alone_is_shown_with_its_steps() -> None:
    result = run("--view", "checkout_in_pieces")
    assert "INSERT orders_orderline  QuerySet.bulk_create" in result.out
    assert "export_and_mark" not in result.out


def test_a_verdict_and_a_package_narrow_the_list() -> None:
    found = views(report("--verdict", "split", "--app", "orders.views"))
    assert {name for name, _ in found} == {
        "orders.views.checkout_in_pieces",
        "orders.views.export_and_mark",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--view", "checkuot"), "Unknown view: 'checkuot'. Did you mean: "),
        (("--app", "nothing"), "Unknown package with views: 'nothing'."),
        (("--verdict", "good"), "--verdict is 'good'; it must be one of: split, "),
    ],
)
def test_what_does_not_exist_is_refused(arguments: tuple[str, ...], message: str) -> None:
    result = report(*arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """What a suite has recorded of one view of the shop, and of one that it has not."""
    pieces = way(unit("orders_order"), unit("orders_orderline"), requests=3, last_day="2026-11-21")
    seen = requests(pieces, number=5, view="orders.views.checkout_in_pieces")
    path = tmp_path / "traffic.json"
    path.write_text(facts.save(Facts((), {Traffic: Traffic((seen, requests(view="gone.views.away")))})))
    return path


def test_no_database_is_asked_where_the_traffic_comes_from_a_file(
    recorded: Path, django_db_blocker: object
) -> None:
    # The blocker, which pytest-django has put up, raises at the first connection.
    assert report("--verdict", "mixed", "--traffic", recorded).status == 0


def test_traffic_says_of_each_view_what_was_seen(recorded: Path) -> None:
    result = report("--traffic", recorded)
    jsonschema.validate(result.json, json.loads(SCHEMA.read_text()))
    assert views(result)["orders.views.checkout_in_pieces", "POST"]["traffic"] == {
        "word": "confirmed",
        "requests": 5,
        "requests_in_pieces": 3,
        "last_day": "2026-11-21",
        "tables": ["orders_order", "orders_orderline"],
    }
    assert views(result)["orders.views.counter", "GET"]["traffic"]["word"] == "never-requested"
    assert result.json["audited_views"][0]["view"] == "orders.views.checkout_in_pieces"


def test_the_table_tells_of_it(recorded: Path) -> None:
    rows = run("--view", "checkout_in_pieces", "--traffic", recorded).out
    assert "seen in 3 of 5" in rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "facts_version"),
        (facts.save(Facts()), "has no traffic. Record some with pytest --dbaudit-record FILE"),
        (
            facts.save(Facts((), {Traffic: facts.Unavailable("none")})),
            "has no traffic: none. Record",
        ),
    ],
)
def test_a_file_without_traffic_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "traffic.json"
    path.write_text(content)
    result = report("--traffic", path)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


def test_traffic_from_two_files_is_refused(recorded: Path) -> None:
    result = report("--traffic", recorded, "--load-facts", recorded)
    assert (result.status, result.out) == (2, "")
    assert "leave one of them out" in result.err


def test_a_urlconf_that_cannot_be_loaded_is_a_failure_and_no_pass() -> None:
    with override_settings(ROOT_URLCONF="no_such_urlconf"):
        result = report()
    assert result.status == 2
    assert "loading the URLconf no_such_urlconf failed: ModuleNotFoundError" in result.err
    of_code = [each.code for each in all_rules() if each.code.startswith("TXN")]
    assert [each["rule"] for each in result.json["not_run"]] == of_code


def test_what_was_saved_can_be_audited_elsewhere(tmp_path: Path, shop: Result, scratch: Scratch) -> None:
    facts = tmp_path / "facts.json"
    # Whoever saves facts saves them all, those of the server too.
    scratch.run("CREATE TABLE t (id bigint PRIMARY KEY)")
    report("--save-facts", facts, "--database", scratch.alias)
    assert report("--load-facts", facts).json["audited_views"] == shop.json["audited_views"]
