"""An action of the admin that writes in several pieces: the admin opens no transaction for actions.

Adding, changing and deleting in the admin run in a transaction each. Actions do not: they run in
autocommit, from the list of rows, with a queryset of whatever was ticked. An action that goes through
it row by row and fails in the middle has done half of its work, with a page that says "server error".

**What counts.** An action of a ``ModelAdmin`` of the project's, or of its site, that commits in at
least two pieces, or in a loop. Django's own "delete selected" is left out: of it only the entries in
the admin's log stand apart.

A *warning* where two tables of the project are written in different pieces, an *information* where it
is one table.

**When to leave it alone.** When each row of the queryset is a matter of its own, and the message to the
user says how many were done.

**How to fix it.** Decorate the action with ``@transaction.atomic``, below ``@admin.action``.

*Source:* `Admin actions <https://docs.djangoproject.com/en/stable/ref/contrib/admin/actions/>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.pieces import ViewPieces
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.rule import Rule

rule = Rule(code="TXN007", severity=Severity.WARNING, since="0.1")


@rule.check
def admin_action_not_atomic(pieces: ViewPieces) -> Iterator[Finding]:
    for each in pieces.told_by(rule.name):
        yield rule.finding(
            each.subject,
            each.told(
                f"An action of {each.subject.name.removesuffix('.changelist_view')} commits in "
                f"{each.number}: {each.named}. The admin opens no transaction for actions."
            ),
            **each.details(),
        )
