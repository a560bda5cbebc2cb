"""Every session of the server now, what it waits for, and who is in its way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class Session:
    """A row of ``pg_stat_activity``; where ``hidden``, our role may see little but its existence."""

    pid: int
    leader_pid: int | None
    database: str | None
    user: str | None
    application_name: str
    client_address: str | None
    backend_type: str | None
    state: str | None
    wait_event_type: str | None
    wait_event: str | None
    started_at: datetime | None
    transaction_started_at: datetime | None
    query_started_at: datetime | None
    state_changed_at: datetime | None
    #: Cut by the server at track_activity_query_size, 1 kB by default.
    query: str
    hidden: bool
    #: Transactions since the oldest one that this session keeps VACUUM from cleaning up after.
    xmin_age: int | None
    lock_type: str | None
    lock_mode: str | None
    waiting_since: datetime | None
    lock_relation: str | None
    blocked_by: tuple[int, ...]
    #: Tables of this database on which it holds more than ACCESS SHARE.
    locked_tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of the whole cluster, our own left out."""

    items: tuple[Session, ...]

    @property
    def hidden(self) -> int:
        """How many our role may not look into."""
        return sum(session.hidden for session in self.items)


def read(source: Source) -> Sessions:
    return Sessions(tuple([decode(Session, row) for row in source.rows("sessions")]))
