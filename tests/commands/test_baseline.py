"""Write a baseline, pass; add a defect, and fail with only that one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from running import Result, command
from scratch import Scratch

pytestmark = pytest.mark.usefixtures("no_views")


@pytest.fixture
def shop(scratch: Scratch) -> Scratch:
    scratch.run(
        "CREATE TABLE flavor (id bigint PRIMARY KEY, title text, price int)",
        "CREATE INDEX flavor_title ON flavor (title)",
        "CREATE INDEX flavor_title_copy ON flavor (title)",
    )
    return scratch


@pytest.fixture
def baseline(shop: Scratch, tmp_path: Path) -> Path:
    file = tmp_path / "baseline.json"
    assert audit(shop, "--write-baseline", file).status == 0
    return file


def audit(shop: Scratch, *arguments: object) -> Result:
    return command("dbaudit", "--database", shop.alias, "--format", "json", *arguments)


def subjects(result: Result, key: str = "findings") -> list[str]:
    return [finding["subject"]["name"] for finding in result.json[key]]


def test_what_the_baseline_knows_does_not_fail(shop: Scratch, baseline: Path) -> None:
    result = audit(shop, "--baseline", baseline)
    assert (result.status, subjects(result)) == (0, [])
    assert subjects(result, "known") == ["public.flavor_title_copy"]
    assert [each["status"] for each in result.json["known"]] == ["known"]


def test_a_new_defect_fails_and_is_the_only_one_shown(shop: Scratch, baseline: Path) -> None:
    shop.run(
        "CREATE INDEX flavor_price ON flavor (price)", "CREATE INDEX flavor_price_copy ON flavor (price)"
    )
    result = audit(shop, "--baseline", baseline)
    assert (result.status, subjects(result)) == (1, ["public.flavor_price_copy"])
    assert [each["status"] for each in result.json["findings"]] == ["new"]
    assert result.json["summary"] == {"error": 0, "warning": 1, "info": 0}


def test_a_rebuilt_and_grown_index_is_still_the_known_one(shop: Scratch, baseline: Path) -> None:
    shop.run(
        "INSERT INTO flavor SELECT n, 'flavor ' || n, n FROM generate_series(1, 5000) AS n",
        "DROP INDEX flavor_title_copy",
        "CREATE INDEX flavor_title_copy ON flavor (title)",
    )
    assert audit(shop, "--baseline", baseline).status == 0


def test_an_entry_that_matches_nothing_any_more_is_told(shop: Scratch, baseline: Path) -> None:
    shop.run("DROP INDEX flavor_title_copy")
    result = audit(shop, "--baseline", baseline)
    assert result.status == 0
    assert "1 entry of the baseline matches nothing any more" in result.err


def test_a_baseline_may_be_refreshed_in_one_run(shop: Scratch, baseline: Path) -> None:
    shop.run(
        "CREATE INDEX flavor_price ON flavor (price)", "CREATE INDEX flavor_price_copy ON flavor (price)"
    )
    assert audit(shop, "--baseline", baseline, "--write-baseline", baseline).status == 0
    assert audit(shop, "--baseline", baseline).status == 0


def test_a_baseline_can_be_read_and_diffed_line_by_line(shop: Scratch, baseline: Path) -> None:
    lines = baseline.read_text().splitlines()
    assert len([line for line in lines if "fingerprint" in line]) == 1
    assert json.loads(baseline.read_text())["findings"][0]["subject"] == "index public.flavor_title_copy"


def test_no_baseline_is_written_when_we_could_not_look(scratch: Scratch, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    result = audit(scratch, "--write-baseline", file)
    assert result.status == 2
    assert "The baseline was not written." in result.err
    assert not file.exists()


def test_a_run_of_some_rules_does_not_call_the_others_findings_gone(shop: Scratch, baseline: Path) -> None:
    result = audit(shop, "--baseline", baseline, "--select", "IDX003")
    assert (result.status, result.err) == (0, "")


def test_the_first_baseline_is_written_where_the_setting_has_it(
    shop: Scratch, tmp_path: Path, settings: Any
) -> None:
    file = tmp_path / "first.json"
    settings.DBAUDIT = {"BASELINE": str(file)}
    assert audit(shop, "--write-baseline", file).status == 0
    assert audit(shop).status == 0
