"""An asynchronous view that commits in several pieces, where no atomic block can be.

``transaction.atomic()`` cannot be entered in a coroutine, and ``ATOMIC_REQUESTS`` does not work for
asynchronous views. So each ``await`` of ``acreate()``, ``asave()`` or ``adelete()`` is committed for
itself; and between two of them the client may hang up, which cancels the coroutine right there.

**What counts.** An asynchronous view that commits in at least two pieces. What stands in a synchronous
function with an ``atomic`` block that is awaited through ``sync_to_async()`` is one piece.

An *error* where ``ATOMIC_REQUESTS`` covers an asynchronous view: Django refuses to run it. Else a
*warning* where two tables of the project are written in different pieces, an *information* where it is
one table, or where only a framework's bookkeeping is apart.

**When to leave it alone.** When the first write must stay whatever comes after it.

**How to fix it.** Move the writes into one function that is not asynchronous, decorate that with
``@transaction.atomic``, and ``await sync_to_async(function)(...)``.

*Source:* `Asynchronous support, transactions
<https://docs.djangoproject.com/en/stable/topics/async/#queries-the-orm>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.pieces import ViewPieces
from django_dbaudit.finding import Finding, Fix, Severity, Subject
from django_dbaudit.project.effects.facts import Effects
from django_dbaudit.project.views import View
from django_dbaudit.rule import Rule

rule = Rule(code="TXN008", severity=Severity.WARNING, since="0.1")


@rule.check
def async_view_writes(effects: Effects, pieces: ViewPieces) -> Iterator[Finding]:
    for one in effects.items:
        if one.view.is_async and one.view.atomic_requests:
            yield _failing(one.view)
    for each in pieces.told_by(rule.name):
        yield rule.finding(
            each.subject,
            each.told(
                f"{each.name} is asynchronous and commits in {each.number}: {each.named}. "
                "An error, or a client that hangs up, keeps the first without the rest."
            ),
            **each.details(),
        )


def _failing(view: View) -> Finding:
    alias = view.atomic_requests[0]
    return rule.finding(
        Subject("view", view.name, method=view.method),
        f"{view.name} ({view.method}) is asynchronous, and ATOMIC_REQUESTS of {alias} covers it: Django "
        "answers every request with RuntimeError.",
        severity=Severity.ERROR,
        evidence={"alias": alias, "routes": list(view.routes)},
        location=view.location,
        fix=Fix("text", f'Decorate it with @transaction.non_atomic_requests(using="{alias}").'),
        identity=(view.name, view.method, alias),
    )
