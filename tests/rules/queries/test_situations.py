"""Every situation, by a real request to a real database: all that is wrong is named, and nothing else."""

from __future__ import annotations

import pytest

from situations import models
from situations.expected import expected_of
from situations.running import findings_of, told, traffic_of
from situations.urls import SITUATIONS

INNOCENT = [name for name, view in SITUATIONS.items() if not expected_of(view)]
GUILTY = [name for name, view in SITUATIONS.items() if expected_of(view)]

#: Nothing is ever committed in the transaction that a test is usually wrapped in.
COMMITTING = ("after_commit", "write_on_commit")


def database(name: str) -> pytest.MarkDecorator:
    return pytest.mark.django_db(transaction=name in COMMITTING)


@pytest.mark.parametrize("name", [pytest.param(name, marks=database(name)) for name in INNOCENT])
def test_the_innocent_are_left_alone(name: str) -> None:
    models.fill()
    assert [(each.name, each.message) for each in findings_of(traffic_of(name))] == []


@pytest.mark.parametrize("name", [pytest.param(name, marks=database(name)) for name in GUILTY])
def test_what_is_wrong_is_named_at_its_line(name: str) -> None:
    models.fill()
    expected = expected_of(SITUATIONS[name])
    assert told(findings_of(traffic_of(name)), expected) == expected
