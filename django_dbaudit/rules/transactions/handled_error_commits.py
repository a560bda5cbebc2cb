"""A view answers with an error, and what it had written by then stays.

Only an exception that *leaves* an ``atomic`` block rolls it back. ``return HttpResponseBadRequest()``
leaves it like any other ``return``: the block is committed, and ``ATOMIC_REQUESTS`` too. Django REST
framework makes responses of its exceptions before they reach a block around ``dispatch()``, so
``@method_decorator(transaction.atomic, name="dispatch")`` looks as if it protected, and does not. The
client is told that nothing was done, tries again, and it is done twice.

**What counts.** A ``return`` with a status of 400 or more after a write on the same way; and an
exception that Django REST framework answers, after a write that no block inside its ``dispatch()``
holds, unless ``ATOMIC_REQUESTS`` is set, which the framework does roll back. After
``transaction.set_rollback(True)`` nothing stays. Rows that count attempts or keep a log have to stay,
and are left alone: tables and fields of such names.

A *warning* in a transaction, whose author expects it to be rolled back; else an *information*.

**When to leave it alone.** When what was written describes the failure.

**How to fix it.** Check first and write then; raise instead of returning; or call
``transaction.set_rollback(True)`` before the ``return``. With Django REST framework, put
``@transaction.atomic`` on the handler, such as ``post()``.

*Source:* `Tying transactions to HTTP requests
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#tying-transactions-to-http-requests>`__,
`Django REST framework, exceptions
<https://www.django-rest-framework.org/api-guide/exceptions/>`__.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django_dbaudit.analysis import lazy_rows
from django_dbaudit.analysis.error_answers import ErrorAnswers
from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.project.effects.facts import ViewEffects
from django_dbaudit.project.effects.tree import Raise, Write
from django_dbaudit.rule import Rule

rule = Rule(code="TXN019", severity=Severity.WARNING, since="0.1")

#: Tables and fields that are there to outlive a failure.
MEANT = re.compile(
    r"attempt|fail|lock|throttl|audit|log(s|ged)?$|log_?entr|histor|bucket|limit|event|error|retr(y|ies)"
)


@rule.check
def handled_error_commits(steps: ViewSteps) -> Iterator[Finding]:
    for place in group(_errors(steps)):
        is_held = any(step.blocks for step in place.steps)
        status = getattr(place.first.node, "status", None)
        answer = f"answers {status}" if status else "raises an exception that becomes an answer"
        yield rule.finding(
            place.subject,
            f"{place.function} {answer} at {place.location} after it may have written to {place.detail}, "
            f"called from {place.seen_from}: what is written "
            f"{'is committed' if is_held else 'stays'}, and the client is told that it failed.",
            severity=Severity.WARNING if is_held else Severity.INFO,
            fix=Fix(
                "text", "Check before anything is written, raise, or call transaction.set_rollback(True)."
            ),
            **place.details(table=place.detail),
        )


def _errors(steps: ViewSteps) -> Iterator[tuple[ViewEffects, Step, str]]:
    for view, found in steps.items:
        answers = {id(node): writes for node, writes in ErrorAnswers(view.body).found}
        lazy = lazy_rows.of(found)
        for step in found:
            left = [
                write
                for write in answers.get(id(step.node), ())
                if not _is_meant(write) and id(write) not in lazy
            ]
            if left and step.is_ours and not (isinstance(step.node, Raise) and view.view.atomic_requests):
                yield view, step, left[0].table or "a table"


def _is_meant(write: Write) -> bool:
    return write.origin != "project" or any(MEANT.search(name) for name in (write.table, *write.fields))
