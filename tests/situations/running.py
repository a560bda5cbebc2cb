"""One request to a situation, and what the rules say of what it did."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import AsyncClient, Client, override_settings

from django_dbaudit import rule
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, NotRun
from django_dbaudit.traffic.facts import Traffic
from django_dbaudit.traffic.recorder import record
from situations.expected import TEMPLATES, Expected
from situations.urls import SITUATIONS

RULES = [each for each in rule.all_rules() if each.code.startswith("QRY")]
MIDDLEWARE = ["django_dbaudit.traffic.middleware.TrafficMiddleware"]


def traffic_of(name: str) -> Traffic:
    """What a request to the situation did, its stream read to the end."""
    with (
        override_settings(
            ROOT_URLCONF="situations.urls",
            MIDDLEWARE=MIDDLEWARE,
            TEMPLATES=[{**settings.TEMPLATES[0], "DIRS": [TEMPLATES]}],
        ),
        record() as recorded,
    ):
        if inspect.iscoroutinefunction(SITUATIONS[name]):
            async_to_sync(_ask)(name)
        else:
            answer: Any = Client().get(f"/{name}")
            if answer.streaming:
                answer.getvalue()
    return recorded.facts


async def _ask(name: str) -> None:
    answer: Any = await AsyncClient().get(f"/{name}")
    if answer.streaming:
        async for _ in answer:
            pass


def findings_of(traffic: Traffic, thresholds: Thresholds | None = None) -> list[Finding]:
    found: list[Finding | NotRun] = []
    known = {Traffic: traffic, Thresholds: thresholds or Thresholds()}
    for each in RULES:
        found.extend(each.function(**{name: known[kind] for name, kind in each.needs.items()}))
    return [each for each in found if isinstance(each, Finding)]


def told(findings: Iterable[Finding], expected: set[Expected]) -> set[Expected]:
    """Rules and places, each place said in the way in which the situation says it."""
    return {
        (each.name, _place(each, {where for name, where in expected if name == each.name}))
        for each in findings
    }


def _place(finding: Finding, ways: set[str]) -> str:
    location = finding.location
    line = f"{Path(location.path).name}:{location.line}" if location else "(library)"
    functions = {each.name.rpartition(".")[2] for each in finding.related}
    return line if line in ways else next(iter(functions & ways), line)
