"""A loop that commits each of its rounds: an error in the middle keeps the rounds before it.

Outside ``transaction.atomic()`` every ``save()`` is committed at once. When the request fails at the
third row of five, two are saved and nobody knows which; a second try writes them again. And each round
waits for the disk: a hundred commits take a hundred flushes of the write-ahead log, one takes one.

**What counts.** A write in the body of a ``for``, a ``while`` or a comprehension, also in a function
called there, and in a function that calls itself; ``formset.save()`` and a serializer with
``many=True``, which save row by row. A loop that ends with its first write is none, nor is one inside
an ``atomic`` block, ``bulk_create()`` and ``QuerySet.update()`` are one statement each.

A *warning* where the rounds write to two tables or more, an *information* where it is one.

**When to leave it alone.** When each round is a job of its own, done or not done for itself, and a
second run goes on where the first one stopped.

**How to fix it.** Put ``with transaction.atomic():`` around the loop. If no ``save()`` method and no
receiver has to run, one ``bulk_create()``, ``bulk_update()`` or ``QuerySet.update()`` is quicker still.

*Source:* `Controlling transactions explicitly
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#controlling-transactions-explicitly>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.pieces import ViewPieces
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.rule import Rule

rule = Rule(code="TXN002", severity=Severity.WARNING, since="0.1")


@rule.check
def write_loop(pieces: ViewPieces) -> Iterator[Finding]:
    for each in pieces.told_by(rule.name):
        yield rule.finding(
            each.subject,
            each.told(
                f"{each.name} commits once for each round of a loop: {each.named}. "
                "An error in one round keeps those before it."
            ),
            **each.details(),
        )
