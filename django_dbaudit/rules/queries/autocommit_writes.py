"""A request that writes several times outside of any transaction: each statement is committed by itself.

When the second fails, or the process is killed in between, the first is there to stay: an order without
its lines, money taken and nothing booked. Tests do not show it, because ``TestCase`` wraps everything in
a transaction.

**What counts.** Requests whose writes were committed in two or more pieces, each piece a bare statement in
autocommit, as seen in recorded traffic. Writes to two or more tables make it a warning.

**What is never reported.** A single statement, which the database commits whole; writes that changed no
row; what Django itself wraps (``delete``, ``get_or_create``, a model with several tables); Django's own
bookkeeping (sessions, admin log) and what a middleware writes; one piece in each of two databases, which
no transaction spans; the blocks of a ``TestCase``.

**When to leave it alone.** Log lines, counters and rate limits that are meant to stay when the rest
fails.

**How to fix it.** ``with transaction.atomic():`` around what belongs together, or ``ATOMIC_REQUESTS`` for
views that only write.

*Source:* `Database transactions
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#managing-database-transactions>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis import call_sites, commits
from django_dbaudit.analysis.commits import Pieces, in_pieces
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import Traffic

rule = Rule(code="QRY012", severity=Severity.WARNING, since="0.1")


@rule.check
def autocommit_writes(traffic: Traffic) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        ways = [each for each in in_pieces(view) if each.is_all_bare]
        if ways:
            yield _finding(ways)


def _finding(ways: list[Pieces]) -> Finding:
    return rule.finding(
        call_sites.subject(ways[0].view),
        commits.message(ways, "each statement by itself, in autocommit"),
        fix=Fix("text", "Put what belongs together into one with transaction.atomic(): block."),
        **commits.details(ways),
    )
