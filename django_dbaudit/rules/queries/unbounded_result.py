"""A query without a LIMIT that has returned a great many rows to one request.

The table grows, and with it the page, the memory of the process and the time that the connection is
held, until the request fails.

**What counts.** A read without LIMIT that returned ``UNBOUNDED_RESULT_ROWS`` rows (1,000) or more to one
request. Ten times as many make it a warning.

**What is never reported.** Rows fetched in chunks (``iterator()``, a server-side cursor), bounded pages,
the batches of a prefetch.

**When to leave it alone.** Exports and reports that do need them all.

**How to fix it.** Paginate; fetch ``values_list()`` of what is needed; use ``iterator(chunk_size=…)``; let
the database count and sum with ``aggregate``.

*Source:* `Database access optimization
<https://docs.djangoproject.com/en/stable/topics/db/optimization/#don-t-retrieve-things-you-don-t-need>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.analysis.call_sites import BATCHES, CallSiteQueries
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import QueryTraffic, Traffic

rule = Rule(code="QRY008", severity=Severity.INFO, since="0.1")


@rule.check
def unbounded_result(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        for asked in call_sites.queries_of(view, ("read",)):
            most = max(each.most_rows for each in asked.records)
            if most >= thresholds.unbounded_result_rows and _is_unbounded(asked.first):
                yield _finding(asked, most, is_warning=most >= 10 * thresholds.unbounded_result_rows)


def _is_unbounded(query: QueryTraffic) -> bool:
    return query.how not in BATCHES and " LIMIT " not in query.fingerprint


def _finding(asked: CallSiteQueries, most: int, *, is_warning: bool) -> Finding:
    first, view = asked.first, asked.view
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} was given {words.count(most, 'row')} by one query without a LIMIT, "
        f"at {call_sites.where(asked.site)}: {call_sites.shortened(first.fingerprint)}.",
        severity=Severity.WARNING if is_warning else None,
        fix=Fix(
            "text", "Paginate, aggregate in the database, or read in chunks with iterator(chunk_size=…)."
        ),
        **asked.details(most_rows=most, rows=asked.rows),
    )
