"""A transaction around nothing but reads.

BEGIN and COMMIT cost two round trips, and the connection is held, *idle in transaction*, while the view
works and the template is rendered. It gives no consistent picture either: at PostgreSQL's default
level, READ COMMITTED, each statement sees what has been committed by then.

**What counts.** An ``atomic`` block of the project's that is the outermost, and holds queries that
read, no write, no lock, no SQL of its own and no call that could not be resolved. And an alias with
``ATOMIC_REQUESTS`` where views for GET only read: that is told once for the alias, with their number.

**When to leave it alone.** When the level is REPEATABLE READ or SERIALIZABLE, and the reads have to
agree.

**How to fix it.** Take the block away. Under ``ATOMIC_REQUESTS``, exempt the busiest of these views
with ``@transaction.non_atomic_requests``; or leave the setting off, and put blocks where something is
written.

*Source:* `Tying transactions to HTTP requests
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#tying-transactions-to-http-requests>`__,
`Read committed isolation level
<https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import ViewSteps
from django_dbaudit.finding import Finding, Fix, Related, Severity, Subject
from django_dbaudit.project.effects.facts import ViewEffects
from django_dbaudit.project.effects.tree import (
    Atomic,
    Node,
    OnCommit,
    Read,
    Rollback,
    Unresolved,
    Write,
    walk,
)
from django_dbaudit.rule import Rule

rule = Rule(code="TXN023", severity=Severity.INFO, since="0.1")

#: Views that a message names.
NAMED = 5


@rule.check
def read_only_view_in_transaction(steps: ViewSteps) -> Iterator[Finding]:
    yield from _of_setting(steps)
    found = (
        (view, step, step.node.alias or "")
        for view, step in steps
        if isinstance(step.node, Atomic)
        and step.node.origin == "project"
        and not step.node.durable
        and not step.node.wraps
        and not step.blocks
        and step.is_ours
        and _only_reads(step.node.body)
    )
    for place in group(found):
        yield rule.finding(
            place.subject,
            f"The atomic block at {place.location} holds only reads, called from {place.seen_from}.",
            fix=Fix("text", "Take the block away."),
            **place.details(),
        )


def _of_setting(steps: ViewSteps) -> Iterator[Finding]:
    wrapped: dict[str, list[ViewEffects]] = {}
    for each, _ in steps.items:
        for alias in each.view.atomic_requests if each.view.method == "GET" else ():
            wrapped.setdefault(alias, []).append(each)
    for alias, views in wrapped.items():
        idle = [each for each in views if _only_reads(each.body)]
        if idle:
            names = [each.view.name for each in idle]
            yield rule.finding(
                Subject("setting", f'DATABASES["{alias}"]["ATOMIC_REQUESTS"]'),
                f"Of {words.count(len(views), 'view')} for GET that ATOMIC_REQUESTS of {alias} wraps, "
                f"{len(idle)} only read: {', '.join(names[:NAMED])}{' and more' * (len(names) > NAMED)}.",
                evidence={"views": len(views), "read_only": len(idle), "names": names},
                related=[Related("view", each.view.name, each.view.location) for each in idle[:NAMED]],
                fix=Fix("text", "Mark the busiest of them with @transaction.non_atomic_requests."),
            )


def _only_reads(body: Node) -> bool:
    """Whether it reads at all, and does nothing that needs a transaction, as far as we can tell."""
    nodes = list(walk(body))
    reads = [each for each in nodes if isinstance(each, Read)]
    needs = (Write, Unresolved, OnCommit, Rollback)
    return (
        bool(reads)
        and all(each.model and not each.locks for each in reads)
        and not any(isinstance(each, needs) for each in nodes)
    )
