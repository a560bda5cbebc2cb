"""A ``non_atomic_requests`` that Django does not see: the view runs in a transaction all the same.

Django asks the callback that the URLconf names, and nothing else. On ``get()`` or ``post()`` of a
class-based view, on the action of a viewset, or below a decorator that was written without
``functools.wraps``, the mark is not there. Code that relies on being outside a transaction, such as a
durable block or a long download, then fails or holds one open.

**What counts.** A function marked for an alias with ``ATOMIC_REQUESTS``, while the callback that leads
to it is not.

**When to leave it alone.** Never: take it away if it is not needed.

**How to fix it.** On a class, ``@method_decorator(transaction.non_atomic_requests, name="dispatch")``;
on a function, make it the outermost decorator, or give the others ``functools.wraps``.

*Source:* `non_atomic_requests()
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.non_atomic_requests>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.finding import Finding, Fix, Related, Severity, Subject
from django_dbaudit.project.effects.facts import Effects
from django_dbaudit.project.views import Misplaced, View
from django_dbaudit.rule import Rule

rule = Rule(code="TXN021", severity=Severity.WARNING, since="0.1")


@rule.check
def misplaced_non_atomic_requests(effects: Effects) -> Iterator[Finding]:
    found: dict[Misplaced, list[View]] = {}
    for each in effects.items:
        for misplaced in each.view.misplaced:
            found.setdefault(misplaced, []).append(each.view)
    for misplaced, views in found.items():
        first = views[0]
        yield rule.finding(
            Subject("function", misplaced.name),
            f"non_atomic_requests on {misplaced.name} is not seen by Django: {first.name} ({first.method}) "
            f"still runs in the transaction of {misplaced.alias} that ATOMIC_REQUESTS opens.",
            evidence={"alias": misplaced.alias, "routes": list(first.routes)},
            location=misplaced.location,
            related=[Related("view", f"{view.name} ({view.method})", view.location) for view in views],
            fix=Fix("text", f"Put it on {_where(first)}."),
            identity=(misplaced.name, misplaced.alias),
        )


def _where(view: View) -> str:
    if view.kind in ("class", "viewset"):
        return 'the class, as @method_decorator(transaction.non_atomic_requests, name="dispatch")'
    return "the outside of all decorators, or give those around it functools.wraps"
