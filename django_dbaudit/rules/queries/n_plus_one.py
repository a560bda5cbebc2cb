"""A line that asks the database anew for each row of a list.

The page that showed ten rows in development shows a thousand in production, and each costs a round trip
to the server: a second for every thousand on a quick network, whatever the queries themselves take.

**What counts.** The same statement from the same line of one view ``REPEATED_QUERIES`` times (3) or more
in one request, with different parameters; literals, lists of values, LIMIT and OFFSET left out of the
comparison. All ways of asking count: a relation followed, a deferred field, ``count()``, ``get()``,
``filter()``, an unevaluated queryset that is indexed, raw SQL, ``refresh_from_db()``, from code, a
template, a serializer, a stream or a coroutine. Lines below each other that follow the same relation
count together.

**What is never reported.** Pages of one queryset asked for in turn, by offset or by key; the batches
of one ``prefetch_related``, ``in_bulk`` or ``iterator``; reads that are a part of a write in a loop,
which ``per-row-writes`` names, of a ``delete()`` that cascades, or of the validation of each object; one
question asked again and again (``duplicate-query``).

**When to leave it alone.** When the loop can never be long. Raise ``REPEATED_QUERIES``, or keep the
finding in a baseline.

**How to fix it.** Fetch all at once what the loop fetches one by one: ``select_related`` for a foreign
key or one-to-one relation, ``prefetch_related`` for a relation to many, ``annotate`` for a count, sum or
existence, ``in_bulk`` or ``filter(pk__in=…)`` for single objects. From Django 6.1 on
``fetch_mode(models.FETCH_PEERS)`` does it for foreign keys and deferred fields when the first is read.

*Source:* `Database access optimization
<https://docs.djangoproject.com/en/stable/topics/db/optimization/#retrieve-everything-at-once-if-you-know-you-will-need-it>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.analysis.call_sites import CallSiteQueries
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import Traffic

rule = Rule(code="QRY001", severity=Severity.WARNING, since="0.1")

_HAS = "Annotate the queryset that gives the rows: annotate(has=Exists(…filter(…=OuterRef('pk'))))."
_NUMBER = "Annotate the queryset that gives the rows: annotate(number=Count('{name}'))."
_ONE_OF_THEM = "Annotate the rows with a Subquery(…[:1]), or fetch all in one query and choose in Python."
#: By what is done, whichever relation it is done with.
ADVICE = {
    "deferred-field": "Take the field out of defer(), or add it to only() or to the raw query that fetches "
    "the rows. From Django 6.1 on, fetch_mode(models.FETCH_PEERS) loads it for all of them at once.",
    "count": _NUMBER,
    "aggregate": _NUMBER,
    "exists": _HAS,
    "contains": _HAS,
    "first": _ONE_OF_THEM,
    "last": _ONE_OF_THEM,
    "latest": _ONE_OF_THEM,
    "earliest": _ONE_OF_THEM,
    "refresh_from_db": "Fetch the rows again in one query, filter(pk__in=…) or in_bulk(), in place of "
    "refreshing each.",
    "prefetch_related_objects": "Call prefetch_related_objects() once, with the whole list.",
}
FOLLOW_TO_ONE = (
    "Add select_related('{name}') to the queryset that gives the rows (prefetch_related('{name}') for a "
    "generic relation); from Django 6.1 on, fetch_mode(models.FETCH_PEERS) does as well."
)
FOLLOW_TO_MANY = (
    "Add prefetch_related('{name}') to the queryset that gives the rows and use .all(); a filter goes into "
    "a Prefetch object."
)
WITHOUT_A_RELATION = {
    "index": "Evaluate the queryset once, books = list(books), and index the list.",
    "cursor": "Ask for all values in one statement: WHERE … = ANY(%s) with a list.",
}
OTHERWISE = "Fetch all before the loop, with filter(…__in=…) or in_bulk(), and look them up in a dict."


@rule.check
def n_plus_one(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        for asked in call_sites.read_in_loops(view, thresholds):
            yield _finding(asked)


def _finding(asked: CallSiteQueries) -> Finding:
    first, view = asked.first, asked.view
    most = max(asked.most_executions, len({each.site for each in asked.records}))
    of = f" for {first.relation}" if first.relation else ""
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} asks{of} {words.count(most, 'time')} in one request, "
        f"at {call_sites.where(asked.site)}: {call_sites.shortened(first.fingerprint)}.",
        fix=Fix("text", _advice(asked)),
        **asked.details(most_executions=most, how=first.how, relation=first.relation, phase=first.phase),
    )


def _advice(asked: CallSiteQueries) -> str:
    how, name = asked.first.how, asked.first.relation.rpartition(".")[2]
    if how in ADVICE:
        return ADVICE[how].format(name=name or "…")
    if name:
        return FOLLOW_TO_ONE.format(name=name) if how == "relation" else FOLLOW_TO_MANY.format(name=name)
    return WITHOUT_A_RELATION.get(how, OTHERWISE)
