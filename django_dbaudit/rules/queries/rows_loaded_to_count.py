"""A queryset that is loaded as a whole to learn how many rows it has, or whether it has any.

``len(queryset)`` and ``if queryset:`` fetch every row and make an object of each. When nothing else is
done with them, ``count()`` and ``exists()`` answer the same with one number.

**What counts.** A queryset executed by ``len()`` or by its truth whose rows were then not used, in all
recorded requests.

**What is never reported.** A queryset that is iterated or indexed later in the request: then fetching
the rows first is right, and ``count()`` would be a query more. One that returned no row in any recorded
request: ``if books:`` and then ``for book in books:`` looks alike. Loops, which ``n-plus-one`` names.

**When to leave it alone.** When there is a row or two at most.

**How to fix it.** ``queryset.count()`` or ``queryset.exists()``.

*Source:* `Database access optimization
<https://docs.djangoproject.com/en/stable/topics/db/optimization/#use-queryset-count-instead-of-len-queryset>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis import call_sites, querysets
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import CallSite, QuerySetTraffic, Traffic, ViewTraffic

INSTEAD = {"len": "count()", "bool": "exists()"}

rule = Rule(code="QRY009", severity=Severity.INFO, since="0.1")


@rule.check
def rows_loaded_to_count(traffic: Traffic, thresholds: Thresholds) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        loops = {each.site for each in call_sites.read_in_loops(view, thresholds)}
        for site, built in querysets.by_line(view).items():
            executed = [each for each in built if each.is_executed]
            if site not in loops and _is_only_counted(executed):
                yield _finding(view, site, executed)


def _is_only_counted(executed: list[QuerySetTraffic]) -> bool:
    # Where no rows came, nobody can tell whether they would have been used.
    return any(each.fetched for each in executed) and all(
        each.hows[0] in INSTEAD and each.unread == each.fetched for each in executed
    )


def _finding(view: ViewTraffic, site: CallSite, executed: list[QuerySetTraffic]) -> Finding:
    how, model = executed[0].hows[0], executed[0].model
    asked = "how many there are" if how == "len" else "whether there are any"
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} loads the rows of {model} from {call_sites.where(site)} "
        f"only to know {asked}.",
        evidence={
            "executions": sum(each.executions for each in executed),
            "requests": sum(each.requests for each in executed),
            "view_requests": view.requests,
            "how": how,
            "model": model,
        },
        location=call_sites.location(site),
        related=call_sites.related(site),
        fix=Fix("text", f"Ask the database: {INSTEAD[how]}."),
        identity=(view.view, view.method, site.path, site.function, model),
    )
