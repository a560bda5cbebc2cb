"""A question that one request asks again, though the answer cannot have changed.

**What counts.** The same statement with the same parameters, again in one request, with no write in
between: a helper that looks up the current account wherever it is called, a ``get()`` in the view and
again in the serializer.

**What is never reported.** What a library asks on its own account; querysets that were evaluated twice
(``re-evaluated-queryset``) and loops (``n-plus-one``), which have their own rules; two objects that follow
a relation to the same row, two lookups of ``prefetch_related`` with the same keys.

**When to leave it alone.** When the second reading is meant to see what others have committed since.

**How to fix it.** Ask once and hand the answer on; keep it on the request, in a ``cached_property``, or in
a function cached for the request.

*Source:* `Database access optimization
<https://docs.djangoproject.com/en/stable/topics/db/optimization/#understand-cached-attributes>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.analysis.call_sites import LAZY, CallSiteQueries
from django_dbaudit.analysis.querysets import executed_again
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import Traffic, ViewTraffic

#: Ways of asking in which each object, or each lookup, asks for itself: that two of them want the same is
#: chance.
ONE_FOR_EACH = LAZY | {"prefetch"}
#: Duplicates in one request from which the line is in a loop.
MANY = 10

rule = Rule(code="QRY003", severity=Severity.INFO, since="0.1")


@rule.check
def duplicate_query(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        asked = list(_asked_again(view, thresholds))
        # The same reading twice of a queryset that is evaluated twice.
        if sum(each.duplicates for each in asked) > executed_again(view):
            yield from map(_finding, asked)


def _asked_again(view: ViewTraffic, thresholds: Thresholds) -> Iterator[CallSiteQueries]:
    loops = {
        (each.first.fingerprint, each.first.alias) for each in call_sites.read_in_loops(view, thresholds)
    }
    for asked in call_sites.queries_of(view, ("read",)):
        first = asked.first
        if (first.fingerprint, first.alias) in loops or first.how in ONE_FOR_EACH:
            continue
        if asked.duplicates and first.site.kind in ("code", "template"):
            yield asked


def _finding(asked: CallSiteQueries) -> Finding:
    first, view = asked.first, asked.view
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} asks what it was told before: {words.count(asked.duplicates, 'time')} "
        f"{call_sites.seen_in(asked.requests, view)}, at {call_sites.where(asked.site)}: "
        f"{call_sites.shortened(first.fingerprint)}.",
        severity=Severity.WARNING if asked.duplicates >= MANY * asked.requests else None,
        fix=Fix("text", "Ask once in the request and hand the answer on, or keep it in a cached_property."),
        **asked.details(duplicates=asked.duplicates),
    )
