"""Which time the counters, and the records of former counters, tell of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

from django_dbaudit.analysis.cluster import Cluster, ClusterServer
from django_dbaudit.postgres.server import Server
from django_dbaudit.store.accumulation import covered_from
from django_dbaudit.store.history import IndexHistory, SnapshotRecord

#: From one moment to another.
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Spans of time that do not overlap, oldest first; the last one ends when we look."""

    spans: tuple[Span, ...]

    @property
    def since(self) -> datetime:
        return self.spans[0][0]

    @property
    def age(self) -> timedelta:
        """The time that is covered, without the gaps."""
        return sum((end - begin for begin, end in self.spans), timedelta())

    def start_of(self, length: timedelta) -> datetime | None:
        """The moment since which just so much time is covered; None if less is."""
        for begin, end in reversed(self.spans):
            if end - begin >= length:
                return end - length
            length -= end - begin
        return None

    def within(self, since: datetime) -> timedelta:
        """How much of the time since then is covered."""
        return sum(
            (end - max(begin, since) for begin, end in self.spans if end > since),
            timedelta(),
        )


def known_time(server: Server, cluster: Cluster, history: IndexHistory) -> Coverage:
    """The time in which every server of the cluster is known to have been counting.

    The primary's part is played by whichever server was the primary then; a replica's by the alias.
    """
    primary = _spans(server, [each for each in history.snapshots if not each.in_recovery])
    replicas = [_of_replica(each, history) for each in cluster.replicas]
    spans = reduce(_both, replicas, primary)
    # All of them count now; a replica may have begun after the primary looked at the clock.
    return Coverage(tuple(spans) or ((server.taken_at, server.taken_at),))


def _of_replica(replica: ClusterServer, history: IndexHistory) -> list[Span]:
    own = [each for each in history.snapshots if each.in_recovery and each.alias == replica.alias]
    return _spans(replica.server, own)


def _spans(server: Server, snapshots: Sequence[SnapshotRecord]) -> list[Span]:
    """What the records tell of, and the server itself."""
    recorded = [
        # Where in a day the gap was is not kept; at its beginning it makes the rest look oldest.
        (each.covered_from + timedelta(seconds=each.lost_seconds), each.taken_at)
        for each in snapshots
        if each.taken_at <= server.taken_at
    ]
    last = max((end for _, end in recorded), default=None)
    return _merged([*recorded, (covered_from(server, last), server.taken_at)])


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that neither touch nor overlap, in order."""
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif begin < end:
            merged.append((begin, end))
    return merged


def _both(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """The time that both cover."""
    common: list[Span] = []
    position = 0
    for begin, end in first:
        while position < len(second) and second[position][1] <= begin:
            position += 1
        here = position
        while here < len(second) and second[here][0] < end:
            common.append((max(begin, second[here][0]), min(end, second[here][1])))
            here += 1
    return common
