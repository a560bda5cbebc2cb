"""The server itself: its version, who we are on it, since when it counts, how many may come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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

    @property
    def statistics_since(self) -> datetime:
        """From when on this database's counters surely count."""
        since = self.counting_since or self.started_at
        return max(since, self.statistics_reset_at or since)

    @property
    def statistics_age(self) -> timedelta:
        return self.taken_at - self.statistics_since


def read(source: Source) -> Server:
    (row,) = source.rows("server")
    return decode(Server, row)
