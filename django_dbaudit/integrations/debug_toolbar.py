"""A panel for django-debug-toolbar: what the request asked, from which lines, and what is wrong with it.

Put ``"django_dbaudit.integrations.debug_toolbar.TrafficPanel"`` into ``DEBUG_TOOLBAR_PANELS``.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction
from debug_toolbar.panels import Panel
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template import Context, Engine, Template

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.conf import get_config
from django_dbaudit.finding import Finding
from django_dbaudit.integrations import judgement
from django_dbaudit.traffic import trouble
from django_dbaudit.traffic.facts import NOWHERE, QueryTraffic, Traffic
from django_dbaudit.traffic.recorder import Recorded, record

#: Call sites that are shown, those that took longest first.
MOST_SITES = 200


class TrafficPanel(Panel):
    """Queries by call site, commit units, and the findings of the rules."""

    is_async = True
    title = "Database audit"
    nav_title = "Database audit"

    @property
    def nav_subtitle(self) -> str:
        stats = self.get_stats()
        if "queries" not in stats:
            return ""
        findings = stats["findings"]
        counted = words.count(stats["queries"], "statement")
        return f"{counted}, {words.count(len(findings), 'finding')}" if findings else counted

    @property
    def content(self) -> str:
        return str(_template().render(Context(self.get_stats())))

    def process_request(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if iscoroutinefunction(self.get_response):
            return self._process_async(request)
        with record() as self._recorded:
            response: HttpResponseBase = super().process_request(request)
        return response

    async def _process_async(self, request: HttpRequest) -> HttpResponseBase:
        with record() as self._recorded:
            response: HttpResponseBase = await super().process_request(request)
        return response

    def generate_stats(self, request: HttpRequest, response: HttpResponseBase) -> None:
        recorded: Recorded | None = getattr(self, "_recorded", None)
        if recorded is None:
            return
        try:
            self.record_stats(stats_of(judgement.named(recorded.facts, request)))
        except Exception:  # noqa: BLE001  # whatever goes wrong with us, the page is shown
            trouble.tell()


def stats_of(traffic: Traffic) -> dict[str, Any]:
    """What the panel shows, as the toolbar can store it: JSON values alone."""
    views = traffic.views
    asked = [each for view in views for each in view.queries if each.kind != "transaction"]
    return {
        "queries": sum(view.executions for view in views),
        "writes": sum(view.writes for view in views),
        "milliseconds": call_sites.milliseconds(sum(view.query_microseconds for view in views)),
        "units": sum(shape.most_units for view in views for shape in view.commits),
        "sites": list(_sites(asked)),
        "findings": [_finding(each) for each in judgement.findings_of(traffic, get_config())],
    }


def _sites(asked: list[QueryTraffic]) -> Iterator[dict[str, Any]]:
    slowest = sorted(asked, key=lambda each: -each.microseconds)
    for each in slowest[:MOST_SITES]:
        yield {
            "where": call_sites.where(each.site),
            "function": each.site.function,
            "rendered_at": "" if each.rendered_at == NOWHERE else call_sites.where(each.rendered_at),
            "executions": each.executions,
            "duplicates": each.duplicates,
            "rows": each.rows,
            "milliseconds": call_sites.milliseconds(each.microseconds),
            "how": each.how,
            "phase": each.phase,
            "unit": each.unit,
            "alias": each.alias,
            "sql": each.fingerprint,
        }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "location": str(finding.location or ""),
        "fix": finding.fix.text if finding.fix else "",
    }


@functools.cache
def _template() -> Template:
    # An engine of our own: the project's may have other loaders, or none of Django's.
    return Engine(dirs=[str(Path(__file__).parent / "templates")]).get_template("debug_toolbar.html")
