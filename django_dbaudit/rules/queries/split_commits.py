"""A request whose writes are committed in several pieces, though some of them are in a transaction.

An ``atomic`` block protects what is inside. What the same request writes before or after it, or in a second
block, is committed apart: a failure in between leaves half of the work done, which is the harder to see
as there is a transaction to be seen.

**What counts.** Requests whose writes were committed in two or more pieces, at least one of them an
``atomic`` block: the project's, Django's own (``delete``, ``get_or_create``, a relation's ``set``), or the
request's. Writes to two or more tables make it a warning.

**What is never reported.** Blocks that were rolled back, and writes that changed no row; Django's own
bookkeeping (sessions, admin log) and what a middleware writes; one piece in each of two databases, which
no transaction spans; the blocks of a ``TestCase``. Where all pieces are bare statements,
``autocommit-writes`` says so.

**When to leave it alone.** When the pieces are meant to be seen by others one after the other, or to stay
when the rest fails.

**How to fix it.** One outer ``with transaction.atomic():`` around all that belongs together; inner blocks
become savepoints.

*Source:* `Controlling transactions explicitly
<https://docs.djangoproject.com/en/stable/topics/db/transactions/#controlling-transactions-explicitly>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis import call_sites, commits
from django_dbaudit.analysis.commits import Pieces, in_pieces
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import Traffic

rule = Rule(code="QRY013", severity=Severity.WARNING, since="0.1")


@rule.check
def split_commits(traffic: Traffic) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        ways = [each for each in in_pieces(view) if not each.is_all_bare]
        if ways:
            yield _finding(ways)


def _finding(ways: list[Pieces]) -> Finding:
    return rule.finding(
        call_sites.subject(ways[0].view),
        commits.message(ways, "some of them in a transaction"),
        fix=Fix("text", "Put one outer with transaction.atomic(): around all that belongs together."),
        **commits.details(ways),
    )
