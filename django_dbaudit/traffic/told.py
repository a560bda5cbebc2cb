"""What is told of a single request: a ``Server-Timing`` header, and a record in the log."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import LazyObject

from django_dbaudit import words
from django_dbaudit.traffic import recorder
from django_dbaudit.traffic.callsite import Probe
from django_dbaudit.traffic.recording import Recording
from django_dbaudit.traffic.totals import Answer

HEADER = "Server-Timing"

logger = logging.getLogger("django_dbaudit.traffic")


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of what has been recorded so far; transaction control does not count."""

    queries: int = 0
    writes: int = 0
    duplicates: int = 0
    seconds: float = 0
    #: Executions of the one statement that one line asked most often, and that line.
    most: int = 0
    most_at: Probe | None = None

    @classmethod
    def of(cls, recording: Recording) -> Numbers:
        queries = writes = duplicates = most = 0
        seconds = 0.0
        most_at = None
        for _, probe, tally in recording.tallies:
            seconds += tally.seconds
            kind = probe.statement.kind
            if kind == "transaction":
                continue
            queries += tally.executions
            duplicates += tally.duplicates
            if kind == "write":
                writes += tally.executions
            if tally.executions > most:
                most, most_at = tally.executions, probe
        return cls(queries, writes, duplicates, seconds, most, most_at)


def add_header(response: HttpResponseBase, recording: Recording, seconds: float) -> None:
    """Add our metrics to those that others have put there.

    By the grammar of https://www.w3.org/TR/server-timing/: a duration is in milliseconds.
    """
    numbers = Numbers.of(recording)
    said = f"{words.count(numbers.queries, 'query')}, {words.count(numbers.writes, 'write')}"
    metrics = (
        f'db;dur={numbers.seconds * 1000:.1f};desc="{said}", '
        f'total;dur={seconds * 1000:.1f};desc="from the first middleware on"'
    )
    before = response.headers.get(HEADER, "").strip(" ,")
    response.headers[HEADER] = f"{before}, {metrics}" if before else metrics


def may_see(request: HttpRequest, audience: str) -> bool:
    """Whether the header is for whoever sent this request: see ``Config.server_timing``.

    Somebody whom no code has looked up yet is nobody: to ask who it is would be a query of ours.
    """
    if audience in ("nobody", "all"):
        return audience == "all"
    known = vars(request)
    user: Any = known.get("_cached_user") or known.get("_acached_user") or known.get("user")
    if user is None or (isinstance(user, LazyObject) and "_cached_user" not in known):
        return False
    is_user = bool(getattr(user, "is_authenticated", False))
    return is_user and (audience == "users" or bool(getattr(user, "is_staff", False)))


def log(recording: Recording, answer: Answer) -> None:
    """One record a request, once it is over; a stream is over when it was sent."""
    if not answer.is_new or not logger.isEnabledFor(logging.INFO):
        return
    numbers = Numbers.of(recording)
    site = numbers.most_at.site.call_site if numbers.most_at is not None else None
    view, method, route = answer.view
    fields = {
        "view": view,
        "method": method,
        "route": route,
        "status": answer.status or None,
        "duration_ms": round(answer.seconds * 1000, 3),
        "queries": numbers.queries,
        "writes": numbers.writes,
        "query_ms": round(numbers.seconds * 1000, 3),
        "duplicates": numbers.duplicates,
        "most_repeated": numbers.most,
        "most_repeated_at": f"{site.path}:{site.line}" if site is not None and site.line else None,
        "commits": recording.writes.count,
    }
    logger.info(
        "%s %s: %d queries in %.1f ms",
        method,
        view,
        numbers.queries,
        numbers.seconds * 1000,
        extra=fields,
    )


def install() -> None:
    """Log each request that is recorded, should anybody listen."""
    if log not in recorder.listeners:
        recorder.listeners.append(log)
