"""A view that sends a great many statements to answer one request.

**What counts.** ``TOO_MANY_QUERIES`` statements (50) or more in one request, those left out that
``n-plus-one`` and ``per-row-writes`` already account for.

**What is never reported.** Transaction control: BEGIN, SAVEPOINT and their like.

**When to leave it alone.** Pages that nobody waits for.

**How to fix it.** ``queryreport --view NAME`` shows the lines that ask, and how often each.

*Source:* `Database access optimization
<https://docs.djangoproject.com/en/stable/topics/db/optimization/>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import Traffic, ViewTraffic

rule = Rule(code="QRY010", severity=Severity.WARNING, since="0.1")


@rule.check
def too_many_queries(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        if view.most_executions - _named_already(view, thresholds) >= thresholds.too_many_queries:
            yield _finding(view)


def _named_already(view: ViewTraffic, thresholds: Thresholds) -> int:
    loops = (*call_sites.read_in_loops(view, thresholds), *call_sites.written_in_loops(view, thresholds))
    return sum(each.most_executions for each in loops)


def _finding(view: ViewTraffic) -> Finding:
    average = view.executions / max(1, view.requests)
    lines = {each.site for each in view.queries}
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} sent {words.count(view.most_executions, 'statement')} in one request "
        f"({average:.0f} on average), from {words.count(len(lines), 'line')}.",
        evidence={
            "most_executions": view.most_executions,
            "executions": view.executions,
            "requests": view.requests,
            "microseconds": view.query_microseconds,
        },
        fix=Fix("text", f"See what asks, and how often: queryreport --view {view.view}"),
    )
