"""What the analysis makes of small views: their verdict, and the most units of any way through them."""

from __future__ import annotations

from typing import Any

import pytest

from django_dbaudit.analysis import verdicts
from django_dbaudit.project.effects import reading
from django_dbaudit.project.effects.facts import ViewEffects
from django_dbaudit.project.views import View
from view_corpus import CORPUS


def judge(view: Any, method: str = "POST") -> verdicts.Verdict:
    callback = view.as_view() if hasattr(view, "as_view") else view
    about = View(view.__name__, method, "function", (), is_third_party=False, is_async=False, location=None)
    return verdicts.judge(ViewEffects(about, reading.interpret(callback, method)))


@pytest.mark.parametrize(
    ("view", "method", "word", "most"),
    [pytest.param(*each, id=f"{each[0].__name__}-{each[1]}") for each in CORPUS],
)
def test_a_view_is_judged_by_what_it_commits_at_once(
    view: Any, method: str, word: str, most: int | None
) -> None:
    verdict = judge(view, method)
    assert (verdict.word, verdict.max_units) == (word, most)
