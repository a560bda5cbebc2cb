"""An ``on_commit()`` callback that runs too early, for the wrong row, or for the wrong database.

``transaction.on_commit()`` outside a transaction runs the callback *at once*: before the writes that
follow it, which may still fail. It waits for the transaction of one alias, the default one if nothing
is said. And a ``lambda`` in a loop sees the loop's variable as it is in the end, when all callbacks
run: each of them acts on the last row.

**What counts.** A callback that takes a name from the loop around it; one that is registered outside
every block of its alias while the view goes on to write; one that is registered inside a block, but of
another alias.

Not where nothing is written afterwards: a function may not know whether its caller has a transaction.

**When to leave it alone.** When the callback has nothing to do with what is written afterwards.

**How to fix it.** ``on_commit(partial(send, order.pk))`` binds the value now. Put ``with
transaction.atomic():`` around the writes and the ``on_commit()``; name the alias: ``on_commit(callback,
using="archive")``.

*Source:* `on_commit()
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.on_commit>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.blocks import writes_within
from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.analysis.verdicts import is_bookkeeping
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.project.effects.tree import Node, OnCommit
from django_dbaudit.rule import Rule

rule = Rule(code="TXN017", severity=Severity.WARNING, since="0.1")

SAYS = {
    "binds late": "takes a name from the loop around it, and all its callbacks see the last value",
    "too early": "stands in no block, so its callback runs at once, before the writes that follow",
    "wrong alias": "waits for another alias than the block around it, so its callback runs at once",
}
MENDS = {
    "binds late": "Bind the value where it is known: on_commit(functools.partial(...)).",
    "too early": "Put with transaction.atomic(): around the on_commit() and the writes that follow.",
    "wrong alias": "Name the alias of the block: on_commit(..., using=...).",
}


@rule.check
def misused_on_commit(steps: ViewSteps) -> Iterator[Finding]:
    found = ((view, step, _misuse(step)) for view, step in steps if step.is_ours)
    for place in group(each for each in found if each[2]):
        yield rule.finding(
            place.subject,
            f"The on_commit() at {place.location} {SAYS[place.detail]}, called from {place.seen_from}.",
            fix=Fix("text", MENDS[place.detail]),
            **place.details(),
        )


def _misuse(step: Step) -> str:
    node = step.node
    if not isinstance(node, OnCommit) or step.when:
        return ""
    if node.binds_late:
        return "binds late"
    if step.blocks_on(node.alias):
        return ""
    if step.blocks:
        return "wrong alias"
    return "too early" if any(map(_writes, step.following())) else ""


def _writes(node: Node) -> bool:
    return any(not is_bookkeeping(write) and write.origin == "project" for write in writes_within(node))
