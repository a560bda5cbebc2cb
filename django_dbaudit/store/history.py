"""What our records know of a database's indexes: the fact, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: What has to be done for there to be any.
HOW = "run 'manage.py indexreport --snapshot' once a day"


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """One set of counters, as it was when we looked last."""

    id: int
    #: Under which it was seen last.
    alias: str
    counting_since: datetime
    statistics_reset_at: datetime | None
    first_taken_at: datetime
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A day on which an alias was looked at, and from when on what it counted is known."""

    alias: str
    in_recovery: bool
    covered_from: datetime
    taken_at: datetime
    #: Of the time between, what no counter tells of: a reset or a crash came before the look.
    lost_seconds: float


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """An index on one server: what its counters said last, and what they add up to.

    ``counted_…`` is the counter itself; ``scans`` and the two after it are the sums over all lives
    of the counter, which resets, crashes and rebuilds begin anew.
    """

    id: int
    server_id: int
    oid: int
    schema: str
    table: str
    name: str
    definition: str
    #: Attached to a partitioned index.
    is_partition: bool
    size_bytes: int
    first_seen_at: datetime
    last_seen_at: datetime
    #: Known from PostgreSQL 16 on; before that, when it was first seen to have been read again.
    last_scan: datetime | None
    counted_scans: int
    counted_tuples_read: int
    counted_tuples_fetched: int
    scans: int
    tuples_read: int
    tuples_fetched: int
    #: ``scans`` on the days that `IndexHistory` names; None where there is no record of that day.
    scans_week_ago: int | None = None
    scans_month_ago: int | None = None

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"


def shape(definition: str) -> str:
    """A definition without the names of index and table: what a rebuilt index has again.

    Empty for the placeholder that stands where a lock kept us from reading the definition.

    >>> shape("CREATE UNIQUE INDEX t_a ON public.t USING btree (a)")
    'CREATE UNIQUE INDEX btree (a)'
    """
    start, using, rest = definition.partition(" USING ")
    kind = "CREATE UNIQUE INDEX" if start.startswith("CREATE UNIQUE INDEX") else "CREATE INDEX"
    return f"{kind} {rest}" if using else ""


@dataclass(frozen=True, slots=True)
class IndexHistory:
    """The records of one database, on all the servers it was seen on; empty with a reason."""

    servers: tuple[ServerRecord, ...] = ()
    snapshots: tuple[SnapshotRecord, ...] = ()
    indexes: tuple[IndexRecord, ...] = ()
    #: Days between the last day on record and the one about a week before it, and from that to one
    #: about a month before; 0 where the records do not go back so far.
    days_since_week_ago: int = 0
    days_before_week_ago: int = 0
    #: Why there are no records; empty if there are.
    absence: str = ""

    @property
    def since(self) -> datetime | None:
        """When the first record was made."""
        return min((each.first_taken_at for each in self.servers), default=None)

    @property
    def taken_at(self) -> datetime | None:
        """When the last record was made."""
        return max((each.taken_at for each in self.servers), default=None)
