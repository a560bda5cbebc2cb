"""A view writes once, and the receiver of a signal writes again, in a transaction of its own.

``save()`` of a plain model sends ``pre_save`` and ``post_save`` outside any transaction. Whoever reads
the view sees one write; the receiver's comes apart from it. If the receiver fails, the request fails,
but the row is saved: a user without a profile, who can never log in.

**What counts.** All pieces but at most one are written by receivers of signals, read from the registry
that Django calls them by. Receivers inside a block that Django opens itself are not apart: those of
``delete()``, of ``get_or_create()``, and of ``m2m_changed``.

A *warning* where two tables of the project are written in different pieces, an *information* where it
is one table.

**When to leave it alone.** When what the receiver writes can be worked out again at any time: a
counter, a cache in a table.

**How to fix it.** Put ``with transaction.atomic():`` around the ``save()`` in the view. To do it once
for all views, open the block in the model's own ``save()``, around ``super().save()``: receivers run
inside it.

*Source:* `Signals <https://docs.djangoproject.com/en/stable/ref/signals/#post-save>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.pieces import ViewPieces
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.rule import Rule

rule = Rule(code="TXN004", severity=Severity.WARNING, since="0.1")


@rule.check
def receiver_writes(pieces: ViewPieces) -> Iterator[Finding]:
    for each in pieces.told_by(rule.name):
        yield rule.finding(
            each.subject,
            each.told(
                f"{each.name} commits in {each.number}, because receivers of signals write too: "
                f"{each.named}. "
                "If a receiver fails, the row stays without what it should have added."
            ),
            **each.details(),
        )
