"""An ``atomic`` block that cannot hold what it is put around.

``@transaction.atomic`` on a generator function ends when the generator is *made*: its body runs later,
in autocommit. On an ``async def`` it ends before the coroutine runs; and a ``with
transaction.atomic():`` inside of one raises ``SynchronousOnlyOperation`` as soon as it is entered.

**What counts.** The decorator on a generator or a coroutine function, and the block within a coroutine,
in the project's own code. A synchronous function with a block in it, awaited through
``sync_to_async()``, is right.

An *error* in a coroutine, where it fails or does nothing each time; a *warning* around a generator.

**When to leave it alone.** Never.

**How to fix it.** In a generator, put ``with transaction.atomic():`` into its body, around the
statements that belong together and without a ``yield`` in it. In a coroutine, move them into a
synchronous function and await that through ``sync_to_async()``.

*Source:* `transaction.atomic()
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic>`__,
`Asynchronous support <https://docs.djangoproject.com/en/stable/topics/async/>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.project.effects.tree import Atomic, Call
from django_dbaudit.rule import Rule

rule = Rule(code="TXN010", severity=Severity.WARNING, since="0.1")

#: By what the block is put around.
WHY = {
    "generator": "what it decorates is a generator, whose body runs when the block has ended",
    "coroutine": "what it decorates is a coroutine, which runs when the block has ended",
    "entered": "a coroutine cannot enter it, and fails with SynchronousOnlyOperation",
}


@rule.check
def atomic_does_nothing(steps: ViewSteps) -> Iterator[Finding]:
    found = ((view, step, _what(step)) for view, step in steps if step.is_ours)
    for place in group(each for each in found if each[2]):
        is_generator = place.detail == "generator"
        yield rule.finding(
            place.subject,
            f"The atomic block at {place.location} holds nothing: {WHY[place.detail]}.",
            severity=Severity.WARNING if is_generator else Severity.ERROR,
            fix=Fix(
                "text",
                "Put with transaction.atomic(): into the generator's own body."
                if is_generator
                else "Move what it holds into a function that is not async, and await that.",
            ),
            **place.details(),
        )


def _what(step: Step) -> str:
    node = step.node
    if not isinstance(node, Atomic) or node.origin != "project":
        return ""
    if node.wraps:
        return node.wraps
    function = step.function
    # What is one call alone may have been handed to sync_to_async, which enters the block elsewhere.
    is_in_coroutine = function is not None and function.is_async and not isinstance(node.body, Call)
    return "entered" if is_in_coroutine and not step.when else ""
