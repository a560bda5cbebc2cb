"""A database error is caught inside an atomic block, which can no longer be committed.

When a statement fails, PostgreSQL aborts the whole transaction. Catching the exception does not mend
that: the next query raises ``TransactionManagementError``; and if there is none, the view answers as if
all was well, and everything in the block is silently rolled back.

**What counts.** A ``try`` inside an ``atomic`` block, or in a view under ``ATOMIC_REQUESTS``, with a
write in its body, an ``except`` that catches ``IntegrityError``, another database error or
``Exception``, and no ``atomic`` block of its own between the two. ``get_or_create()`` and
``update_or_create()`` bring one. A handler that raises again, or calls
``transaction.set_rollback(True)``, swallows nothing.

**When to leave it alone.** When nothing else is written in the block, and its loss is what the handler
reports.

**How to fix it.** Put ``with transaction.atomic():`` inside the ``try``, around the statement that may
fail: it makes a savepoint, to which alone is rolled back. Or catch the exception outside the block.

*Source:* `Avoid catching exceptions inside atomic
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#controlling-transactions-explicitly>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.blocks import block_named
from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps, walk
from django_dbaudit.finding import Finding, Fix, Related, Severity
from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.tree import (
    Atomic,
    Branch,
    Handler,
    Later,
    Node,
    OnCommit,
    Raise,
    Rollback,
    Sequence,
    Try,
    Write,
)
from django_dbaudit.rule import Rule

rule = Rule(code="TXN012", severity=Severity.WARNING, since="0.1")

#: Django's own blocks with a savepoint; its others are made without one.
WITH_SAVEPOINT = ("QuerySet.get_or_create", "QuerySet.update_or_create")


@rule.check
def swallowed_database_error(steps: ViewSteps) -> Iterator[Finding]:
    found = (
        (view, step, _at_risk(step)) for view, step in steps if isinstance(step.node, Try) and step.is_ours
    )
    for place in group(each for each in found if each[2]):
        block = place.first.blocks[0]
        yield rule.finding(
            place.subject,
            f"An error of a write to {place.detail} is caught at {place.location} in {block_named(block)}, "
            "which PostgreSQL has aborted by then: what the block holds is lost, and the next query fails.",
            fix=Fix(
                "text",
                "Put with transaction.atomic(): inside the try, around the statement that may fail, "
                "or catch the exception outside the block.",
            ),
            **place.details([Related("atomic", "the block", block.location)]),
        )


def _at_risk(step: Step) -> str:
    """The table that is written to in the body, where a handler swallows what fails there."""
    node = step.node
    if not isinstance(node, Try) or not step.blocks or not any(map(_swallows, node.handlers)):
        return ""
    for inner in walk(node.body, step):
        if (
            isinstance(inner.node, Write)
            and step.blocks_on(inner.node.alias)
            and not _is_guarded(inner, step)
        ):
            return inner.node.table or "a table"
    return ""


def _swallows(handler: Handler) -> bool:
    if not handler.catches_database_errors or not handler.catches:
        return False
    mends = any(isinstance(each, Rollback) for each in tree.walk(handler.body))
    return not mends and not _raises(handler.body)


def _raises(node: Node) -> bool:
    """Whether every way through it ends in an exception."""
    if isinstance(node, Sequence):
        return any(map(_raises, node.steps))
    if isinstance(node, Branch):
        return all(map(_raises, node.alternatives))
    return isinstance(node, Raise)


def _is_guarded(inner: Step, outer: Step) -> bool:
    """Whether a savepoint, a handler of its own or a later time stands between the two."""
    for each in inner.around():
        if each is outer:
            return False
        node = each.node
        if isinstance(node, (Later, OnCommit)):
            return True
        if isinstance(node, Atomic) and not node.wraps and (node.savepoint or node.how in WITH_SAVEPOINT):
            return True
        if isinstance(node, Try) and any(map(_swallows, node.handlers)):
            return True
    return False
