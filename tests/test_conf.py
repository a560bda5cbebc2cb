from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.test import override_settings

from django_dbaudit.conf import FAIL_ON, Config, Thresholds, get_config, parse
from django_dbaudit.errors import AuditError

TIMEOUTS = ("STATEMENT_TIMEOUT", "LOCK_TIMEOUT", "CONNECT_TIMEOUT")
FLOATS = [each.name.upper() for each in dataclasses.fields(Thresholds) if each.type == "float"]
WHOLE = [each.name.upper() for each in dataclasses.fields(Thresholds) if each.type == "int"]
SHARES = [name for name in FLOATS if name.endswith("_SHARE")]


def refusal(value: object) -> str:
    with pytest.raises(AuditError) as raised:
        parse(value)
    return str(raised.value)


# What is taken.


def test_nothing_need_be_set() -> None:
    assert parse({}) == Config()


def test_every_key_can_be_set() -> None:
    config = parse(
        {
            "SELECT": ["IDX", "ACT001"],
            "IGNORE": ("unused-index",),
            "FAIL_ON": "never",
            "BASELINE": "dbaudit.json",
            "STATEMENT_TIMEOUT": 2.5,
            "LOCK_TIMEOUT": 1,
            "CONNECT_TIMEOUT": 3,
            "RECORD": False,
            "PROJECT_PATHS": ["/srv/shared"],
            "PGSTATTUPLE_MEGABYTES": 0,
            "THRESHOLDS": {"CONNECTIONS_SHARE": 0.5, "UNINDEXED_FOREIGN_KEY_ROWS": 7},
        }
    )
    assert config == Config(
        select=("IDX", "ACT001"),
        ignore=("unused-index",),
        fail_on="never",
        baseline="dbaudit.json",
        statement_timeout=2.5,
        lock_timeout=1,
        connect_timeout=3,
        record=False,
        project_paths=("/srv/shared",),
        pgstattuple_megabytes=0,
        thresholds=Thresholds(connections_share=0.5, unindexed_foreign_key_rows=7),
    )


@pytest.mark.parametrize("word", FAIL_ON)
def test_each_severity_and_never_may_be_what_fails(word: str) -> None:
    assert parse({"FAIL_ON": word}).fail_on == word


@pytest.mark.parametrize("name", [*FLOATS, *WHOLE])
@pytest.mark.parametrize("value", [0, 1])
def test_nought_and_one_are_in_bounds_for_every_threshold(name: str, value: int) -> None:
    assert getattr(parse({"THRESHOLDS": {name: value}}).thresholds, name.lower()) == value


@pytest.mark.parametrize("name", TIMEOUTS)
@pytest.mark.parametrize("value", [0.001, 2_147_483])
def test_the_ends_of_a_timeouts_range_belong_to_it(name: str, value: float) -> None:
    assert getattr(parse({name: value}), name.lower()) == value


# What is refused.


@pytest.mark.parametrize("value", [None, [], "IDX", 5])
def test_the_setting_must_be_a_dict(value: object) -> None:
    assert refusal(value) == f"DBAUDIT is {value!r}; it must be a dict with upper-case keys."
    expected = f"DBAUDIT['THRESHOLDS'] is {value!r}; it must be a dict with upper-case keys."
    assert refusal({"THRESHOLDS": value}) == expected


@pytest.mark.parametrize("key", ["select", "SELCT", "thresholds", "", 5, None])
def test_an_unknown_key_names_the_known_ones(key: object) -> None:
    assert refusal({key: []}) == (
        f"DBAUDIT has an unknown key {key!r}; it may have: BASELINE, CONNECT_TIMEOUT, FAIL_ON, "
        "FLUSH_SECONDS, HISTORY_DAYS, IGNORE, KEEP_TRAFFIC, LOCK_TIMEOUT, PGSTATTUPLE_MEGABYTES, "
        "PLANNED_STATEMENTS, PLANNING_TIMEOUT, PROJECT_PATHS, RECORD, SAMPLE_SHARE, SELECT, SERVER_TIMING, "
        "STATEMENT_TIMEOUT, STORE, TAG_QUERIES, THRESHOLDS, TRAFFIC_DAYS."
    )


def test_an_unknown_threshold_names_the_known_ones() -> None:
    message = refusal({"THRESHOLDS": {"PATIENCE": 1}})
    known = ", ".join(sorted([*FLOATS, *WHOLE]))
    assert message == f"DBAUDIT['THRESHOLDS'] has an unknown key 'PATIENCE'; it may have: {known}."


@pytest.mark.parametrize("value", ["fatal", "Warning", ""])
def test_what_fails_is_one_of_few_words(value: str) -> None:
    assert refusal({"FAIL_ON": value}) == (
        f"DBAUDIT['FAIL_ON'] is {value!r}; it must be one of info, warning, error, never."
    )


@pytest.mark.parametrize("name", ["FAIL_ON", "BASELINE"])
@pytest.mark.parametrize("value", [None, 5, ["warning"]])
def test_a_string_is_a_string(name: str, value: object) -> None:
    assert refusal({name: value}) == f"DBAUDIT[{name!r}] is {value!r}; it must be a string."


@pytest.mark.parametrize("value", [None, 0, 1, "yes", "False"])
def test_a_truth_is_no_number_and_no_word(value: object) -> None:
    assert refusal({"RECORD": value}) == f"DBAUDIT['RECORD'] is {value!r}; it must be True or False."


@pytest.mark.parametrize("name", ["SELECT", "IGNORE", "PROJECT_PATHS"])
@pytest.mark.parametrize("value", ["IDX", None, [1], {"IDX"}])
def test_a_list_of_rules_is_a_list_of_strings(name: str, value: object) -> None:
    assert refusal({name: value}) == f"DBAUDIT[{name!r}] is {value!r}; it must be a list of strings."


@pytest.mark.parametrize("value", ["5", None, True, [5]])
def test_a_number_is_a_number_and_no_truth(value: object) -> None:
    for name in TIMEOUTS:
        assert refusal({name: value}) == f"DBAUDIT[{name!r}] is {value!r}; it must be a number."
    for name in FLOATS:
        expected = f"DBAUDIT['THRESHOLDS'][{name!r}] is {value!r}; it must be a number."
        assert refusal({"THRESHOLDS": {name: value}}) == expected
    for name in WHOLE:
        expected = f"DBAUDIT['THRESHOLDS'][{name!r}] is {value!r}; it must be a whole number."
        assert refusal({"THRESHOLDS": {name: value}}) == expected


@pytest.mark.parametrize("name", WHOLE)
def test_rows_and_pages_are_whole(name: str) -> None:
    assert "must be a whole number" in refusal({"THRESHOLDS": {name: 1.5}})


@pytest.mark.parametrize("name", TIMEOUTS)
@pytest.mark.parametrize("value", [0, -1, 0.0001, float("inf"), float("nan"), 2_147_484])
def test_no_timeout_is_switched_off_or_too_long_for_the_server(name: str, value: float) -> None:
    expected = f"DBAUDIT[{name!r}] is {value!r}; it must be at least 0.001 and at most 2147483."
    assert refusal({name: value}) == expected


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [-0.5, float("inf"), float("nan"), 1e300])
def test_no_threshold_is_negative_or_endless(name: str, value: float) -> None:
    message = refusal({"THRESHOLDS": {name: value}})
    assert message.startswith(f"DBAUDIT['THRESHOLDS'][{name!r}] is {value!r}; it must be at least 0 and ")


@pytest.mark.parametrize("name", SHARES)
def test_a_share_is_no_percentage(name: str) -> None:
    expected = f"DBAUDIT['THRESHOLDS'][{name!r}] is 80; a share lies between 0 and 1."
    assert refusal({"THRESHOLDS": {name: 80}}) == expected


# When it is read.


def test_a_change_of_the_setting_is_seen_at_once(settings: Any) -> None:
    del settings.DBAUDIT
    assert get_config() == Config()
    settings.DBAUDIT = {"LOCK_TIMEOUT": 2}
    assert get_config().lock_timeout == 2
    with override_settings(DBAUDIT={"LOCK_TIMEOUT": 3}):
        assert get_config().lock_timeout == 3
    assert get_config().lock_timeout == 2


def test_a_wrong_setting_is_told_each_time_and_mended_at_once(settings: Any) -> None:
    settings.DBAUDIT = {"LOCK_TIMEOUT": 0}
    for _ in range(2):
        with pytest.raises(AuditError, match="LOCK_TIMEOUT"):
            get_config()
    settings.DBAUDIT = {}
    assert get_config() == Config()


def test_other_settings_leave_it_alone(settings: Any) -> None:
    settings.DBAUDIT = {}
    before = get_config()
    settings.TIME_ZONE = "Europe/Vienna"
    assert get_config() is before
