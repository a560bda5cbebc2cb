"""Requests that nobody sent: a view's traffic as a test of transactions needs it."""

from __future__ import annotations

from typing import Any

from django_dbaudit.traffic.facts import CallSite, CommitTraffic, ViewTraffic, WriteUnit


def unit(table: str, line: int = 20, **given: Any) -> WriteUnit:
    plain: dict[str, Any] = {
        "kind": "autocommit",
        "alias": "default",
        "phase": "view",
        "tables": (table,),
        "site": CallSite("code", "orders/views.py", line, "pay"),
    }
    return WriteUnit(**{**plain, **given})


def way(*units: WriteUnit, requests: int = 1, last_day: str = "") -> CommitTraffic:
    """Requests that committed just so."""
    return CommitTraffic(units, is_cut=False, requests=requests, most_units=len(units), last_day=last_day)


def requests(*ways: CommitTraffic, number: int = 10, **given: Any) -> ViewTraffic:
    """So many requests, some of which committed something."""
    plain: dict[str, Any] = {"view": "orders.views.pay", "method": "POST", "route": "pay/"}
    return ViewTraffic(**{**plain, "requests": number, "commits": ways, **given})
