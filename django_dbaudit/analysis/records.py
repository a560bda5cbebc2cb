"""How much each index was read, by all servers of the cluster and all records, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from django_dbaudit import words
from django_dbaudit.analysis.cluster import Cluster, ClusterServer, uncounted
from django_dbaudit.analysis.coverage import Coverage, known_time
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.store.accumulation import advance, matched, same_counters
from django_dbaudit.store.history import HOW, IndexHistory, IndexRecord, ServerRecord, shape

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of one index over time, all servers together."""

    scans: int
    #: Before PostgreSQL 16, when it was first seen to have been read again.
    last_scan: datetime | None
    first_seen_at: datetime
    #: It was there when the records began: it may be older than they are.
    is_original: bool
    #: Scans a day of about the last week, and of up to four weeks before; None without such records.
    recent_rate: float | None
    earlier_rate: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """An index that came or went while there were records."""

    schema: str
    table: str
    name: str
    definition: str
    is_new: bool
    #: When it was first seen, or last.
    seen_at: datetime
    scans: int


class Records(DerivedFact):
    """The counters of now on top of the records, as if a snapshot were taken this moment."""

    def __init__(self, server: Server, indexes: Indexes, cluster: Cluster, history: IndexHistory) -> None:
        self.server = server
        self.cluster = cluster
        self.history = history
        self._indexes = indexes
        self._servers = cluster.servers or (ClusterServer(cluster.alias, server, indexes),)
        self._past: dict[int, Past] = {}

    @cached_property
    def coverage(self) -> Coverage:
        return known_time(self.server, self.cluster, self.history)

    def too_early(self, days: float, threshold: str) -> str | None:
        """Why nobody can say yet what goes unread; ``threshold`` is the key that sets the days."""
        reason = uncounted(self.server, self.cluster)
        if reason or self.coverage.age >= timedelta(days=days):
            return reason
        what = "the statistics" if self.history.absence else "the statistics and the records"
        hint = f"; to keep them over resets, {HOW}" if self.history.absence else ""
        age, since = words.duration(self.coverage.age), self.coverage.since
        return (
            f"{what} cover {age}, since {since:%Y-%m-%d %H:%M}; "
            f"needs {days:g} day{'s' * (days != 1)} (DBAUDIT['THRESHOLDS']['{threshold}']){hint}"
        )

    def oldest(self, days: float) -> datetime:
        """The moment from which on so many days are covered; with nought days, all that is covered."""
        return (days and self.coverage.start_of(timedelta(days=days))) or self.coverage.since

    def is_younger(self, index: Index, moment: datetime) -> bool:
        """Whether the index is known not to have been there at that moment."""
        if not self.history.servers:
            return False
        past = self.past(index)
        return not past.is_original and past.first_seen_at > moment

    def known_since(self, index: Index) -> datetime:
        """From when on it is known what the index was read."""
        if not self.history.servers:
            return self.coverage.since
        past = self.past(index)
        return self.coverage.since if past.is_original else max(past.first_seen_at, self.coverage.since)

    @cached_property
    def indexes(self) -> Indexes:
        """The indexes with all the scans that are known of: those of other servers and former lives."""
        if not self.history.servers:
            return self._indexes
        return Indexes(tuple([self._with_past(index) for index in self._indexes.items]))

    def _with_past(self, index: Index) -> Index:
        past = self.past(index)
        return replace(index, scans=past.scans, last_scan=past.last_scan)

    def past(self, index: Index) -> Past:
        if index.oid not in self._past:
            self._past[index.oid] = self._past_of(self._now[index.oid])
        return self._past[index.oid]

    def _past_of(self, records: Sequence[IndexRecord]) -> Past:
        began = self.history.since
        first = min((each.first_seen_at for each in records), default=self.server.taken_at)
        week = [each for each in records if each.scans_week_ago is not None]
        since = self.history.days_since_week_ago + self._days_since_record
        month = [each for each in week if each.scans_month_ago is not None]
        return Past(
            scans=sum(each.scans for each in records),
            last_scan=max((each.last_scan for each in records if each.last_scan), default=None),
            first_seen_at=first,
            is_original=began is None or first <= began,
            recent_rate=_rate(((each.scans, each.scans_week_ago) for each in week), since),
            earlier_rate=_rate(
                ((each.scans_week_ago, each.scans_month_ago) for each in month),
                self.history.days_before_week_ago,
            ),
        )

    @property
    def _days_since_record(self) -> float:
        return (self.server.taken_at - (self.history.taken_at or self.server.taken_at)) / DAY

    @cached_property
    def _now(self) -> dict[int, list[IndexRecord]]:
        """For each index, by its oid, its records on all servers that there are or were."""
        found: dict[int, list[IndexRecord]] = {index.oid: [] for index in self._indexes.items}
        for record in self._brought_up_to_date():
            if record.oid in found:
                found[record.oid].append(record)
        return found

    def _brought_up_to_date(self) -> Iterator[IndexRecord]:
        going_on: set[int] = set()
        for each in self._servers:
            before = same_counters(self.history.servers, each.alias, each.server)
            if before is not None and before.id in going_on:
                # One record cannot go on as two servers: the second is a new one.
                before = None
            going_on.update({before.id} if before else ())
            yield from advance(self._of(before), each.indexes.items, each.server, before)
        for former in self.history.servers:
            if former.id not in going_on:
                for index, record in matched(self._of(former), self._indexes.items):
                    if record is not None:
                        yield replace(record, oid=index.oid)

    def _of(self, server: ServerRecord | None) -> tuple[IndexRecord, ...]:
        return self._by_server.get(server.id, ()) if server else ()

    @cached_property
    def _by_server(self) -> dict[int, tuple[IndexRecord, ...]]:
        found: dict[int, list[IndexRecord]] = {}
        for each in self.history.indexes:
            found.setdefault(each.server_id, []).append(each)
        return {server: tuple(records) for server, records in found.items()}

    def changes(self) -> Iterator[Change]:
        """The indexes that came and went while there were records; those of partitions are left out."""
        if not self.history.servers:
            return
        for index in self._indexes.items:
            past = self.past(index)
            if not past.is_original and index.parent_oid is None:
                yield Change(
                    schema=index.schema,
                    table=index.table,
                    name=index.name,
                    definition=index.definition,
                    is_new=True,
                    seen_at=past.first_seen_at,
                    scans=past.scans,
                )
        yield from self._gone()

    def _gone(self) -> Iterator[Change]:
        here = {record.id for records in self._now.values() for record in records}
        names = {(each.schema, each.name, shape(each.definition)) for each in self._indexes.items}
        gone: dict[tuple[str, str, str], list[IndexRecord]] = {}
        for record in self.history.indexes:
            key = (record.schema, record.name, shape(record.definition))
            if record.id not in here and key not in names and not record.is_partition:
                gone.setdefault(key, []).append(record)
        for records in gone.values():
            last = max(records, key=lambda each: each.last_seen_at)
            yield Change(
                schema=last.schema,
                table=last.table,
                name=last.name,
                definition=last.definition,
                is_new=False,
                seen_at=last.last_seen_at,
                scans=sum(each.scans for each in records),
            )


def _rate(pairs: Iterable[tuple[int | None, int | None]], days: float) -> float | None:
    """Scans a day between two records of an index."""
    grown = [(later or 0) - (earlier or 0) for later, earlier in pairs]
    return sum(grown) / days if grown and days else None
