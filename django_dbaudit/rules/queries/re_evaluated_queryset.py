"""A queryset that asks the database for the same rows again.

A queryset keeps its rows once it has been iterated; a clone of it (``.all()``, ``.iterator()``) does not
have them, and ``count()``, ``exists()``, ``first()`` and an index each ask anew unless the rows are there
already.

**What counts.** One queryset executed twice or more in one request, with the same conditions:
``count()`` or ``exists()`` and then the rows, ``.all()`` of it iterated twice, an unevaluated queryset
indexed in a loop.

**What is never reported.** A queryset that others are derived from with different conditions; a count
beside one page of the rows, as a paginator needs it; pages in turn; what is read again after a write.

**When to leave it alone.** When the rows are many, and seldom needed after the count.

**How to fix it.** Where the rows are needed anyway, fetch them first: ``len(books)`` and ``if books:`` then
cost nothing. Keep the rows in a list to index them.

*Source:* `QuerySets are lazy: caching and QuerySets
<https://docs.djangoproject.com/en/stable/topics/db/queries/#caching-and-querysets>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites, querysets
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import CallSite, QuerySetTraffic, Traffic, ViewTraffic

rule = Rule(code="QRY004", severity=Severity.INFO, since="0.1")


@rule.check
def re_evaluated_queryset(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        for site, built in querysets.by_line(view).items():
            again = [each for each in built if querysets.is_re_evaluated(each)]
            if again:
                yield _finding(view, site, again, thresholds)


def _finding(
    view: ViewTraffic, site: CallSite, again: list[QuerySetTraffic], thresholds: Thresholds
) -> Finding:
    worst = max(again, key=lambda each: each.most_executions)
    ways = ", then ".join(worst.hows)
    is_loop = worst.most_executions >= thresholds.repeated_queries
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} executes the queryset of {worst.model} from {call_sites.where(site)} "
        f"{words.count(worst.most_executions, 'time')} in one request: {ways}.",
        severity=Severity.WARNING if is_loop else None,
        evidence={
            "built": sum(each.built for each in again),
            "executions": sum(each.executions for each in again),
            "most_executions": worst.most_executions,
            "requests": sum(each.requests for each in again),
            "view_requests": view.requests,
            "hows": list(worst.hows),
            "model": worst.model,
        },
        location=call_sites.location(site),
        related=call_sites.related(site),
        fix=Fix("text", _advice(worst)),
        identity=(view.view, view.method, site.path, site.function, worst.model),
    )


def _advice(built: QuerySetTraffic) -> str:
    if "index" in built.hows:
        return "Keep the rows in a list before indexing them."
    if built.hows.count("count") > 1:
        return "Count once, and keep the number; a paginator has it as its count."
    if "count" in built.hows:
        return "Fetch the rows first; len() of the evaluated queryset then asks nothing."
    if "exists" in built.hows:
        return "Fetch the rows first; the truth of the evaluated queryset then asks nothing."
    return "Evaluate the queryset once, keep it, and do not clone it with .all() or .iterator()."
