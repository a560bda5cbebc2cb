"""Recordings added up in memory, by view: bounded, and given out as facts."""

from __future__ import annotations

import collections
import os
import sys
import threading
import weakref
from typing import Any

from django_dbaudit.traffic import eager
from django_dbaudit.traffic.callsite import OTHER_PROBE, UNKNOWN
from django_dbaudit.traffic.eager import EagerKey
from django_dbaudit.traffic.facts import OTHER, Traffic, merge
from django_dbaudit.traffic.lineage import Lineage
from django_dbaudit.traffic.recording import Recording
from django_dbaudit.traffic.units import Writes
from django_dbaudit.traffic.view_totals import QueryTotals, ViewTotals

#: An answer of this status, or above, may have ended before it came to use what it loaded: a redirect to
#: the login, a refusal, an error.
ENDED_EARLY = 300
#: Keys of all kinds together; what comes later is counted under `facts.OTHER`. A key takes about so many
#: bytes, and one with more than that to hold, as a long text, counts for several.
MOST_KEYS, KEY_BYTES = 20_000, 1_000

#: Requests that did nothing, to be counted at once.
MOST_EMPTY = 200
#: Of a write in a commit unit.
WRITE_BYTES = 8

_OTHER_KEY = ("", OTHER_PROBE)
_OTHER_VIEW = (OTHER, "", "")


class Answer:
    """What the middleware knows of a request: its view, how long it took and how it ended."""

    # Not a frozen dataclass, which takes a microsecond to make.
    __slots__ = ("is_new", "seconds", "status", "view")

    def __init__(
        self, view: tuple[str, str, str], seconds: float = 0, status: int = 200, *, is_new: bool = True
    ) -> None:
        #: Name, method and route.
        self.view = view
        self.seconds = seconds
        #: 0: it raised.
        self.status = status
        #: None of it has been counted before: what comes after the response adds to the same request.
        self.is_new = is_new


class Totals:
    """Adds up recordings, from any thread, until somebody takes what there is."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self.most_keys = most_keys
        self._start()
        _all.add(self)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._views: dict[tuple[str, str, str], ViewTotals] = {}
        #: Requests that did nothing and are not counted yet.
        self._empty: collections.deque[Answer] = collections.deque()
        self._keys = 0

    def add(self, recording: Recording, answer: Answer) -> None:
        """Count what has been recorded, as part of this request."""
        if not (recording.counted or recording.lineages or recording.written):
            # Most requests of many sites. Many at once take a tenth of what one does in between other work.
            self._empty.append(answer)
            if len(self._empty) >= MOST_EMPTY:
                with self._lock:
                    self._add_empty()
            return
        with self._lock:
            view = self._answered(answer)
            if recording.counted:
                self._add_queries(view, recording)
            if recording.lineages:
                self._add_querysets(view, recording)
                if 0 < answer.status < ENDED_EARLY:
                    self._add_eager_loads(view, recording)
            if recording.written is not None:
                self._add_commits(view, recording.written, answer)

    def take(self) -> Traffic:
        """What has been added up since the last time."""
        with self._lock:
            self._add_empty()
            views, self._views, self._keys = self._views, {}, 0
        # Keys that differ by identity alone become one.
        return merge(Traffic(tuple(totals.facts(*key) for key, totals in views.items())))

    def _add_empty(self) -> None:
        # Other threads may append meanwhile, which a deque allows.
        for _ in range(len(self._empty)):
            self._answered(self._empty.popleft())

    def _answered(self, answer: Answer) -> ViewTotals:
        """Count the request, but not yet what it did; the view's totals."""
        view = self._views.get(answer.view)
        if view is None:
            view = self._view(answer.view)
        if answer.is_new:
            view.requests += 1
            view.seconds += answer.seconds
            if answer.seconds > view.slowest:  # noqa: PLR1730  # as above
                view.slowest = answer.seconds
            if not 0 < answer.status < 500:
                view.failed += 1
        return view

    def _has_room(self, size: int = 0) -> bool:
        """Whether there is room for one more key, with so many bytes of its own; if so, it is taken."""
        if self._keys >= self.most_keys:
            return False
        self._keys += 1 + size // KEY_BYTES
        return True

    def _view(self, key: tuple[str, str, str]) -> ViewTotals:
        if not self._has_room():
            key = _OTHER_VIEW
        return self._views.setdefault(key, ViewTotals())

    def _add_queries(self, view: ViewTotals, recording: Recording) -> None:
        executions = 0
        for unit, probe, tally in recording.tallies:
            key = (unit, probe)
            totals = view.queries.get(key)
            if totals is None:
                if not self._has_room(sys.getsizeof(probe.statement.fingerprint)):
                    key = _OTHER_KEY
                totals = view.queries.setdefault(key, QueryTotals())
            totals.add(tally)
            kind = probe.statement.kind
            if kind != "transaction":
                executions += tally.executions
                if kind == "write":
                    view.writes += tally.executions
            view.query_seconds += tally.seconds
        view.executions += executions
        view.most = max(view.most, executions)

    def _add_querysets(self, view: ViewTotals, recording: Recording) -> None:
        seen: set[tuple[Any, ...]] = set()
        for lineage in list(recording.lineages):
            if not (lineage.executions or (lineage.is_own and not lineage.is_used)):
                continue
            key: tuple[Any, ...] = _queryset_key(lineage)
            counts = view.querysets.get(key)
            if counts is None:
                if not self._has_room():
                    key = (UNKNOWN, OTHER, (), "", None, "")
                counts = view.querysets.setdefault(key, [0] * 7)
            if key not in seen:
                seen.add(key)
                counts[0] += 1
            counts[1] += 1
            counts[2] += lineage.executions
            counts[3] = max(counts[3], lineage.executions)
            counts[4] += lineage.repeats
            if lineage.has_rows:
                counts[5] += 1
                counts[6] += not (lineage.is_read or recording.has_pickled)

    def _add_eager_loads(self, view: ViewTotals, recording: Recording) -> None:
        seen: set[EagerKey] = set()
        for key, is_read in eager.loads_of(recording):
            counts = view.eager_loads.get(key)
            if counts is None:
                if not self._has_room():
                    continue
                counts = view.eager_loads[key] = [0, 0, 0]
            if key not in seen:
                seen.add(key)
                counts[0] += 1
            counts[1] += 1
            counts[2] += is_read

    def _add_commits(self, view: ViewTotals, writes: Writes, answer: Answer) -> None:
        if not writes.count + writes.rolled_back:
            return
        units = tuple((kind, probes, times > 1) for (kind, probes), times in list(writes.committed.items()))
        key: tuple[Any, ...] = (units, writes.is_cut)
        counts = view.commits.get(key)
        if counts is None:
            if not self._has_room(sum(WRITE_BYTES * len(probes) for _, probes, _ in units)):
                key = ((), True)
            counts = view.commits.setdefault(key, [0, 0, 0, 0])
        counts[0] += 1
        counts[1] = max(counts[1], writes.count)
        counts[2] += writes.rolled_back
        counts[3] += not 0 < answer.status < 400


def _queryset_key(lineage: Lineage) -> tuple[Any, ...]:
    return (
        lineage.library or lineage.site,
        lineage.model,
        lineage.hows,
        lineage.phase,
        lineage.owner,
        lineage.relation_name,
    )


#: For the child of a fork: what is not taken yet is the parent's, and its lock may be held for ever.
_all: weakref.WeakSet[Totals] = weakref.WeakSet()


def _after_fork() -> None:
    for totals in list(_all):
        totals._start()  # noqa: SLF001  # ours


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
