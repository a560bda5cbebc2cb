"""The servers of a cluster that a project has aliases for, and what all of them have counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server


@dataclass(frozen=True, slots=True)
class ClusterServer:
    """One server of a cluster, as its alias shows it. The indexes' counters are its own alone."""

    alias: str
    server: Server
    indexes: Indexes

    @property
    def by_oid(self) -> dict[int, Index]:
        return {each.oid: each for each in self.indexes.items}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where an alias stands among those that lead to the same database on other servers."""

    #: This alias; empty where nobody has looked for others.
    alias: str = ""
    #: The alias of the primary, on the alias of a replica.
    primary: str | None = None
    #: On the alias of a primary that has replicas: itself first, then these.
    servers: tuple[ClusterServer, ...] = ()
    #: Why there may be replicas that we do not know, a sentence's end each.
    doubts: tuple[str, ...] = ()

    @property
    def replicas(self) -> tuple[ClusterServer, ...]:
        return self.servers[1:]

    def statistics_since(self, server: Server) -> datetime:
        """From when on the counters of all servers count; ``server`` is this alias' own."""
        return max([server.statistics_since, *(each.server.statistics_since for each in self.replicas)])

    def unseen(self, server: Server) -> int:
        """How many servers stream from the primary without an alias that we looked at."""
        return max(0, server.standbys - len(self.replicas))


def uncounted(server: Server, cluster: Cluster) -> str | None:
    """Why we cannot know how often anything is read, all servers together; None if we can."""
    if server.in_recovery:
        return "a read replica: its counters say nothing of the scans on the primary"
    if cluster.doubts:
        return f"the scans on all servers of the cluster count, and {'; '.join(cluster.doubts)}"
    if not server.track_counts:
        return "needs track_counts, which is off on this server"
    return None


def summed(servers: Sequence[ClusterServer]) -> Indexes:
    """The indexes of the first server, each with the scans of all.

    A replica has the oids of its primary. What it has not replayed yet it has not read either.
    """
    own, *others = servers
    return Indexes(tuple(_summed(own.indexes.items, [each.by_oid for each in others])))


def _summed(indexes: Sequence[Index], elsewhere: Sequence[Mapping[int, Index]]) -> Iterator[Index]:
    for index in indexes:
        same = [index, *(known[index.oid] for known in elsewhere if index.oid in known)]
        yield replace(
            index,
            scans=sum(each.scans for each in same),
            tuples_read=sum(each.tuples_read for each in same),
            tuples_fetched=sum(each.tuples_fetched for each in same),
            last_scan=max((each.last_scan for each in same if each.last_scan), default=None),
        )
