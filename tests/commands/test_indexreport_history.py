"""What ``indexreport`` shows of the records: only where there is something to tell."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from importlib import resources
from typing import Any

import jsonschema
import pytest
from django.core.management import call_command

from django_dbaudit.analysis.records import Past
from django_dbaudit.management import index_history
from recording import Diary
from running import Result, command
from scratch import Scratch

TABLE = "CREATE TABLE t AS SELECT g AS a, g AS b FROM generate_series(1, 2000) AS g"
SCHEMA = json.loads((resources.files("django_dbaudit.reports") / "report.schema.json").read_text())


@pytest.fixture
def diary(scratch: Scratch, settings: Any) -> Diary:
    settings.DBAUDIT = {"STORE": scratch.alias}
    call_command("migrate", "django_dbaudit", "0001", database=scratch.alias, verbosity=0)
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_b ON t (b)")
    return Diary(scratch)


def report(diary: Diary, *arguments: object) -> Result:
    result = command("indexreport", "--database", diary.scratch.alias, "--select", "IDX004", *arguments)
    assert (result.status, result.err) == (0, "")
    return result


def as_json(diary: Diary, *arguments: object) -> Any:
    found = report(diary, "--format", "json", *arguments).json
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def history(diary: Diary, name: str) -> Any:
    return next(each["history"] for each in as_json(diary)["indexes"] if each["name"] == name)


def test_without_records_nothing_is_shown_of_them(diary: Diary) -> None:
    shown = report(diary, "--table", "t").out
    assert "First seen" not in shown
    assert "came and went" not in report(diary).out
    assert as_json(diary)["index_changes"] == []
    assert history(diary, "t_a") is None


def test_an_index_of_the_beginning_has_no_first_sight(diary: Diary) -> None:
    diary.write(99, {"t_a": 0, "t_b": 0})
    assert "First seen" not in report(diary, "--table", "t").out
    assert history(diary, "t_a")["is_original"] is True


def test_a_new_index_shows_since_when_it_is_there(diary: Diary) -> None:
    diary.write(90, {"t_a": 0})
    diary.write(95, {"t_a": 0, "t_b": 0})
    day = f"{diary.moment(95):%Y-%m-%d}"
    assert f"First seen {day}" in report(diary, "--table", "t").out
    found = history(diary, "t_b")
    assert (found["is_original"], found["first_seen_at"][:10]) == (False, day)


def test_what_came_and_went_is_listed(diary: Diary) -> None:
    diary.write(90, {"t_a": 3})
    diary.scratch.run("DROP INDEX t_a")
    shown = report(diary).out
    assert "Indexes that came and went in the last 30 days" in shown
    assert f"gone, last seen {diary.moment(90):%Y-%m-%d}" in shown
    changes = {each["name"]: each for each in as_json(diary)["index_changes"]}
    assert (changes["t_a"]["change"], changes["t_a"]["scans"]) == ("gone", 3)
    assert changes["t_b"]["change"] == "new"


def test_what_went_long_ago_is_in_the_json_alone(diary: Diary) -> None:
    diary.write(10, {"t_a": 3, "t_b": 0})
    diary.scratch.run("DROP INDEX t_a")
    assert "t_a" not in report(diary).out
    assert "t_a" in [each["name"] for each in as_json(diary)["index_changes"]]


def test_a_rebuilt_index_neither_came_nor_went(diary: Diary) -> None:
    diary.write(90, {"t_a": 3})
    diary.scratch.run("DROP INDEX t_a", "CREATE INDEX t_a ON t (a)")
    assert "t_a" not in [each["name"] for each in as_json(diary)["index_changes"]]


def test_partitions_come_and_go_without_a_word(diary: Diary) -> None:
    diary.write(90, {"t_a": 0, "t_b": 0})
    diary.scratch.run(
        "CREATE TABLE p (a int) PARTITION BY LIST (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
        "CREATE INDEX p_a ON p (a)",
    )
    names = [each["name"] for each in as_json(diary)["index_changes"]]
    assert "p_a" in names
    assert "p1_a_idx" not in names


@pytest.mark.parametrize("narrow", [["--table", "t"], ["--unused"]])
def test_what_is_not_asked_for_does_not_look_gone(diary: Diary, narrow: list[str]) -> None:
    diary.write(90, {"t_a": 0, "t_b": 0, "django_migrations_pkey": 0})
    assert "came and went" not in report(diary, *narrow).out
    assert as_json(diary, *narrow)["index_changes"] == []


def test_many_changes_do_not_bury_the_report(diary: Diary) -> None:
    diary.write(90, {"t_a": 0, "t_b": 0})
    diary.scratch.run("".join(f"CREATE INDEX t_{n} ON t (a);" for n in range(30)))
    shown = report(diary).out
    assert "in the last 30 days; 20 of 4" in shown


def test_a_use_that_ended_is_told(diary: Diary) -> None:
    for day in range(60, 101):
        diary.write(day - 0.1, {"t_a": min(day, 93) * 50, "t_b": day * 50})
    found = as_json(diary)["indexes"]
    (ended,) = [each["history"] for each in found if each["name"] == "t_a"]
    # The server's own counters are nought: to the records they were reset.
    assert ended["scans_per_day"] == 0
    assert round(ended["scans_per_day_before"]) == 50
    shown = report(diary, "--table", "t").out
    assert "Trend 0 a day, 50 before" in shown


def past(recent: float | None, earlier: float | None) -> Past:
    return Past(
        scans=0,
        last_scan=None,
        first_seen_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        is_original=True,
        recent_rate=recent,
        earlier_rate=earlier,
    )


@pytest.mark.parametrize(
    ("recent", "earlier", "told"),
    [
        (None, None, ""),
        (5, None, ""),
        (100, 120, ""),
        (0.2, 0, ""),
        (0, 0.5, ""),
        (0, 310, "0 a day, 310 before"),
        (3, 310.4, "3.0 a day, 310 before"),
        (1_000_000, 20, "1,000,000 a day, 20 before"),
    ],
)
def test_only_a_great_change_is_a_trend(recent: float | None, earlier: float | None, told: str) -> None:
    assert index_history.trend(past(recent, earlier)) == told
