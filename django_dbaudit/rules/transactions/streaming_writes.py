"""A streamed response writes: when its rows are made, the view and its transaction are over.

The body of the generator behind a ``StreamingHttpResponse`` runs while the response is sent, in
autocommit, also under ``ATOMIC_REQUESTS``. Each write is committed for itself; if one fails, the client
has half of the answer with status 200, and no rollback takes back what is written. If the client hangs
up, the rest is never written.

**What counts.** A write in a generator, or in what it calls, that a ``StreamingHttpResponse`` or a
``FileResponse`` is made of. Generators that only read are left alone.

**When to leave it alone.** When each row is marked as it is sent, and that is the point.

**How to fix it.** Write before the response is returned, in an ``atomic`` block; or, for a mark that
says "exported", in a request of its own that the client sends when it has everything.

*Source:* `Streaming and transactions
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#tying-transactions-to-http-requests>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import ViewSteps
from django_dbaudit.analysis.verdicts import is_bookkeeping
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.project.effects.tree import Write
from django_dbaudit.rule import Rule

rule = Rule(code="TXN018", severity=Severity.WARNING, since="0.1")


@rule.check
def streaming_writes(steps: ViewSteps) -> Iterator[Finding]:
    found = (
        (view, step, step.node.table or step.node.model)
        for view, step in steps
        if isinstance(step.node, Write)
        and step.when == "streaming"
        and step.is_ours
        and not is_bookkeeping(step.node)
    )
    for place in group(found):
        yield rule.finding(
            place.subject,
            f"{place.function} writes to {place.detail or 'a table'} while the response is streamed, "
            f"from {place.seen_from}: outside every transaction, and only as far as the client reads.",
            fix=Fix("text", "Write before the response is returned, in an atomic block."),
            **place.details(table=place.detail),
        )
