"""A durable block inside another transaction: Django refuses it with a ``RuntimeError``.

``transaction.atomic(durable=True)`` promises that what it holds is committed when it ends, and so it
must be the outermost block. Below another one, or in a view that ``ATOMIC_REQUESTS`` has put into a
transaction, it raises. Tests do not show it: under ``TestCase`` it is allowed.

**What counts.** A durable block that is reached inside another block of the same alias, also through
calls.

**When to leave it alone.** Never: the way that leads there fails each time.

**How to fix it.** Take the outer block away, or ``durable=True``; exempt a view from
``ATOMIC_REQUESTS`` with ``@transaction.non_atomic_requests``.

*Source:* `transaction.atomic()
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.finding import Finding, Fix, Related, Severity
from django_dbaudit.project.effects.tree import Atomic
from django_dbaudit.rule import Rule

rule = Rule(code="TXN011", severity=Severity.ERROR, since="0.1")


@rule.check
def durable_nested(steps: ViewSteps) -> Iterator[Finding]:
    found = (
        (view, step, step.node.alias or "")
        for view, step in steps
        if isinstance(step.node, Atomic) and step.node.durable and step.is_ours and _outer(step) is not None
    )
    for place in group(found):
        outer = _outer(place.first)
        around = outer.location if outer is not None else place.location
        whose = (
            "ATOMIC_REQUESTS"
            if outer is not None and outer.origin == "request"
            else f"the block at {around}"
        )
        yield rule.finding(
            place.subject,
            f"The durable block at {place.location} is reached inside {whose}, from {place.seen_from}: "
            "Django raises RuntimeError.",
            fix=Fix("text", "Take the outer block away there, or durable=True."),
            **place.details([Related("atomic", "the block around it", around)]),
        )


def _outer(step: Step) -> Atomic | None:
    """A block around it of the same alias, both known."""
    known = isinstance(step.node, Atomic) and step.node.alias
    return next((block for block in step.blocks if known and block.alias == known), None)
