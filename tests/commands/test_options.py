"""What every command promises about its options; ``dbaudit`` stands for all."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from running import Result, command
from scratch import Scratch

pytestmark = pytest.mark.usefixtures("no_views")


@pytest.fixture
def shop(scratch: Scratch) -> Scratch:
    """A database with one duplicate index, a warning, and nothing else to find."""
    scratch.run(
        "CREATE TABLE flavor (id bigint PRIMARY KEY, title text)",
        "CREATE INDEX flavor_title ON flavor (title)",
        "CREATE INDEX flavor_title_copy ON flavor (title)",
    )
    return scratch


def audit(shop: Scratch, *arguments: object) -> Result:
    return command("dbaudit", "--database", shop.alias, "--format", "json", *arguments)


def codes(result: Result) -> list[str]:
    return [finding["rule"] for finding in result.json["findings"]]


def test_a_database_without_defects_is_status_0(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id bigint PRIMARY KEY)")
    result = audit(scratch)
    assert (result.status, codes(result)) == (0, [])


def test_a_warning_is_status_1(shop: Scratch) -> None:
    result = audit(shop)
    assert (result.status, codes(result)) == (1, ["IDX002"])


@pytest.mark.parametrize(("fail_on", "status"), [("info", 1), ("warning", 1), ("error", 0), ("never", 0)])
def test_fail_on_says_from_which_severity_on_the_status_is_1(
    shop: Scratch, fail_on: str, status: int
) -> None:
    result = audit(shop, "--fail-on", fail_on)
    assert (result.status, codes(result)) == (status, ["IDX002"])


def test_fail_on_may_stand_in_the_setting(shop: Scratch, settings: Any) -> None:
    settings.DBAUDIT = {"FAIL_ON": "error"}
    assert audit(shop).status == 0


@pytest.mark.parametrize("word", ["IDX002", "idx002", "IDX", "duplicate-index", "ACT,IDX002"])
def test_select_takes_codes_their_beginnings_and_names(shop: Scratch, word: str) -> None:
    assert codes(audit(shop, "--select", word)) == ["IDX002"]


def test_select_leaves_out_all_others(shop: Scratch) -> None:
    result = audit(shop, "--select", "IDX003", "--select", "ACT")
    assert (result.status, codes(result)) == (0, [])


@pytest.mark.parametrize("word", ["IDX002", "duplicate-index", "IDX"])
def test_ignore_leaves_a_rule_out(shop: Scratch, word: str) -> None:
    assert codes(audit(shop, "--ignore", word)) == []


def test_ignore_may_stand_in_the_setting(shop: Scratch, settings: Any) -> None:
    settings.DBAUDIT = {"IGNORE": ["duplicate-index"]}
    assert codes(audit(shop)) == []


def test_a_rule_that_could_not_look_is_named_and_never_passed_off_as_passed(shop: Scratch) -> None:
    (entry,) = [each for each in audit(shop).json["not_run"] if each["rule"] == "IDX001"]
    assert "needs 30 days" in entry["reason"]


def test_output_goes_to_a_file_and_leaves_stdout_empty(shop: Scratch, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    result = audit(shop, "--output", file)
    assert result.out == ""
    assert '"IDX002"' in file.read_text()
    assert list(tmp_path.iterdir()) == [file]


def test_output_may_be_a_device(shop: Scratch) -> None:
    result = audit(shop, "--output", "/dev/null")
    assert (result.status, result.out) == (1, "")


def test_databases_may_be_repeated_and_are_audited_once_each(shop: Scratch) -> None:
    result = audit(shop, "--database", "server", "--database", shop.alias)
    assert [each["alias"] for each in result.json["databases"]] == [shop.alias, "server"]


def test_saved_facts_give_the_same_report_without_a_server(shop: Scratch, tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    live = audit(shop, "--select", "IDX", "--save-facts", file)
    shop.run("DROP TABLE flavor")
    again = command("dbaudit", "--load-facts", file, "--select", "IDX", "--format", "json")
    assert live.out == again.out


def test_saved_facts_are_for_their_owners_eyes(shop: Scratch, tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    audit(shop, "--save-facts", file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_saved_facts_serve_rules_that_were_not_selected(shop: Scratch, tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    audit(shop, "--select", "ACT", "--save-facts", file)
    again = command("dbaudit", "--load-facts", file, "--format", "json", "--select", "IDX002")
    assert codes(again) == ["IDX002"]


def test_explain_prints_a_rules_page_without_markup() -> None:
    result = command("dbaudit", "--explain", "IDX002")
    assert result.status == 0
    assert result.out.startswith(
        "IDX002 duplicate-index\nwarning\n\nTwo indexes that serve the same queries"
    )
    assert "``" not in result.out
    assert "How to fix it." in result.out
    assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(shop: Scratch, enabled: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        audit(shop)
        command("dbaudit", "--database", "nowhere")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()
