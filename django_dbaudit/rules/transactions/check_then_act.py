"""A row is looked for and then made, and nothing in the database keeps two requests from both doing so.

Both look, both find nothing, both insert. Without a unique constraint the second row stays, and from
then on ``get()`` raises ``MultipleObjectsReturned``. A transaction does not help: at READ COMMITTED
neither request sees what the other has not committed. ``get_or_create()`` and ``update_or_create()``
have the same gap: it is the unique constraint that closes it, and after which they look again.

**What counts.** ``get_or_create()`` or ``update_or_create()`` with a lookup that no unique field and no
unique constraint covers; and ``exists()``, ``first()`` or ``get()`` with such a lookup, after which a
row of the same model is inserted on one way and not on the other, as below ``if not …exists():`` or
``except Model.DoesNotExist:``. Not where a lock is held: ``select_for_update()`` in the same block.
Only fields that are compared for equality are held against the constraints.

**When to leave it alone.** When duplicates do no harm, when the unique index exists in the database
only, made by ``RunSQL``, or when another lock lets one request in at a time.

**How to fix it.** Add a ``UniqueConstraint`` over the fields of the lookup, with its ``condition`` if
there is one; then use ``get_or_create()``, or catch ``IntegrityError`` outside the block.

*Source:* `get_or_create()
<https://docs.djangoproject.com/en/stable/ref/models/querysets/#get-or-create>`__,
`Feral Concurrency Control <https://dl.acm.org/doi/10.1145/2723372.2737784>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.lazy_rows import TOGETHER, made_after, made_past
from django_dbaudit.analysis.places import group
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.project.effects.tree import Node, Read, walk
from django_dbaudit.rule import Rule

rule = Rule(code="TXN014", severity=Severity.WARNING, since="0.1")

#: Blocks of Django's around a look of its own, which locks what it finds and not what is missing.
OWN = ("QuerySet.get_or_create", "QuerySet.update_or_create")


@rule.check
def check_then_act(steps: ViewSteps) -> Iterator[Finding]:
    found = ((view, step, _looked_for(step)) for view, step in steps if step.is_ours)
    for place in group(each for each in found if each[2]):
        read = place.first.node
        how = read.how if isinstance(read, Read) else ""
        table, _, names = place.detail.partition(": ")
        more = " and more" if isinstance(read, Read) and read.is_narrowed else ""
        then = "" if how in TOGETHER else " and then inserts it"
        yield rule.finding(
            place.subject,
            f"{place.function} looks for a row of {table} by {names}{more}, with {how}(){then}, from "
            f"{place.seen_from}; no unique constraint covers that, so two requests at once make two rows.",
            fix=Fix("text", f"Add {_constraint(read, names)} to the model of {table}."),
            **place.details(table=table, fields=names.split(", ")),
        )


def _constraint(read: Node, names: str) -> str:
    if isinstance(read, Read) and read.is_narrowed:
        return f"a constraint that covers {names} and the other conditions, such as an ExclusionConstraint,"
    return f"a UniqueConstraint on {names}"


def _looked_for(step: Step) -> str:
    read = step.node
    if not isinstance(read, Read) or not read.fields or read.is_unique is not False:
        return ""
    # update_or_create() locks the row that it finds, and not the one that is missing.
    if read.how in TOGETHER or (not read.locks and (made_after(step, read) or made_past(step, read))):
        return f"{read.table}: {', '.join(read.fields)}" if not _holds_lock(step) else ""
    return ""


def _holds_lock(step: Step) -> bool:
    """Whether a lock is taken in the block around it, on whatever it is that all of them lock first."""
    return any(
        isinstance(each, Read) and each.locks
        for block in step.blocks
        for each in walk(block)
        if block.how not in OWN
    )
