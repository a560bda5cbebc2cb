"""The name of the view that answers a request, looked up once for each."""

from __future__ import annotations

import sys
from typing import Any

from django.http import HttpRequest
from django.urls import ResolverMatch

from django_dbaudit import callback
from django_dbaudit.traffic.budget import Budget
from django_dbaudit.traffic.facts import NO_VIEW, OTHER

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
#: What a name takes, besides its characters and the function.
NAME_BYTES = 500

_names: dict[tuple[int, str | None, str], tuple[Any, tuple[str, str, str]]] = {}
_budget = Budget(1_000_000, _names)


def name(request: HttpRequest) -> tuple[str, str, str]:
    """View, method and route."""
    match = request.resolver_match
    # A test, or a middleware, may have put anything there.
    if not isinstance(match, ResolverMatch):
        return NO_VIEW, _method(request), ""
    known = _names.get((id(match.func), request.method, match.route))
    return _look_up(request, match) if known is None else known[1]


def _method(request: HttpRequest) -> str:
    return request.method if request.method in METHODS else OTHER


def _look_up(request: HttpRequest, match: ResolverMatch) -> tuple[str, str, str]:
    method = _method(request)
    found = callback.name_of(match.func, method), method, match.route or ""
    _budget.spend(NAME_BYTES + sum(map(sys.getsizeof, (*found, request.method))))
    # With the function, so that no other can take its id.
    _names[id(match.func), request.method, match.route] = match.func, found
    return found
