"""How counters that begin anew become sums that do not: pure functions of records and facts.

The same functions make the next record, and add to a report what was counted since the last one.

Note [Rather too many than too few]
-----------------------------------
Whether a counter went on or began anew cannot always be told. A scan counted twice keeps an index
that could go; a scan lost drops one that is needed. So in doubt the counter began anew, and all that
it says comes on top: but for a rebuilt index whose counter is no lower than before, because
REINDEX CONCURRENTLY, and it alone, takes the counter along to the new oid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.server import Server
from django_dbaudit.store.history import IndexRecord, ServerRecord, shape


def counting_since(server: Server) -> datetime:
    return server.counting_since or server.started_at


def same_counters(servers: Iterable[ServerRecord], alias: str, server: Server) -> ServerRecord | None:
    """The record that this server's counters go on from; None for a server never seen before.

    Aliases move between servers with every failover, so the counters tell: by when they began. If
    nothing on record began then, and they began after we last looked at what the alias led to, they
    are what came of those. If they are older than that look, they are another server's.
    """
    servers = list(servers)
    for each in servers:
        if has_same_life(each, server):
            return each
    before = [each for each in servers if each.alias == alias and each.taken_at <= _began(server)]
    return max(before, key=lambda each: each.taken_at, default=None)


def _began(server: Server) -> datetime:
    since = counting_since(server)
    return max(since, server.statistics_reset_at or since)


def has_same_life(record: ServerRecord, server: Server) -> bool:
    """Whether the counters have not begun anew since."""
    if record.counting_since != counting_since(server):
        return False
    reset_at = server.statistics_reset_at
    if record.statistics_reset_at is None and reset_at is not None:
        # Before PostgreSQL 15 the time when a database was first counted stands for a reset, and can be
        # seen only a moment later. What began before we looked, we have seen.
        return reset_at <= record.taken_at
    return record.statistics_reset_at == reset_at


def advance(
    records: Sequence[IndexRecord],
    indexes: Iterable[Index],
    server: Server,
    before: ServerRecord | None,
) -> Iterator[IndexRecord]:
    """The record of each index as it would be made now; ``id`` and ``server_id`` are 0 if new.

    ``records`` are those of ``before``, and no other server's.
    """
    for index, record in matched(records, indexes):
        yield _next(record, index, server, before)


def matched(
    records: Sequence[IndexRecord], indexes: Iterable[Index]
) -> Iterator[tuple[Index, IndexRecord | None]]:
    """Each index with its record among those of one server, if it has one: no record serves twice."""
    find = _Finder(records)
    for index in indexes:
        yield index, find.of(index)


class _Finder:
    """Which record is an index': by its name and definition, else by its oid."""

    def __init__(self, records: Sequence[IndexRecord]) -> None:
        self._by_name: dict[tuple[str, str], list[IndexRecord]] = {}
        for each in records:
            self._by_name.setdefault((each.schema, each.name), []).append(each)
        self._by_oid = {each.oid: each for each in sorted(records, key=lambda each: each.last_seen_at)}
        self._taken: set[int] = set()

    def of(self, index: Index) -> IndexRecord | None:
        wanted = shape(index.definition)
        named = self._by_name.get((index.schema, index.name), ())
        found = next((each for each in named if wanted and shape(each.definition) == wanted), None)
        if found is None or found.id in self._taken:
            found = self._renamed(index, wanted)
        if found is not None:
            self._taken.add(found.id)
        return found

    def _renamed(self, index: Index, wanted: str) -> IndexRecord | None:
        found = self._by_oid.get(index.oid)
        if found is None or found.id in self._taken:
            return None
        # An oid alone is not enough: a restored copy gives those after its point in time anew.
        likeness = (
            found.table == index.table,
            found.name == index.name,
            bool(wanted) and shape(found.definition) == wanted,
        )
        return found if any(likeness) else None


def _next(
    record: IndexRecord | None, index: Index, server: Server, before: ServerRecord | None
) -> IndexRecord:
    seen = _new(index, server.taken_at)
    if record is None or before is None:
        return seen
    if _went_on(record, index, server, before):
        added = [now - then for now, then in zip(_counted(seen), _counted(record), strict=True)]
    else:
        added = list(_counted(seen))
    scans, tuples_read, tuples_fetched = (max(0, each) for each in added)
    return replace(
        seen,
        id=record.id,
        server_id=record.server_id,
        definition=seen.definition if shape(seen.definition) else record.definition,
        first_seen_at=record.first_seen_at,
        last_scan=_latest(record.last_scan, index.last_scan or (server.taken_at if scans else None)),
        scans=record.scans + scans,
        tuples_read=record.tuples_read + tuples_read,
        tuples_fetched=record.tuples_fetched + tuples_fetched,
        scans_week_ago=record.scans_week_ago,
        scans_month_ago=record.scans_month_ago,
    )


def _went_on(record: IndexRecord, index: Index, server: Server, before: ServerRecord) -> bool:
    """Whether the counter has not begun anew. See Note [Rather too many than too few]."""
    if index.scans < record.counted_scans:
        return False
    if has_same_life(before, server):
        return True
    # The time of the reset also moves when a single table's counters are reset, and nobody else's. A
    # reset clears the time of the last scan: one that we may have seen already has survived.
    return index.last_scan is not None and index.last_scan <= before.taken_at


def _latest(*times: datetime | None) -> datetime | None:
    return max((each for each in times if each is not None), default=None)


def _new(index: Index, now: datetime) -> IndexRecord:
    return IndexRecord(
        id=0,
        server_id=0,
        oid=index.oid,
        schema=index.schema,
        table=index.table,
        name=index.name,
        definition=index.definition,
        is_partition=index.parent_oid is not None,
        size_bytes=index.size_bytes,
        first_seen_at=now,
        last_seen_at=now,
        last_scan=index.last_scan or (now if index.scans else None),
        counted_scans=index.scans,
        counted_tuples_read=index.tuples_read,
        counted_tuples_fetched=index.tuples_fetched,
        scans=index.scans,
        tuples_read=index.tuples_read,
        tuples_fetched=index.tuples_fetched,
    )


def _counted(record: IndexRecord) -> tuple[int, int, int]:
    return record.counted_scans, record.counted_tuples_read, record.counted_tuples_fetched


def covered_from(server: Server, last: datetime | None) -> datetime:
    """From when on the counters tell of what ``last``, the look before, did not tell of."""
    return max(server.statistics_since, last or server.statistics_since)
