"""What ``queryreport`` promises: the views that cost most first, and each line of one asked for."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from django_dbaudit.errors import AuditError
from django_dbaudit.management.traffic_selection import narrowed, parse
from django_dbaudit.reports import FORMATS
from django_dbaudit.traffic.facts import Traffic, merge
from kept import Kept, line, whole_view
from requests_posed import query, view
from running import Result, command
from scratch import Scratch

TODAY = datetime.now(timezone.utc).date()


@pytest.fixture
def kept(scratch: Scratch, settings: Any) -> Kept:
    """A store with two views in it, of which ``slow`` costs more and ``cart`` has a loop."""
    settings.DBAUDIT = {"STORE": scratch.alias}
    store = Kept(scratch)
    slow = query(site=line(70), fingerprint="SELECT slow", executions=3, requests=3, microseconds=5_000_000)
    loop = query(executions=9, most_executions=9, requests_with_3=1, microseconds=800)
    store.add(
        view(slow, view="shop.views.slow", requests=3, executions=3, query_microseconds=5_000_000),
        view(loop, executions=9, most_executions=9, query_microseconds=800),
        day=TODAY,
    )
    return store


def report(*arguments: object) -> Result:
    return command("queryreport", *arguments)


def test_nothing_recorded_is_no_good_news(scratch: Scratch, settings: Any) -> None:
    settings.DBAUDIT = {"STORE": scratch.alias}
    result = report("--database", scratch.alias)
    assert result.status == 2
    assert "migrate django_dbaudit" in result.err
    Kept(scratch)
    result = report("--database", scratch.alias)
    assert result.status == 2
    assert "first in MIDDLEWARE" in result.err


def test_views_come_by_the_time_they_cost_the_database(kept: Kept) -> None:
    result = report("--format", "json")
    assert [each["view"] for each in result.json["views"]] == ["shop.views.slow", "shop.views.cart"]
    shown = report().out
    assert shown.index("shop.views.slow") < shown.index("shop.views.cart")
    assert "2 views, 4 requests" in shown
    assert "4 requests, 12 queries, 5,001 ms in them." in shown


def test_findings_stand_below_and_set_the_status(kept: Kept) -> None:
    result = report("--format", "json")
    assert result.status == 1
    assert {each["name"] for each in result.json["findings"]} == {"n-plus-one", "slow-call-site"}
    assert report("--fail-on", "never").status == 0


def test_the_lines_of_a_view_are_shown_when_it_is_asked_for(kept: Kept) -> None:
    everything = report().out
    assert "SELECT id FROM book" not in everything.split("WARNING")[0]
    result = report("--view", "views.cart")
    assert "shop.views.slow" not in result.out
    table = result.out.split("WARNING")[0]
    assert "shop/views.py:12" in table
    assert "SELECT id FROM book WHERE author_id = ?" in table
    assert "cart/; 1 request" in table


def test_an_unknown_view_is_told_with_those_that_are_like_it(kept: Kept) -> None:
    result = report("--view", "shop.views.card")
    assert result.status == 2
    assert (
        result.err
        == "No traffic of a view 'shop.views.card'. Did you mean: shop.views.cart, shop.views.slow?"
    )


def test_what_json_prints_is_valid_and_whole(kept: Kept) -> None:
    kept.add(whole_view(view="whole"), day=TODAY)
    printed = report("--format", "json").json
    schema = resources.files("django_dbaudit.reports").joinpath("report.schema.json")
    jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(printed)
    assert len(printed["call_sites"]) == 4
    whole = next(each for each in printed["views"] if each["view"] == "whole")
    assert all(whole[part] for part in ("querysets", "eager_loads", "commits"))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_can_say_it(kept: Kept, name: str) -> None:
    kept.add(whole_view(view="whole"), day=TODAY)
    result = report("--format", name, "--view", "whole", "--fail-on", "never")
    assert (result.status, result.err) == (0, "")
    assert result.out


def test_since_counts_only_later_days(kept: Kept) -> None:
    kept.add(view(query(), view="shop.views.old"), day=TODAY - timedelta(days=3))
    assert {each["view"] for each in report("--format", "json").json["views"]} >= {"shop.views.old"}
    for since in ("3d", TODAY.isoformat()):
        found = report("--since", since, "--format", "json").json["views"]
        assert {each["view"] for each in found} == {"shop.views.slow", "shop.views.cart"}
    assert len(report("--since", "4d", "--format", "json").json["views"]) == 3


def test_nothing_since_then_is_said(kept: Kept) -> None:
    kept.scratch.run("UPDATE django_dbaudit_recordedview SET day = day - 9")
    result = report("--since", "2d")
    assert result.status == 2
    assert f"No traffic was recorded since {TODAY - timedelta(days=1)}" in result.err


@pytest.mark.parametrize(
    "given", ["", "yesterday", "7", "-7d", "0d", "٣d", "2026-13-01", "20261120", "999999d", "9999-12-31"]
)
def test_a_day_that_is_none_is_refused(given: str) -> None:
    today = date(2026, 11, 22)
    with pytest.raises(AuditError, match="such as 2026-11-22, or a number of days, such as 7d"):
        parse({"view": None, "since": given, "load_facts": None}, today)


def test_a_file_of_facts_has_no_days(tmp_path: Path) -> None:
    result = report("--load-facts", tmp_path / "x", "--since", "7d")
    assert (result.status, "does not tell one day from another" in result.err) == (2, True)


def test_the_same_is_said_of_saved_facts(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    before = report("--format", "json", "--database", "default", "--save-facts", path).json
    kept.scratch.run("TRUNCATE django_dbaudit_recordedview")
    after = report("--format", "json", "--load-facts", path).json
    for each in ("findings", "views", "call_sites"):
        assert after[each] == before[each]
    assert json.loads(path.read_text())["code"]["Traffic"]["fact"]["views"]


def test_no_server_is_woken_for_what_the_store_alone_tells(kept: Kept) -> None:
    result = report("--database", "default", "--format", "json")
    assert result.json["databases"][0]["server_version"] is None


def test_only_the_queries_to_an_alias_count_when_it_is_asked_for() -> None:
    both = whole_view(
        queries=(query(executions=2), query(alias="replica", executions=5, most_executions=5))
    )
    alone = view(query(alias="replica"), view="alone")
    (found,) = narrowed(Traffic((both, alone)), ["default"]).views
    assert (found.executions, found.most_executions, len(found.queries)) == (2, 1, 1)
    assert len(found.commits) == 1
    assert narrowed(Traffic((both, alone)), []) == Traffic((both, alone))
    assert merge(narrowed(Traffic((both,)), ["default", "replica"])) == merge(Traffic((both,)))


def test_routes_of_one_view_are_one_row(kept: Kept) -> None:
    kept.add(view(query(), route="basket/", executions=1), day=TODAY)
    rows = [each for each in report().out.split("WARNING")[0].splitlines() if "shop.views.cart" in each]
    assert len(rows) == 1


def test_dbaudit_judges_the_traffic_too(kept: Kept) -> None:
    result = command("dbaudit", "--database", kept.scratch.alias, "--select", "QRY", "--format", "json")
    assert {each["name"] for each in result.json["findings"]} == {"n-plus-one", "slow-call-site"}
    assert {each["database"] for each in result.json["findings"]} == {None}


def test_a_name_that_would_write_to_the_terminal_does_not(kept: Kept) -> None:
    kept.add(view(query(fingerprint="SELECT '\x1b[31m'"), view="odd"), day=TODAY)
    assert "\x1b" not in report("--view", "odd").out
