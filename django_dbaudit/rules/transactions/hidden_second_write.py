"""One ``save()`` that writes twice: its form, its serializer or its model hides the second commit.

``form.save()`` saves the row and then, apart from it, each many-to-many field. A ``save()`` that a
model overrides may save other rows before and after its own. The view reads as if it wrote once, so
nobody thinks of a transaction; and an error in between keeps the row without its relations.

**What counts.** All pieces come from one line, or from within one method that is called ``save()``,
``create()``, ``update()`` or ``delete()``: of a model, a form, a serializer; also below generic views,
which hold no write in their own source.

A *warning* where two tables of the project are written in different pieces, an *information* where it
is one table.

**When to leave it alone.** When the second row can be worked out again from the first.

**How to fix it.** In the method that holds both writes, put ``with transaction.atomic():`` around them:
then no caller has to know. For a form with many-to-many fields, put it around ``form.save()``, in a
generic view around ``super().form_valid(form)``.

*Source:* `The save() method
<https://docs.djangoproject.com/en/stable/topics/forms/modelforms/#the-save-method>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.pieces import ViewPieces
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.rule import Rule

rule = Rule(code="TXN005", severity=Severity.WARNING, since="0.1")


@rule.check
def hidden_second_write(pieces: ViewPieces) -> Iterator[Finding]:
    for each in pieces.told_by(rule.name):
        yield rule.finding(
            each.subject,
            each.told(
                f"{each.name} commits in {each.number}, though it reads like one write: {each.named}. "
                "An error after the first keeps it without the rest."
            ),
            **each.details(),
        )
