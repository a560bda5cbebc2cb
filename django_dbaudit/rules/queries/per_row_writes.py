"""A line that writes one row after another, each in a statement of its own.

Each statement is a round trip, and outside a transaction each is a commit that waits for the disk as
well: a thousand rows take seconds that one statement would do in milliseconds, with their locks held
all the while.

**What counts.** The same writing statement from the same line of one view ``REPEATED_QUERIES`` times (3)
or more in one request, touching a row or so each time: ``save()``, ``create()``, ``update()``,
``delete()``, ``get_or_create()``, ``add()`` of a relation, or raw SQL.

**What is never reported.** The batches of ``bulk_create`` and ``bulk_update``, a ``delete()`` that
cascades, statements that touch many rows each.

**When to leave it alone.** When ``save()`` methods or signal receivers have to run for each row: bulk
operations call neither. Then wrap the loop in ``transaction.atomic()``, which saves the commits.

**How to fix it.** ``bulk_create`` for new rows (``update_conflicts=True`` where some may be there),
``bulk_update`` or one ``update()`` with ``F()`` and ``Case`` for changed ones, ``filter(…).delete()``,
``add(*objects)``.

*Source:* `Database access optimization: use bulk methods
<https://docs.djangoproject.com/en/stable/topics/db/optimization/#use-bulk-methods>`__.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.analysis.call_sites import CallSiteQueries
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import CallSite, Traffic

rule = Rule(code="QRY002", severity=Severity.WARNING, since="0.1")

ADVICE = {
    "create": "Collect the objects and write them with one bulk_create().",
    "save": "Write them with one bulk_update() or bulk_create(); if all change alike, one update().",
    "update": "Write them with one update(), with F(), Case and When where the values differ.",
    "delete": "Delete them with one filter(…).delete().",
    "add": "Add all with one add(*objects), or write the through table with bulk_create().",
    "remove": "Remove the rows of the through table with one filter(…).delete().",
    "get_or_create": "Fetch those that exist with one filter(…__in=…), and write the others with "
    "bulk_create(ignore_conflicts=True).",
    "update_or_create": "Write them with one bulk_create(update_conflicts=True, …).",
    "cursor": "Write all rows with one statement: executemany(), or a list of VALUES.",
}
OTHERWISE = "Write all rows with one statement."


@rule.check
def per_row_writes(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        of_line: dict[CallSite, list[CallSiteQueries]] = defaultdict(list)
        for written in call_sites.written_in_loops(view, thresholds):
            of_line[written.site].append(written)
        for statements in of_line.values():
            yield _finding(max(statements, key=lambda each: each.most_executions), len(statements))


def _finding(written: CallSiteQueries, statements: int) -> Finding:
    first, view = written.first, written.view
    others = f", and {words.count(statements - 1, 'other statement')} with each" if statements > 1 else ""
    tables = ", ".join(first.tables) or "a table"
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} writes to {tables} {words.count(written.most_executions, 'time')} "
        f"in one request, a row at a time, at {call_sites.where(written.site)}{others}.",
        fix=Fix("text", ADVICE.get(first.how, OTHERWISE)),
        **written.details(
            most_executions=written.most_executions,
            rows=written.rows,
            how=first.how,
            unit=first.unit,
            tables=list(first.tables),
        ),
    )
