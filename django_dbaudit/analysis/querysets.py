"""What became of the querysets that a view built."""

from __future__ import annotations

from collections import defaultdict

from django_dbaudit.traffic.facts import CallSite, QuerySetTraffic, ViewTraffic

#: Ways of executing a queryset that ask for one part of it after another.
PARTS = frozenset({"slice"})


def by_line(view: ViewTraffic) -> dict[CallSite, list[QuerySetTraffic]]:
    """The querysets that a line of the project built, each with what became of some of them."""
    lines: dict[CallSite, list[QuerySetTraffic]] = defaultdict(list)
    for each in view.querysets:
        if each.site.kind in ("code", "template"):
            lines[each.site].append(each)
    return lines


def is_re_evaluated(built: QuerySetTraffic) -> bool:
    """Whether the database was asked the same again, because nobody kept the rows."""
    return built.repeats > 0 and not PARTS.intersection(built.hows)


def executed_again(view: ViewTraffic) -> int:
    """How many executions the querysets that were evaluated again could have done without."""
    return sum(each.repeats for each in view.querysets if is_re_evaluated(each))
