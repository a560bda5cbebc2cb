"""A view that was seen to write what reading its code did not tell: our analysis has a gap here.

Recorded traffic and the view's source are two witnesses to the same thing. Where requests committed in
more pieces than the analysis finds ways to, or wrote where it finds nothing that writes, the analysis is
wrong about this view, and what the other transaction rules say of it, or do not say, is not to be
trusted.

**What counts.** A view that analysis calls *reads-only* and that was seen to write; or one that analysis
says commits once at most, in a block or without, and that was seen to commit in two pieces or more.

**What is never reported.** Views of which analysis says itself that calls in them are not resolved: it
promised nothing. Django's own bookkeeping (sessions, admin log), what a middleware writes, and what was
rolled back or changed no row.

**When to leave it alone.** When the view was changed after the traffic was recorded, or is called in
ways that only a test suite knows, with parts of it replaced.

**How to fix it.** Judge the view by what was seen: ``autocommit-writes`` and ``split-commits`` do. Then
`report it <https://github.com/django-dbaudit/django-dbaudit/issues>`__, with the lines that are named
here: what the analysis did not follow stands on the way from the view to them.

*Source:* `Database transactions
<https://docs.djangoproject.com/en/stable/topics/db/transactions/>`__.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django_dbaudit import words
from django_dbaudit.analysis import call_sites, verdicts
from django_dbaudit.analysis.testimony import Seen, Testimony
from django_dbaudit.analysis.verdicts import Verdicts
from django_dbaudit.finding import Finding, Fix, Severity, Subject
from django_dbaudit.project.effects.facts import ViewEffects
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import Traffic, WriteUnit

rule = Rule(code="TXN040", severity=Severity.INFO, since="0.1")

#: What each verdict promises of the view.
PROMISES = {
    verdicts.READS_ONLY: "that it writes nothing",
    verdicts.ONE_UNIT: "that it commits once at most",
    verdicts.PROTECTED: "that one transaction holds all it writes",
}


@rule.check
def unpredicted_write(judged: Verdicts, traffic: Traffic, testimony: Testimony) -> Iterator[Finding]:
    for each, verdict in judged.items:
        seen, word = testimony.of(each.view), verdict.word
        if not seen.units:
            continue
        if word == verdicts.READS_ONLY or (word in PROMISES and seen.ways):
            yield _finding(each, seen, word)


def _finding(each: ViewEffects, seen: Seen, word: str) -> Finding:
    view, units = each.view, seen.ways[0].units if seen.ways else seen.units
    return rule.finding(
        Subject("view", view.name, method=view.method),
        f"{view.name} ({view.method}) was seen to {_deed(seen)}: {_places(units)}. "
        f"From its code we had read {PROMISES[word]}.",
        evidence={"verdict": word, **seen.evidence},
        location=view.location,
        related=[line for unit in units for line in call_sites.related(unit.site)],
        fix=Fix("text", "Judge the view by what was seen, and report the gap together with these lines."),
    )


def _deed(seen: Seen) -> str:
    if not seen.ways:
        return "write"
    pieces = max(each.shape.most_units for each in seen.ways)
    return (
        f"commit in {words.count(pieces, 'piece')}, in {seen.requests_in_pieces:,} of "
        f"{words.count(seen.requests, 'recorded request')}"
    )


def _places(units: Sequence[WriteUnit]) -> str:
    return "; then ".join(f"{', '.join(unit.tables)} at {call_sites.where(unit.site)}" for unit in units)
