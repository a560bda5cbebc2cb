"""A finding keeps its fingerprint as long as it is the same defect, and no longer."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from django_dbaudit.finding import Finding, Fix, Location, Related, Severity, Subject, worst_first

FINDING = Finding(
    rule="IDX002",
    name="duplicate-index",
    severity=Severity.WARNING,
    subject=Subject("index", "public.flavor_title_copy", "public.flavor"),
    message="flavor_title_copy (16 kB) serves the same queries as flavor_title_idx on flavor.",
    evidence={"size_bytes": 16384},
    location=Location("flavors/models.py", 31),
    database="default",
)


@pytest.mark.parametrize(
    "change",
    [
        {"location": Location("flavors/models.py", 32)},
        {"location": None},
        {"message": "flavor_title_copy (24 kB) serves the same queries as flavor_title_idx on flavor."},
        {"evidence": {"size_bytes": 24576}},
        {"severity": Severity.ERROR},
        {"related": (Related("index", "public.flavor_title_idx"),)},
        {"fix": Fix("sql", "DROP INDEX …")},
        {"status": "known"},
        {"rule": "IDX902"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_moves_leaves_the_fingerprint_alone(change: dict[str, Any]) -> None:
    assert dataclasses.replace(FINDING, **change).fingerprint == FINDING.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"name": "redundant-index"},
        {"database": "archive"},
        {"subject": Subject("index", "other.flavor_title_copy", "public.flavor")},
        {"subject": Subject("table", "public.flavor_title_copy", "public.flavor")},
        {"identity": ("another",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_defect_has_another_fingerprint(change: dict[str, Any]) -> None:
    assert dataclasses.replace(FINDING, **change).fingerprint != FINDING.fingerprint


def test_the_fingerprint_is_written_into_baselines_and_must_never_change() -> None:
    assert FINDING.fingerprint == "c452b55e4d041092"


def test_parts_of_a_name_do_not_run_into_each_other() -> None:
    one = dataclasses.replace(FINDING, identity=("a", "bc"))
    two = dataclasses.replace(FINDING, identity=("ab", "c"))
    assert one.fingerprint != two.fingerprint


def test_severities_are_ordered() -> None:
    assert Severity.INFO < Severity.WARNING < Severity.ERROR
    assert max(Severity) is Severity.ERROR


def test_the_worst_comes_first() -> None:
    info = dataclasses.replace(FINDING, severity=Severity.INFO, rule="ACT001")
    error = dataclasses.replace(FINDING, severity=Severity.ERROR, rule="IDX004")
    assert sorted([info, FINDING, error], key=worst_first) == [error, FINDING, info]
