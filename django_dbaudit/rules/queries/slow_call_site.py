"""A line whose query takes long each time that it is asked.

**What counts.** A statement that takes ``SLOW_QUERY_MILLISECONDS`` (100) on average, as the application
waits for it: the network and the transfer of the rows included.

**What is never reported.** Statements that were slow once: three executions are needed. Statements that
wait for a lock by their nature (``SELECT … FOR UPDATE``) and transaction control.

**When to leave it alone.** Reports that are known to take long and that nobody waits for.

**How to fix it.** ``EXPLAIN (ANALYZE, BUFFERS)`` with the statement's own parameters; ``indexreport`` shows
what indexes there are, ``missing-index`` which one would help.

*Source:* `Using EXPLAIN <https://www.postgresql.org/docs/current/using-explain.html>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.analysis.call_sites import CallSiteQueries
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import Traffic

#: Executions before an average means anything.
ENOUGH = 3

rule = Rule(code="QRY011", severity=Severity.WARNING, since="0.1")


@rule.check
def slow_call_site(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    slow = thresholds.slow_query_milliseconds * 1000
    for view in call_sites.project_views(traffic):
        for asked in call_sites.queries_of(view, ("read", "write")):
            if asked.executions >= ENOUGH and asked.microseconds >= slow * asked.executions:
                yield _finding(asked)


def _finding(asked: CallSiteQueries) -> Finding:
    first, view = asked.first, asked.view
    slowest = max(each.slowest_microseconds for each in asked.records)
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.where(asked.site)} waits "
        f"{call_sites.milliseconds(asked.microseconds / asked.executions)} "
        f"on average for its query ({words.count(asked.executions, 'execution')}, at most "
        f"{call_sites.milliseconds(slowest)}) in {call_sites.name_of(view)}: "
        f"{call_sites.shortened(first.fingerprint)}.",
        fix=Fix("text", "EXPLAIN (ANALYZE, BUFFERS) the statement, and see indexreport for what is there."),
        **asked.details(slowest_microseconds=slowest),
    )
