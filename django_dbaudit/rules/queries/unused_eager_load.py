"""A relation that a queryset loads along with its rows, and that nobody then follows.

``select_related`` joins a table and carries its columns in every row; ``prefetch_related`` is a query more
and makes objects of all it returns. Both are worth it only if the relation is used.

**What counts.** A lookup of ``select_related`` or ``prefetch_related`` that loaded something in recorded
requests to a view, in none of which the relation was followed.

**What is never reported.** What leaves no trace when it is used: ``Prefetch(…, to_attr=…)``, querysets that
were built before the request (as a class attribute is), requests in which objects were pickled, into a
cache say; lookups used in some requests only, by ``count()`` or ``len()`` too; ``select_related()`` without
names; requests that failed, were refused or redirected; what found nothing to follow, because no row
came, or none with a related one; relations of another package's making; joins that
``select_for_update()`` locks.

**When to leave it alone.** When the relation is needed under a condition that the recorded requests did
not meet.

**How to fix it.** Take the lookup away. If ``.filter()`` on the related manager was meant to use it: that
asks anew for each object; put the filter into a ``Prefetch`` object.

*Source:* `prefetch_related()
<https://docs.djangoproject.com/en/stable/ref/models/querysets/#prefetch-related>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.analysis import call_sites
from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import EagerLoadTraffic, Traffic, ViewTraffic

rule = Rule(code="QRY006", severity=Severity.INFO, since="0.1")


@rule.check
def unused_eager_load(traffic: Traffic) -> Iterator[Finding]:
    for view in call_sites.project_views(traffic):
        for load in view.eager_loads:
            if not load.reads and load.site.kind in ("code", "template"):
                yield _finding(view, load)


def _finding(view: ViewTraffic, load: EagerLoadTraffic) -> Finding:
    site = load.site
    return rule.finding(
        call_sites.subject(view),
        f"{call_sites.name_of(view)} loads {load.lookup} with each {load.model}, by {load.method} at "
        f"{call_sites.where(site)}, and follows it in none of {load.requests:,} requests.",
        evidence={
            "requests": load.requests,
            "view_requests": view.requests,
            "model": load.model,
            "lookup": load.lookup,
            "method": load.method,
        },
        location=call_sites.location(site),
        related=call_sites.related(site),
        fix=Fix("text", f"Take {load.lookup!r} out of {load.method}(), or use what it loads."),
        identity=(view.view, view.method, site.path, site.function, load.model, load.method, load.lookup),
    )
