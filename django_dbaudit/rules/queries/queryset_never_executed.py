"""Querysets that are built again and again and never executed.

Building one costs Python some tens of microseconds: little, but in a loop it adds up, and a queryset that
nobody evaluates is often a mistake: a ``filter()`` whose result was meant to be kept, or an ``update``
that was never called.

**What counts.** A line that built ``REPEATED_QUERIES`` (3) or more querysets a request, on average, none
of which was executed, or became a part of another query, in any recorded request.

**What is never reported.** A queryset that stays unused in some requests only.

**When to leave it alone.** When a condition that is rarely true decides on it.

**How to fix it.** Build it where it is used, or use it.

*Source:* `QuerySets are lazy
<https://docs.djangoproject.com/en/stable/topics/db/queries/#querysets-are-lazy>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites, querysets
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import CallSite, QuerySetTraffic, Traffic, ViewTraffic

rule = Rule(code="QRY005", severity=Severity.INFO, since="0.1")


@rule.check
def queryset_never_executed(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        for site, built in querysets.by_line(view).items():
            if any(each.is_executed for each in built):
                continue
            number, requests = sum(each.built for each in built), max(each.requests for each in built)
            if number >= thresholds.repeated_queries * requests:
                yield _finding(view, site, built[0], number, requests)


def _finding(
    view: ViewTraffic, site: CallSite, built: QuerySetTraffic, number: int, requests: int
) -> Finding:
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} builds {words.count(number, 'queryset')} of {built.model} "
        f"{call_sites.seen_in(requests, view)}, at {call_sites.where(site)}, and executes none.",
        evidence={
            "built": number,
            "requests": requests,
            "view_requests": view.requests,
            "model": built.model,
        },
        location=call_sites.location(site),
        related=call_sites.related(site),
        fix=Fix("text", "Build the queryset where it is used; or use it, if that was forgotten."),
        identity=(view.view, view.method, site.path, site.function, built.model),
    )
