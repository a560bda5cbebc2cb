"""A view with an atomic block that leaves some of its writes outside.

Somebody has seen that the writes belong together, and put a block around some of them. What stands
before the block is committed when the block is rolled back, and what stands after it may never be
written. Two blocks one after the other are two transactions.

**What counts.** At least two pieces on the worst way through the view, of which an ``atomic`` block
that somebody wrote holds one. What an ``on_commit()`` callback writes is a piece of its own: it runs
when the transaction is over, and is lost if the process dies first. Blocks that end in an exception are
rolled back and count for nothing.

A *warning* where two tables of the project are written in different pieces, an *information* where it
is one table, or where only a framework's bookkeeping is apart.

**When to leave it alone.** When the parts are meant to be apart: an attempt that is counted before the
work begins, a row that says "in progress" for others to see.

**How to fix it.** Move the rest into the block, or put one around all of it: blocks may be nested, and
what a function guards for itself stays guarded.

*Source:* `Controlling transactions explicitly
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#controlling-transactions-explicitly>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.pieces import ViewPieces
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.rule import Rule

rule = Rule(code="TXN003", severity=Severity.WARNING, since="0.1")


@rule.check
def partly_covered_view(pieces: ViewPieces) -> Iterator[Finding]:
    for each in pieces.told_by(rule.name):
        yield rule.finding(
            each.subject,
            each.told(
                f"{each.name} commits in {each.number}, and its atomic block holds only a part: "
                f"{each.named}. "
                "An error in between keeps some and loses the rest."
            ),
            **each.details(),
        )
