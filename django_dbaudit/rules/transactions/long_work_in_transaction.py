"""A transaction stays open while the view waits for another server, a program or the clock.

Until it ends, every row it has written stays locked, VACUUM can remove nothing that has died since it
began, and its connection serves nobody else. When the other server takes thirty seconds to time out,
all who want the same rows wait with it. And what the other server has done stays done when the
transaction is rolled back.

**What counts.** A call over HTTP, a subprocess or a ``sleep()`` inside a block that also reads or
writes: one that somebody wrote, that of ``ATOMIC_REQUESTS``, or one that Django opens. A *warning*
where the block writes, and so holds locks, an *information* where it only reads.

**When to leave it alone.** When what is called is next door and answers in a millisecond.

**How to fix it.** Do the work first, and open the block for its result; or hand it to ``on_commit()``
and a task. Under ``ATOMIC_REQUESTS`` exempt the view with ``@transaction.non_atomic_requests``, and
open blocks in it.

*Source:* `idle_in_transaction_session_timeout
<https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.blocks import block_named, writes_own
from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.finding import Finding, Fix, Related, Severity
from django_dbaudit.project.effects.tree import Read, SideEffect, Write, walk
from django_dbaudit.rule import Rule

rule = Rule(code="TXN016", severity=Severity.WARNING, since="0.1")

WAITING = ("http", "process", "sleep")


@rule.check
def long_work_in_transaction(steps: ViewSteps) -> Iterator[Finding]:
    found = ((view, step, _work(step)) for view, step in steps if step.is_ours)
    for place in group(each for each in found if each[2]):
        block = place.first.blocks[-1]
        holds_locks = any(map(writes_own, place.first.blocks))
        yield rule.finding(
            place.subject,
            f"{place.detail} runs at {place.location} inside {block_named(block)}, called from "
            f"{place.seen_from}: the transaction{' and its locks stay' if holds_locks else ' stays'} open.",
            severity=Severity.WARNING if holds_locks else Severity.INFO,
            fix=Fix(
                "text", f"Move it before {block_named(block)}, or after it, with transaction.on_commit()."
            ),
            **place.details([Related("atomic", "the block", block.location)]),
        )


def _work(step: Step) -> str:
    node = step.node
    if not isinstance(node, SideEffect) or node.effect not in WAITING or step.when:
        return ""
    asks = any(isinstance(each, (Read, Write)) for block in step.blocks for each in walk(block))
    return node.name if asks else ""
