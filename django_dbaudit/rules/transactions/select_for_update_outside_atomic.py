"""Rows are locked with ``select_for_update()`` where no transaction holds the lock.

A row lock lasts until the transaction ends; in autocommit that is at once. Django refuses to run such a
queryset, with a ``TransactionManagementError`` on every request. Tests do not show it: ``TestCase``
puts a transaction around each test.

**What counts.** A queryset with ``select_for_update()`` that is executed outside every ``atomic`` block
of its alias; also where the queryset is made inside the block and executed after it. Likewise ``SELECT
… FOR UPDATE`` and ``LOCK TABLE`` sent through a cursor: the one locks nothing for long, PostgreSQL
refuses the other. ``count()``, ``exists()`` and ``aggregate()`` ask for no rows, and so drop the lock.

**When to leave it alone.** Never: it does not work.

**How to fix it.** Put ``with transaction.atomic():`` around the query and around all that is done with
its rows, up to the last ``save()``.

*Source:* `select_for_update()
<https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-for-update>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import ViewSteps
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.project.effects.tree import Read
from django_dbaudit.rule import Rule

rule = Rule(code="TXN009", severity=Severity.ERROR, since="0.1")


@rule.check
def select_for_update_outside_atomic(steps: ViewSteps) -> Iterator[Finding]:
    found = (
        (view, step, step.node.table)
        for view, step in steps
        if isinstance(step.node, Read)
        and step.node.locks
        and step.is_ours
        and not step.blocks_on(step.node.alias)
    )
    for place in group(found):
        yield rule.finding(
            place.subject,
            f"{place.function} locks rows of {place.detail or 'a table'} outside every atomic block, from "
            f"{place.seen_from}: Django or PostgreSQL refuses it, or the lock is let go at once.",
            fix=Fix(
                "text",
                f"Put with transaction.atomic(): around {place.location} and what needs the lock.",
            ),
            **place.details(),
        )
