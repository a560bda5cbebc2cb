"""Which aliases lead to servers of one cluster: a primary and the replicas that follow it.

A replica is a server in recovery with the system identifier of its primary, on the same timeline, and
with the same database. Neither is a restored copy, which has the identifier too: it is not in recovery.
Where this cannot be told for sure, nothing is summed, and the primary's `Cluster` says what is in doubt.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django_dbaudit.analysis.cluster import Cluster, ClusterServer, summed
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server


@dataclass(frozen=True, slots=True)
class _Reached:
    """An alias whose server is known."""

    facts: AliasFacts
    server: Server

    @property
    def alias(self) -> str:
        return self.facts.database.alias

    @property
    def process(self) -> tuple[object, ...]:
        """What two aliases of one and the same server have in common."""
        return self.server.system_identifier, self.server.started_at, self.server.counting_since


def linked(facts: Facts) -> Facts:
    """The same facts, with a `Cluster` for each alias, and each primary's indexes with all scans."""
    links = _Links(facts)
    return dataclasses.replace(facts, aliases=tuple([links.of(each) for each in facts.aliases]))


class _Links:
    def __init__(self, facts: Facts) -> None:
        known = [(each, each.get(Server)) for each in facts.aliases]
        reached = [_Reached(each, server) for each, server in known if isinstance(server, Server)]
        self._primaries = {each.alias: each for each in reached if not each.server.in_recovery}
        self._replicas: dict[str, list[_Reached]] = defaultdict(list)
        self._doubts: dict[str, list[str]] = defaultdict(list)
        for each in reached:
            if each.server.in_recovery:
                self._place(each)
        self._primary_of = {
            replica.alias: alias for alias, found in reversed(self._replicas.items()) for replica in found
        }
        for primary in self._primaries.values():
            self._doubts[primary.alias] += _not_reached(primary, facts)

    def of(self, each: AliasFacts) -> AliasFacts:
        alias = each.database.alias
        primary = self._primary_of.get(alias)
        cluster = Cluster(alias, primary, self._servers(alias), tuple(self._doubts[alias]))
        known = {**each.known, Cluster: cluster}
        if cluster.servers:
            known[Indexes] = summed(cluster.servers)
        database = dataclasses.replace(each.database, replica_of=primary)
        return dataclasses.replace(each, database=database, known=known)

    def _servers(self, alias: str) -> tuple[ClusterServer, ...]:
        """The server of this alias and its replicas, each once however many aliases it has."""
        own = self._primaries.get(alias)
        if own is None or isinstance(own.facts.get(Indexes), Unavailable):
            return ()
        found = {own.process: own}
        for each in self._replicas.get(alias, ()):
            problem = _uncounted(each)
            if problem:
                self._doubts[alias].append(problem)
            else:
                found.setdefault(each.process, each)
        if len(found) == 1:
            return ()
        return tuple(
            [ClusterServer(each.alias, each.server, each.facts.get(Indexes)) for each in found.values()]
        )

    def _place(self, replica: _Reached) -> None:
        """Find whom it follows, or who may be the one."""
        same = [each for each in self._primaries.values() if _same_database(each, replica)]
        declared = replica.facts.declared.mirror
        if replica.server.system_identifier is None or any(
            each.server.system_identifier is None for each in same
        ):
            self._place_by_declaration(replica, same)
            return
        same = [each for each in same if _same_cluster(each, replica)]
        follows = [each for each in same if each.server.timeline == replica.server.timeline]
        if len({each.process for each in follows}) > 1 and declared:
            follows = [each for each in follows if each.alias == declared]
        if len({each.process for each in follows}) == 1:
            for each in follows:
                self._replicas[each.alias].append(replica)
            return
        for each in follows:
            self._doubts[each.alias].append(_ambiguous(replica, follows))
        if not follows:
            for each in same:
                if each.server.timeline > replica.server.timeline:
                    self._doubts[each.alias].append(_behind(replica, each))

    def _place_by_declaration(self, replica: _Reached, primaries: Sequence[_Reached]) -> None:
        for each in primaries:
            if replica.facts.declared.mirror == each.alias:
                self._replicas[each.alias].append(replica)
            elif not replica.facts.declared.mirror and _may_be_same_cluster(each, replica):
                self._doubts[each.alias].append(_unidentified(replica, each))


def _same_database(primary: _Reached, replica: _Reached) -> bool:
    first, second = primary.server, replica.server
    return (first.database, first.database_oid) == (second.database, second.database_oid)


def _same_cluster(primary: _Reached, replica: _Reached) -> bool:
    return primary.server.system_identifier == replica.server.system_identifier


def _may_be_same_cluster(primary: _Reached, replica: _Reached) -> bool:
    known = {primary.server.system_identifier, replica.server.system_identifier} - {None}
    return len(known) < 2


def _uncounted(replica: _Reached) -> str:
    """Why its scans are not known; empty if they are."""
    indexes = replica.facts.get(Indexes)
    if isinstance(indexes, Unavailable):
        return f"those of alias {replica.alias}, a replica of it, could not be read: {indexes.reason}"
    if not replica.server.track_counts:
        return f"alias {replica.alias}, a replica of it, counts none: track_counts is off there"
    return ""


def _ambiguous(replica: _Reached, primaries: Sequence[_Reached]) -> str:
    names = " and ".join(each.alias for each in primaries)
    return (
        f"cannot tell which of {names} alias {replica.alias} is a replica of: all have its system "
        "identifier and timeline, one being a copy; TEST = {'MIRROR': …} in its settings says so"
    )


def _unidentified(replica: _Reached, primary: _Reached) -> str:
    return (
        f"cannot tell whether alias {replica.alias} is a replica of it, for want of the right to call "
        f"pg_control_system(); TEST = {{'MIRROR': {primary.alias!r}}} in its settings says so"
    )


def _behind(replica: _Reached, primary: _Reached) -> str:
    return (
        f"cannot tell whether alias {replica.alias} is a replica of it: that is on timeline "
        f"{replica.server.timeline}, this on {primary.server.timeline}. After a failover look again when "
        "it has made a restartpoint, or with pg_monitor"
    )


def _not_reached(primary: _Reached, facts: Facts) -> Iterator[str]:
    """Aliases that may lead to replicas, and that we know nothing of."""
    looked_at = {each.database.alias for each in facts.aliases}
    for each in facts.aliases:
        server = each.get(Server)
        if not isinstance(server, Unavailable) or not server.failed:
            continue
        if primary.alias == each.declared.mirror or each.declared.name == primary.server.database:
            alias = each.database.alias
            yield f"alias {alias}, which may be a replica of it, was not seen: {server.reason}"
    for alias in primary.facts.declared.mirrored_by:
        if alias not in looked_at:
            yield f"alias {alias}, which mirrors it by its settings, was not asked for with --database"
