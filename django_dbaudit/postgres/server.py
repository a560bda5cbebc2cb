"""The server itself: its version, who we are on it, since when it counts, how many may come in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import Error

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class Server:
    """One row about the server, and the clock (``taken_at``) that every rule goes by."""

    version: int
    version_text: str
    database: str
    #: The role that logged in, by which sessions are listed and counted.
    user: str
    taken_at: datetime
    started_at: datetime
    statistics_reset_at: datetime | None
    in_recovery: bool
    reads_all_stats: bool
    track_counts: bool
    max_connections: int
    #: superuser_reserved_connections plus, from PostgreSQL 16, reserved_connections.
    reserved_connections: int
    #: CONNECTION LIMIT of the database; None where there is none.
    database_connection_limit: int | None
    #: CONNECTION LIMIT of our role; None where there is none.
    role_connection_limit: int | None

    #: Since when the server has kept counters: a crash loses them, a clean restart does not.
    counting_since: datetime | None = None

    #: Grows by one with each promotion of a replica, and with a restoration to a point in time.
    timeline: int = 1
    #: When this server, a replica until then, was promoted; None if it was not, or we may not know.
    promoted_at: datetime | None = None
    #: What a primary, its replicas and all physical copies have in common, and nothing else has;
    #: digits, because JSON's readers lose some of 64 bits. None if we may not know.
    system_identifier: str | None = None
    #: Tells databases of a cluster apart, also where one took the name of another.
    database_oid: int = 0
    #: How many physical replicas stream from this server now.
    standbys: int = 0

    @property
    def statistics_since(self) -> datetime:
        """From when on this database's counters surely count."""
        since = self.counting_since or self.started_at
        return max(since, self.statistics_reset_at or since, self.promoted_at or since)

    @property
    def may_have_been_replica(self) -> bool:
        """Whether the counters may be those of a replica's life, and nobody can say until when."""
        return self.timeline > 1 and self.promoted_at is None

    @property
    def statistics_age(self) -> timedelta:
        return self.taken_at - self.statistics_since


def in_days(age: timedelta) -> float:
    """An age in days, at least one: of less nobody can tell what is usual in a day.

    >>> in_days(timedelta(hours=36)), in_days(timedelta(hours=1))
    (1.5, 1.0)
    """
    return max(1.0, age / timedelta(days=1))


def read(source: Source) -> Server:
    (row,) = source.rows("server")
    writes = row.pop("writes_timeline")
    row.update(*_asked(source, "control"))
    if writes is not None:
        row["timeline"] = writes
    if row.get("timeline", 1) > 1:
        row.update(*_asked(source, "promotion"))
    return decode(Server, row)


def _asked(source: Source, query: str) -> Iterable[dict[str, Any]]:
    """The row, if we may have it: managed services keep some of these functions to themselves."""
    try:
        return source.rows(query)
    except Error:
        return []
