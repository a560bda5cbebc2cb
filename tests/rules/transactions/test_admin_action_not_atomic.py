"""admin-action-not-atomic: what actions commit."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from django_dbaudit.finding import Finding, Severity
from django_dbaudit.project.effects import reading
from viewing import told_of


@pytest.fixture(scope="module")
def found() -> tuple[Finding, ...]:
    with override_settings(ROOT_URLCONF="corpus.urls"):
        effects = reading.read()
    staff = [each for each in effects.items if each.view.name.startswith("corpus.admin.")]
    return told_of("admin-action-not-atomic", *staff)


def of(found: tuple[Finding, ...], admin: str) -> list[Any]:
    return [each for each in found if each.subject.name == f"corpus.admin.{admin}.changelist_view"]


def test_djangos_own_action_is_left_alone(found: tuple[Finding, ...]) -> None:
    assert of(found, "TagAdmin") == []


def test_an_action_in_a_block_is_left_alone(found: tuple[Finding, ...]) -> None:
    assert of(found, "RentalAdmin") == []


def test_saving_in_the_admin_is_in_djangos_block(found: tuple[Finding, ...]) -> None:
    assert all(each.subject.name.endswith(".changelist_view") for each in found)


def test_an_action_that_goes_row_by_row_is_told(found: tuple[Finding, ...]) -> None:
    (finding,) = of(found, "BikeAdmin")
    assert finding.severity is Severity.WARNING
    assert finding.evidence["tables"] == ["corpus_bike", "corpus_auditlog"]
    assert "An action of corpus.admin.BikeAdmin commits in as many pieces" in finding.message
