"""A view that commits its writes in several pieces: an error between two of them keeps the first.

Outside ``transaction.atomic()`` each statement is committed at once. When the second one fails, or the
process is killed before it, the first stays: an order without its lines, a payment without its receipt.
The test suite cannot show it, because ``TestCase`` runs every test in a transaction of its own.

**What counts.** The rule reads the view's source, follows its calls, and counts what the database
commits at once on the worst way through: a bare statement is one piece, all that stands in one
``atomic`` block is one, also where Django opens it itself, as ``delete()``, ``get_or_create()`` and
``set()`` of a relation do. Receivers of ``post_save`` that write make a piece of their own, and so does
each many-to-many field that a form saves. Writes on different aliases are told apart, because no
transaction holds both. Where another rule says better what the pieces come from, it tells the view and
this one does not: ``write-loop``, ``receiver-writes``, ``hidden-second-write``, ``multi-table-update``,
``partly-covered-view``, ``admin-action-not-atomic``, ``async-view-writes`` and ``streaming-writes``.

A *warning* where at least two tables of the project are written in different pieces, an *information*
where it is one table, or where only a framework's bookkeeping is apart, such as sessions or the admin's
log. Views of installed packages are left to their authors unless code of the project's, such as a
receiver, takes part.

Where requests were recorded, each finding says what became of it: confirmed, with how often and
when a request was seen to commit these pieces apart; not seen in so many requests; or never requested.

**When to leave it alone.** When the first write must stay whatever comes after it: a row that counts
attempts, an audit trail, a status that others have to see while the work is done. Then say so on the
line of that write, or of the view's ``def`` or ``class``: ``# dbaudit: ok TXN001 because the attempt
counts even if the login fails``.

**How to fix it.** Put ``with transaction.atomic():`` around the writes, where the finding says; or set
``ATOMIC_REQUESTS`` in ``DATABASES``. Send mail and start tasks after it, with
``transaction.on_commit()``.

*Source:* `Database transactions
<https://docs.djangoproject.com/en/stable/topics/db/transactions/>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis.pieces import ViewPieces
from django_dbaudit.finding import Finding, NotRun, Severity
from django_dbaudit.project.effects.facts import Effects
from django_dbaudit.rule import Rule

rule = Rule(code="TXN001", severity=Severity.WARNING, since="0.1")


@rule.check
def split_writes(pieces: ViewPieces, effects: Effects) -> Iterator[Finding | NotRun]:
    for each in pieces.told_by(rule.name):
        yield rule.finding(
            each.subject,
            each.told(
                f"{each.name} commits in {each.number}: {each.named}. "
                "An error after the first keeps it without the rest."
            ),
            **each.details(),
        )
    for problem in effects.problems:
        yield rule.not_run(
            f"only in part: the views of {problem.urlconf} are not known, because it cannot be loaded: "
            f"{problem.reason}"
        )
