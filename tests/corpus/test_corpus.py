"""The corpus: what the audit makes of each view is what its label says, and nothing else is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import override_settings

from corpus import labels
from corpus.labels import Label
from django_dbaudit import audit, rule
from django_dbaudit.analysis import verdicts
from django_dbaudit.analysis.verdicts import Verdict
from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import Facts
from django_dbaudit.project.effects import reading
from django_dbaudit.project.effects.facts import Effects

TESTS = Path(__file__).parent.parent
RULES = [each for each in rule.all_rules() if each.code.startswith("TXN") and each.code < "TXN040"]
LABELS = list(labels.labels())
#: Labels that do not hold, each with its reason.
KNOWN_MISSES: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="module")
def effects() -> Effects:
    with override_settings(ROOT_URLCONF="corpus.urls"):
        return reading.read()


@pytest.fixture(scope="module")
def judged(effects: Effects) -> dict[tuple[str, str], Verdict]:
    return {(each.view.name, each.view.method): verdicts.judge(each) for each in effects.items}


@pytest.fixture(scope="module")
def found(effects: Effects) -> set[tuple[str, str]]:
    outcome = audit.run(RULES, Facts((), {Effects: effects}), Thresholds())
    assert not outcome.failures
    places = set()
    for each in outcome.findings:
        assert each.location is not None
        path = (Path.cwd() / each.location.path).relative_to(TESTS).as_posix()
        places.add((each.name, f"{path}:{each.location.line}"))
    return places


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len({each.view for each in LABELS}) >= 200


@pytest.mark.parametrize("label", LABELS, ids=lambda label: f"{label.view[13:]}-{label.method}")
def test_a_view_is_judged_as_its_label_says(label: Label, judged: dict[tuple[str, str], Verdict]) -> None:
    if (label.view, label.method) in KNOWN_MISSES:
        pytest.xfail(KNOWN_MISSES[label.view, label.method])
    verdict = judged[label.view, label.method]
    assert (verdict.word, verdict.max_units) == (label.verdict, label.units)
    assert set(verdict.tables) == label.tables


def test_every_mark_is_found(found: set[tuple[str, str]]) -> None:
    assert sorted(labels.marks() - found) == []


def test_nothing_else_is_found(found: set[tuple[str, str]]) -> None:
    assert sorted(found - labels.marks()) == []


def test_known_misses_are_few_and_still_there() -> None:
    assert len(KNOWN_MISSES) <= len(LABELS) * 0.02
    assert set(KNOWN_MISSES) <= {(each.view, each.method) for each in LABELS}


def test_every_rule_is_in_the_corpus() -> None:
    # These need another setting than the corpus has, ATOMIC_REQUESTS, and have tests of their own.
    elsewhere = {"misplaced-non-atomic-requests"}
    assert {each.name for each in RULES} - elsewhere == {name for name, _ in labels.marks()}
