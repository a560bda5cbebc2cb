"""Traffic that nobody had to cause: a view with what a test needs of it, and the rest plain."""

from __future__ import annotations

from typing import Any

from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, NotRun
from django_dbaudit.rule import get_rule
from django_dbaudit.traffic.facts import (
    NOWHERE,
    CallSite,
    CommitTraffic,
    EagerLoadTraffic,
    QuerySetTraffic,
    QueryTraffic,
    Traffic,
    ViewTraffic,
    WriteUnit,
)

LINE = CallSite("code", "shop/views.py", 12, "cart")
#: The same line after somebody has written others above it.
MOVED = CallSite("code", "shop/views.py", 99, "cart")
OTHER_LINE = CallSite("code", "shop/views.py", 20, "cart")
TEMPLATE_LINE = CallSite("template", "shop/cart.html", 3)
LIBRARY_LINE = CallSite("library", "somebody/models.py", 7, "current")
THRESHOLDS = Thresholds()


def query(**given: Any) -> QueryTraffic:
    plain: dict[str, Any] = {
        "site": LINE,
        "rendered_at": NOWHERE,
        "fingerprint": 'SELECT "id" FROM "book" WHERE "author_id" = ?',
        "kind": "read",
        "tables": (),
        "phase": "view",
        "how": "iteration",
        "relation": "",
        "alias": "default",
        "unit": "autocommit",
        "requests": 1,
        "executions": 1,
        "most_executions": 1,
    }
    return QueryTraffic(**{**plain, **given})


def queryset(*hows: str, **given: Any) -> QuerySetTraffic:
    """One that was executed in these ways, one after the other."""
    plain: dict[str, Any] = {
        "site": LINE,
        "model": "shop.Book",
        "phase": "view" if hows else "",
        "relation": "",
        "requests": 1,
        "built": 1,
        "executions": len(hows),
        "most_executions": len(hows),
    }
    return QuerySetTraffic(**{**plain, "hows": hows, **given})


def eager_load(**given: Any) -> EagerLoadTraffic:
    plain: dict[str, Any] = {
        "site": LINE,
        "model": "shop.Book",
        "method": "select_related",
        "lookup": "author",
        "requests": 4,
        "loads": 4,
    }
    return EagerLoadTraffic(**{**plain, **given})


def unit(*tables: str, **given: Any) -> WriteUnit:
    plain: dict[str, Any] = {"kind": "autocommit", "alias": "default", "phase": "view", "site": LINE}
    return WriteUnit(**{**plain, "tables": tables, **given})


def committed(*units: WriteUnit, **given: Any) -> CommitTraffic:
    return CommitTraffic(units, is_cut=False, **{"requests": 1, "most_units": len(units), **given})


def view(*queries: QueryTraffic, **given: Any) -> ViewTraffic:
    plain: dict[str, Any] = {"view": "shop.views.cart", "method": "GET", "route": "cart/", "requests": 1}
    return ViewTraffic(**{**plain, "queries": queries, **given})


def findings(name: str, *views: ViewTraffic, thresholds: Thresholds = THRESHOLDS) -> list[Finding]:
    rule = get_rule(name)
    known: dict[type[Any], Any] = {Traffic: Traffic(views), Thresholds: thresholds}
    found: list[Finding | NotRun] = list(
        rule.function(**{each: known[kind] for each, kind in rule.needs.items()})
    )
    return [each for each in found if isinstance(each, Finding)]
