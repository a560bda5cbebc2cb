"""What one line of a view asks of the database, and which of it is a loop over rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django_dbaudit import words
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Location, Related, Subject
from django_dbaudit.traffic.facts import OTHER, CallSite, QueryTraffic, Traffic, ViewTraffic

#: One call of these sends as many statements as it needs.
BATCHES = frozenset({"prefetch", "bulk_create", "bulk_update", "in_bulk", "iterator"})
#: Reads that are a part of what they are called for, however many it takes: Django asks for the parent of
#: each child row that it deletes, and validates one object after the other.
PARTS = frozenset({"prefetch", "bulk_create", "bulk_update", "delete", "validation"})
#: Relations and fields that an object loads when they are read.
LAZY = frozenset({"relation", "deferred-field"})
#: Rows that a write touches on average up to which it is one for a single row.
FEW_ROWS = 1.5

#: The next page is what lies behind the last row: a loop that means to ask again.
_BEHIND_THE_LAST = re.compile(r'"(\w+)" [<>]=? (?:\?|%s).* ORDER BY .*"\1" (?:ASC|DESC) LIMIT ')
_OFFSET = re.compile(r" OFFSET \S+$")


@dataclass(frozen=True, slots=True)
class CallSiteQueries:
    """One statement as one line of a view asks for it, in whatever phase and commit unit."""

    view: ViewTraffic
    records: tuple[QueryTraffic, ...]

    @property
    def first(self) -> QueryTraffic:
        return self.records[0]

    @property
    def site(self) -> CallSite:
        """Where the reader should look: the template line, where a template asked through it."""
        return self.first.site

    @property
    def kind(self) -> str:
        return self.first.kind

    @property
    def executions(self) -> int:
        return sum(each.executions for each in self.records)

    @property
    def duplicates(self) -> int:
        return sum(each.duplicates for each in self.records)

    @property
    def querysets(self) -> int:
        return sum(each.querysets for each in self.records)

    @property
    def requests(self) -> int:
        return max(each.requests for each in self.records)

    @property
    def most_executions(self) -> int:
        """In one request."""
        return max(each.most_executions for each in self.records)

    @property
    def microseconds(self) -> int:
        return sum(each.microseconds for each in self.records)

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.records)

    @property
    def identity(self) -> tuple[str, ...]:
        """What stays when lines move."""
        site = self.site
        return (
            self.view.view,
            self.view.method,
            site.path,
            site.function,
            self.first.alias,
            self.first.fingerprint,
        )

    @property
    def related(self) -> tuple[Related, ...]:
        rendered_at = self.first.rendered_at
        return (*related(self.site), *(related(rendered_at) if rendered_at.line else ()))

    def details(self, **evidence: Any) -> Mapping[str, Any]:
        """What every finding about the line has, besides evidence of its own."""
        return {
            "evidence": {
                "executions": self.executions,
                "requests": self.requests,
                "view_requests": self.view.requests,
                "microseconds": self.microseconds,
                **evidence,
                "sql": self.first.fingerprint,
                "alias": self.first.alias,
            },
            "location": location(self.site),
            "related": self.related,
            "identity": self.identity,
        }


def queries_of(view: ViewTraffic, kinds: Iterable[str]) -> list[CallSiteQueries]:
    """The statements of these kinds, by the line that asks for them."""
    wanted = frozenset(kinds)
    alike: dict[tuple[CallSite, str, str], list[QueryTraffic]] = defaultdict(list)
    for each in view.queries:
        if each.kind in wanted and each.fingerprint != OTHER:
            alike[each.site, each.fingerprint, each.alias].append(each)
    return [CallSiteQueries(view, tuple(records)) for records in alike.values()]


def read_in_loops(view: ViewTraffic, thresholds: Thresholds) -> list[CallSiteQueries]:
    """Reads that a line repeats for one row after another.

    A read of a line that also writes again and again (``get_or_create``, ``add``) is a part of that
    write. Lines one below the other that each follow the same relation are a loop unrolled.
    """
    writes = queries_of(view, ("write",))
    writing = {each.site for each in writes if each.most_executions >= thresholds.repeated_queries}
    reads = [each for each in queries_of(view, ("read", "lock")) if each.site not in writing]
    loops = [each for each in reads if _is_loop(each, thresholds)]
    return loops + list(_unrolled(view, reads, loops, thresholds))


def _is_loop(asked: CallSiteQueries, thresholds: Thresholds) -> bool:
    how = asked.first.how
    if asked.most_executions < thresholds.repeated_queries or how in PARTS or is_paging(asked.first):
        return False
    if how == "in_bulk" and asked.querysets * 2 <= asked.executions:
        # One call for many rows, in batches.
        return False
    # The same question again and again is another matter, unless each object asks for itself.
    return how in LAZY or asked.executions - asked.duplicates > asked.requests


def is_paging(query: QueryTraffic) -> bool:
    """Whether it asks for one page of the rows after another, by offset or by key."""
    if query.how in ("index", "get", "first", "last"):
        return False
    return bool(_OFFSET.search(query.fingerprint) or _BEHIND_THE_LAST.search(query.fingerprint))


def _unrolled(
    view: ViewTraffic, reads: list[CallSiteQueries], loops: list[CallSiteQueries], thresholds: Thresholds
) -> Iterator[CallSiteQueries]:
    told = {(each.first.fingerprint, each.first.alias) for each in loops}
    alike: dict[tuple[str, str], list[QueryTraffic]] = defaultdict(list)
    for each in reads:
        key = (each.first.fingerprint, each.first.alias)
        if each.first.how in LAZY and key not in told:
            alike[key].extend(each.records)
    for records in alike.values():
        lines = {each.site for each in records}
        times = sum(each.executions for each in records) / max(1, view.requests)
        if len(lines) >= thresholds.repeated_queries and times >= thresholds.repeated_queries:
            yield CallSiteQueries(view, tuple(sorted(records, key=lambda each: each.site)))


def written_in_loops(view: ViewTraffic, thresholds: Thresholds) -> list[CallSiteQueries]:
    """Writes that a line repeats, a row at a time."""
    return [
        each
        for each in queries_of(view, ("write",))
        if each.most_executions >= thresholds.repeated_queries
        and each.first.how not in BATCHES
        and each.rows <= FEW_ROWS * each.executions
    ]


def project_views(traffic: Traffic) -> Iterator[ViewTraffic]:
    """All but the bucket of what found no room."""
    return (view for view in traffic.views if view.view != OTHER)


def subject(view: ViewTraffic) -> Subject:
    return Subject("view", view.view, method=view.method or None)


def name_of(view: ViewTraffic) -> str:
    """
    >>> name_of(ViewTraffic("shop.views.cart", "POST", "cart/"))
    'shop.views.cart (POST)'
    """
    return f"{view.view} ({view.method})" if view.method else view.view


def related(site: CallSite) -> tuple[Related, ...]:
    """The line, as what explains a finding."""
    if not site.line:
        return ()
    kinds = {"template": "template", "code": "call_site", "library": "library_call"}
    return (Related(kinds.get(site.kind, "call_site"), site.function or site.path, site.location),)


def location(site: CallSite) -> Location | None:
    """Where the project's own file is to be changed; a library's is not."""
    return site.location if site.kind in ("code", "template") else None


def where(site: CallSite) -> str:
    """
    >>> where(CallSite("code", "shop/views.py", 12, "cart"))
    'shop/views.py:12'
    """
    return f"{site.path}:{site.line}" if site.line else "an unknown line"


def milliseconds(microseconds: float) -> str:
    """
    >>> milliseconds(1_234), milliseconds(1_234_567)
    ('1.2 ms', '1,235 ms')
    """
    value = microseconds / 1000
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def seen_in(times: int, view: ViewTraffic) -> str:
    """
    >>> seen_in(2, ViewTraffic("shop.views.cart", "POST", "cart/", requests=5))
    'in 2 of 5 requests'
    """
    return f"in {times:,} of {words.count(view.requests, 'request')}"


def shortened(fingerprint: str, length: int = 120) -> str:
    """
    >>> shortened('SELECT "a"."b" FROM "a"', 12)
    'SELECT a.b …'
    """
    plain = fingerprint.replace('"', "")
    return plain if len(plain) <= length else plain[: length - 1] + "…"
