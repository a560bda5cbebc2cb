"""Mail, a task or a message goes out inside a transaction that may still be rolled back.

When the transaction fails later, or its COMMIT does, the mail has been sent: the customer is told of an
order that does not exist. A task that is queued before the commit may be started at once, by a worker
that does not find the row. A file or a cache entry that is deleted stays deleted.

**What counts.** In a block that also writes to the project's tables: mail, tasks (``delay()`` and its
like), messages to channels (*warnings*), changes to caches and files (*information*). In blocks that
somebody wrote, under ``ATOMIC_REQUESTS``, and in those that Django opens, such as the admin's pages and
the receivers of ``delete()``. What is registered with ``on_commit()``, ``delay_on_commit()`` and queues
that live in the same database are right. Calls over the network are told by
``long-work-in-transaction``.

**When to leave it alone.** When the effect is harmless if the row is missing: a cache entry that is
only read again, a message to developers.

**How to fix it.** ``transaction.on_commit(partial(send_mail, …))``, or ``task.delay_on_commit(…)``.

*Source:* `Performing actions after commit
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.blocks import block_named, writes_own
from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.finding import Finding, Fix, Related, Severity
from django_dbaudit.project.effects.tree import Atomic, SideEffect
from django_dbaudit.rule import Rule

rule = Rule(code="TXN015", severity=Severity.WARNING, since="0.1")

LOUD = ("mail", "task", "channel")
QUIET = ("cache", "file")
#: Ways to queue a task that wait for the commit by themselves.
DEFERRED = ("delay_on_commit", "apply_async_on_commit")
#: Queues that are tables, and so belong in the transaction.
IN_DATABASE = ("procrastinate.", "pgq.", "django_pgpubsub.")


@rule.check
def side_effect_in_transaction(steps: ViewSteps) -> Iterator[Finding]:
    found = ((view, step, _effect(step)) for view, step in steps if step.is_ours)
    for place in group(each for each in found if each[2]):
        block = _block(place.first)
        effect, _, name = place.detail.partition(" ")
        yield rule.finding(
            place.subject,
            f"{name} ({effect}) runs at {place.location} inside {block_named(block)}, called from "
            f"{place.seen_from}: if that is rolled back, it has happened all the same.",
            severity=Severity.WARNING if effect in LOUD else Severity.INFO,
            fix=Fix(
                "text",
                f"Hand it to transaction.on_commit({_using(block)}), so that it runs after the commit.",
            ),
            **place.details([Related("atomic", "the block", block.location)], effect=effect),
        )


def _using(block: Atomic) -> str:
    return f'..., using="{block.alias}"' if block.alias not in (None, "default") else "..."


def _effect(step: Step) -> str:
    node = step.node
    if not isinstance(node, SideEffect) or node.effect not in (*LOUD, *QUIET) or step.when:
        return ""
    if node.name.endswith(DEFERRED) or node.name.startswith(IN_DATABASE):
        return ""
    is_risky = any(map(writes_own, step.blocks))
    return f"{node.effect} {node.name}" if is_risky else ""


def _block(step: Step) -> Atomic:
    """The outermost block that writes: what it is committed with."""
    return [block for block in step.blocks if writes_own(block)][-1]
