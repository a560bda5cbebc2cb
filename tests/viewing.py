"""Rules of transactions over views that a test writes: what is found, and in which line."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

from django_dbaudit import audit
from django_dbaudit.conf import Thresholds
from django_dbaudit.facts import Facts
from django_dbaudit.finding import Finding
from django_dbaudit.project import source_lines
from django_dbaudit.project.effects import reading
from django_dbaudit.project.effects.facts import Effects, ViewEffects
from django_dbaudit.project.effects.tree import Atomic
from django_dbaudit.project.views import View
from django_dbaudit.rule import get_rule


def effects_of(view: Callable[..., Any], method: str = "POST", **about: Any) -> ViewEffects:
    """What the view may do; ``about`` is what `View` says of it."""
    callback = view.as_view() if hasattr(view, "as_view") else view
    place = source_lines.location_of(view)
    values = {"kind": "function", "routes": ("x/",), "is_third_party": False, "is_async": False}
    name = f"{view.__module__}.{view.__qualname__}"
    body = reading.interpret(callback, method, place=place)
    known = View(**{"name": name, "method": method, "location": place, **values, **about})
    for alias in known.atomic_requests:
        assert place is not None
        body = Atomic(body, alias, "request", place)
    return ViewEffects(known, body)


def told(rule: str, view: Callable[..., Any], method: str = "POST", **about: Any) -> tuple[Finding, ...]:
    """What the rule finds in the view."""
    return told_of(rule, effects_of(view, method, **about))


def told_of(rule: str, *views: ViewEffects) -> tuple[Finding, ...]:
    outcome = audit.run([get_rule(rule)], Facts((), {Effects: Effects(views)}), Thresholds())
    assert not outcome.failures, outcome.failures
    return outcome.findings


def line_of(finding: Finding) -> str:
    """The line that the finding points at."""
    assert finding.location is not None
    return linecache.getline(finding.location.path, finding.location.line).strip()
