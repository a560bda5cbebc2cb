"""An ``atomic`` block of one database around writes to another.

``transaction.atomic()`` opens a transaction on ``default``. What ``using()`` or a router sends
elsewhere is committed there at once, statement by statement, and stays when the block is rolled back.

**What counts.** A block whose alias is known, with writes to another alias that no block of that alias
holds: where the block holds no write and no lock of its own alias, and so does nothing, or where at
least two writes go to the other one. One single write to another database next to those of the block is
left alone: no transaction can hold both.

**When to leave it alone.** When both aliases lead to the same database, and no more than one is written
to.

**How to fix it.** Name the alias: ``with transaction.atomic(using="archive"):``; where a router
decides, ``transaction.atomic(using=router.db_for_write(Model))``.

*Source:* `Multiple databases
<https://docs.djangoproject.com/en/stable/topics/db/multi-db/>`__,
`transaction.atomic()
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps, may_be, walk
from django_dbaudit.analysis.verdicts import is_bookkeeping
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.project.effects.tree import Atomic, Read, Write
from django_dbaudit.rule import Rule

rule = Rule(code="TXN020", severity=Severity.WARNING, since="0.1")


@rule.check
def atomic_on_wrong_alias(steps: ViewSteps) -> Iterator[Finding]:
    found = ((view, step, _elsewhere(step)) for view, step in steps if step.is_ours)
    for place in group(each for each in found if each[2]):
        alias, _, other = place.detail.partition(" ")
        yield rule.finding(
            place.subject,
            f"The atomic block at {place.location} is on {alias}, but it holds writes to {other}, called "
            f"from {place.seen_from}: there each statement is committed for itself.",
            fix=Fix("text", f'Put with transaction.atomic(using="{other}"): around the writes to {other}.'),
            **place.details(alias=alias, writes_to=other),
        )


def _elsewhere(step: Step) -> str:
    """The block's alias, and the one that it should have."""
    block = step.node
    if not isinstance(block, Atomic) or block.origin != "project" or block.wraps or block.alias is None:
        return ""
    inner = [each for each in walk(block.body, step) if not each.when or each.when == step.when]
    own = any(
        may_be(each.node.alias, block.alias)
        for each in inner
        if isinstance(each.node, Write) or (isinstance(each.node, Read) and each.node.locks)
    )
    other = [
        each.node
        for each in inner
        if isinstance(each.node, Write)
        and not is_bookkeeping(each.node)
        and not each.blocks_on(each.node.alias)
    ]
    return f"{block.alias} {other[0].alias}" if other and (not own or len(other) > 1) else ""
