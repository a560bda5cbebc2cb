"""What ``--format json`` prints is what its published schema says, and the schema says all of it."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema
import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections

from django_dbaudit.postgres.indexes import Index, IndexKey
from django_dbaudit.project.schema import DeclaredIndex
from django_dbaudit.project.structure import DeclaredKey, Structure
from django_dbaudit.reports import json as format_json
from django_dbaudit.reports.document import Document, Style
from samples import SAMPLES, audit, document, finding
from scratch import Scratch

SCHEMA = json.loads(
    resources.files("django_dbaudit.reports").joinpath("report.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def report(of: Document) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(format_json.render(of, Style()))
    return loaded


def errors(value: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(value)]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_is_valid(sample: str) -> None:
    assert errors(report(SAMPLES[sample]())) == []


@pytest.mark.parametrize("command", ["dbaudit", "indexreport"])
def test_what_a_command_prints_is_valid(scratch: Scratch, command: str) -> None:
    with connections[scratch.alias].schema_editor() as editor:
        editor.create_model(ContentType)
    scratch.run(
        "CREATE TABLE cone (id bigint PRIMARY KEY, title text, parent_id bigint REFERENCES cone)",
        "CREATE INDEX cone_title ON cone (lower(title) text_pattern_ops DESC) INCLUDE (id) WHERE id > 0",
        "CREATE INDEX cone_id_copy ON cone (id) WITH (fillfactor = 70)",
    )
    stdout = io.StringIO()
    options = {"database": [scratch.alias], "format": "json", "fail_on": "never"}
    call_command(command, stdout=stdout, **options)
    printed = json.loads(stdout.getvalue())
    assert errors(printed) == []
    assert printed["findings"]
    if command == "indexreport":
        declared = [each for each in printed["indexes"] if each["declared_by"]]
        assert 0 < len(declared) < len(printed["indexes"])


def test_new_and_known_findings_have_their_status() -> None:
    printed = report(audit())
    assert {each["status"] for each in printed["findings"]} == {"new"}
    assert {each["status"] for each in printed["known"]} == {"known"}


def test_the_summary_counts_new_findings_only() -> None:
    assert report(audit())["summary"] == {"error": 1, "warning": 2, "info": 1}


def test_the_identity_is_told_by_the_fingerprint_alone() -> None:
    (printed,) = report(document(findings=(finding(identity=("a", "b")),)))["findings"]
    assert "identity" not in printed
    assert printed["fingerprint"] == finding(identity=("a", "b")).fingerprint


def test_text_stays_readable() -> None:
    assert "größe" in format_json.render(SAMPLES["odd"](), Style())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("severity", "fatal"),
        ("rule", "duplicate-index"),
        ("name", "Duplicate Index"),
        ("fingerprint", "1"),
        ("status", "known"),
        ("evidence", {"nested": {}}),
        ("location", {"path": "models.py", "line": 0}),
        ("unheard_of", 1),
    ],
)
def test_the_schema_refuses_what_we_do_not_write(place: str, value: object) -> None:
    printed = report(audit())
    printed["findings"][0][place] = value
    assert errors(printed)


def test_indexreport_must_have_its_indexes() -> None:
    printed = report(SAMPLES["index_list"]())
    del printed["indexes"]
    assert errors(printed)


def test_every_field_is_described() -> None:
    assert [path for path, value in _fields(SCHEMA, "$") if not _is_described(value)] == []


def _is_described(value: dict[str, Any]) -> bool:
    target = SCHEMA["$defs"][value["$ref"].rpartition("/")[2]] if "$ref" in value else value
    return bool(target.get("description"))


def _fields(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field that we own: a condition on one, as ``then`` sets it, is none."""
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from _fields(each, f"{path}[{place}]")
    if not isinstance(value, dict):
        return
    if value.get("type") == "object":
        for name, each in value.get("properties", {}).items():
            yield f"{path}.{name}", each
    for key, each in value.items():
        yield from _fields(each, f"{path}.{key}")


@pytest.mark.parametrize(
    ("definition", "fact", "more"),
    [
        ("index", Index, {"database", "with_partitions", "declared_by", "servers", "history"}),
        ("index_key", IndexKey, set()),
        ("declared_index", DeclaredIndex, set()),
        ("structure", Structure, set()),
        ("declared_key", DeclaredKey, set()),
    ],
)
def test_the_schema_knows_every_field_of_a_fact(definition: str, fact: Any, more: set[str]) -> None:
    fields = {each.name for each in dataclasses.fields(fact)}
    assert SCHEMA["$defs"][definition]["properties"].keys() == fields | more
