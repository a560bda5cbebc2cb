"""``update()`` of a child model writes to its parent's table too: two statements, two commits.

A model that inherits from another, not abstract one lies in two tables. ``QuerySet.update()`` with
fields of both sends one UPDATE for each table, and opens no transaction around them, although
``save()`` does. If the second one fails, for a constraint or a lock timeout, the first is already
committed.

**What counts.** One call of ``update()`` that has fields of more than one table, outside any ``atomic``
block. One with fields of one table only is one statement.

**When to leave it alone.** When the fields have nothing to do with each other.

**How to fix it.** Put ``with transaction.atomic():`` around the call.

*Source:* `Multi-table inheritance
<https://docs.djangoproject.com/en/stable/topics/db/models/#multi-table-inheritance>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.pieces import ViewPieces
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.rule import Rule

rule = Rule(code="TXN006", severity=Severity.WARNING, since="0.1")


@rule.check
def multi_table_update(pieces: ViewPieces) -> Iterator[Finding]:
    for each in pieces.told_by(rule.name):
        yield rule.finding(
            each.subject,
            each.told(
                f"{each.name} updates {len(each.own)} tables with one update(): {each.named}. "
                "It opens no transaction: an error in the second statement keeps the first."
            ),
            **each.details(),
        )
