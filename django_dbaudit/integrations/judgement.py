"""The rules that judge one request by its traffic alone."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from django_dbaudit import audit, callback, rule
from django_dbaudit.conf import Config
from django_dbaudit.facts import Facts
from django_dbaudit.finding import Finding
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import BLOCK, NO_VIEW, Traffic


def findings_of(traffic: Traffic, config: Config) -> tuple[Finding, ...]:
    rules = _rules(config.select, config.ignore)
    return audit.run(rules, Facts(code={Traffic: traffic}), config.thresholds).findings


@functools.cache
def _rules(select: tuple[str, ...], ignore: tuple[str, ...]) -> tuple[Rule, ...]:
    chosen = rule.select_rules(select, ignore)
    return tuple(each for each in chosen if audit.needed_facts([each]) == {Traffic})


def named(traffic: Traffic, request: Any) -> Traffic:
    """The same, with what was recorded around the request under the name of its view."""
    match, method = request.resolver_match, request.method or ""
    view = NO_VIEW if match is None else callback.name_of(match.func, method)
    route = "" if match is None else match.route or ""
    return Traffic(
        tuple(
            replace(each, view=view, method=method, route=route) if each.view == BLOCK else each
            for each in traffic.views
        )
    )
