"""A value is read, changed in Python and written back: of two requests at once, one is lost.

Both read a stock of five, both take one, both write four. A transaction does not help: at PostgreSQL's
default level, READ COMMITTED, neither waits for the other, and neither fails.

**What counts.** A field of a row that was fetched in this request gets a value worked out from its own
old one, as in ``item.votes += 1``, and the row is saved with that field. Not where the row was fetched
with ``select_for_update()``, was made in this request, or the database does the sum, with ``F()``; nor
where ``update_fields`` leaves the field out.

**When to leave it alone.** When only one request at a time can get there: an advisory lock, a lock in
the cache, a version column that the write compares, transactions that are ``SERIALIZABLE`` and tried
again.

**How to fix it.** Let the database do the sum: ``Item.objects.filter(pk=pk).update(votes=F("votes") +
1)``. Where Python has to decide, fetch the row with ``select_for_update()`` in an ``atomic`` block that
also holds the ``save()``.

*Source:* `Avoiding race conditions using F()
<https://docs.djangoproject.com/en/stable/ref/models/expressions/#avoiding-race-conditions-using-f>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.project.effects.tree import Write
from django_dbaudit.rule import Rule

rule = Rule(code="TXN013", severity=Severity.WARNING, since="0.1")


@rule.check
def lost_update(steps: ViewSteps) -> Iterator[Finding]:
    found = ((view, step, _lost(step)) for view, step in steps if step.is_ours)
    for place in group(each for each in found if each[2]):
        table, _, names = place.detail.partition(": ")
        yield rule.finding(
            place.subject,
            f"{place.function} works out {names} of {table} in Python from what it has read, and saves it "
            f"without a lock, called from {place.seen_from}: of two requests at once, one change is lost.",
            fix=Fix(
                "text",
                "Let the database do the sum, with F(), or lock the row with select_for_update().",
            ),
            **place.details(table=table, fields=names.split(", ")),
        )


def _lost(step: Step) -> str:
    node = step.node
    if not isinstance(node, Write) or node.source != "fetched":
        return ""
    names = [name for name in node.computed if not node.fields or name in node.fields]
    return f"{node.table}: {', '.join(names)}" if names else ""
