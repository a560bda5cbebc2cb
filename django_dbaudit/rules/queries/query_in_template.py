"""A query that a line of a template sends, because what it names was not fetched by the view.

A template is the last place where one looks for queries: its author sees an attribute. An error in the
query then breaks a page that is half rendered, and under ``ATOMIC_REQUESTS`` a ``TemplateResponse`` renders
after the transaction has ended.

**What counts.** A relation followed, a related manager's ``all``, ``count`` or ``exists``, or a deferred
field, named by a line of a Django template.

**What is never reported.** A queryset that the view put into the context and the template iterates, which
is how Django is meant; what a package asks on its own account, as Django does for ``user`` and ``perms``;
loops, which ``n-plus-one`` names.

**When to leave it alone.** When the part of the page is rarely shown, and the query with it.

**How to fix it.** Let the view fetch it: ``select_related``, ``prefetch_related`` or ``annotate``.

*Source:* `Database access optimization
<https://docs.djangoproject.com/en/stable/topics/db/optimization/#understand-queryset-evaluation>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.analysis.call_sites import CallSiteQueries
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import QueryTraffic, Traffic

#: What a template can do by itself to a queryset without a relation. To take it as a whole is what the
#: view may have put it there for; a method with arguments is called by somebody else's tag or object.
ITS_OWN = frozenset({"count", "exists", "first", "last", "latest", "earliest", "index"})

rule = Rule(code="QRY007", severity=Severity.INFO, since="0.1")


@rule.check
def query_in_template(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        loops = {each.site for each in call_sites.read_in_loops(view, thresholds)}
        for asked in call_sites.queries_of(view, ("read",)):
            if asked.site not in loops and _is_the_templates(asked.first):
                yield _finding(asked)


def _is_the_templates(query: QueryTraffic) -> bool:
    if query.site.kind != "template":
        return False
    return bool(query.relation) or query.how in ITS_OWN


def _finding(asked: CallSiteQueries) -> Finding:
    first, view = asked.first, asked.view
    what = f" ({first.relation})" if first.relation else ""
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.where(asked.site)} asks the database{what} {words.count(asked.executions, 'time')} "
        f"{call_sites.seen_in(asked.requests, view)} to {call_sites.name_of(view)}: "
        f"{call_sites.shortened(first.fingerprint)}.",
        fix=Fix("text", "Fetch it in the view: select_related, prefetch_related or annotate."),
        **asked.details(how=first.how, relation=first.relation),
    )
