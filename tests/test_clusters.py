"""Aliases of one cluster: recognised for sure or not at all, their scans summed, their schema told once."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

import postgres_server
from aliases import alias_like, default_on
from django_dbaudit import audit, clusters, facts
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
from django_dbaudit.finding import Database, Severity
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.project.replication import DeclaredAlias
from django_dbaudit.rule import all_rules, get_rule
from django_dbaudit.store.history import IndexHistory
from posing import an_index
from running import command
from scratch import Scratch

SHOP = (
    "CREATE TABLE t AS SELECT g AS a, g AS b, g AS c FROM generate_series(1, 2000) AS g",
    "CREATE INDEX t_a ON t (a)",
    "CREATE INDEX t_b ON t (b)",
    "CREATE INDEX t_b_copy ON t (b)",
    "ANALYZE t",
)


@pytest.fixture(scope="module")
def primary() -> Iterator[postgres_server.Server]:
    # Else what is committed is not yet on its way to the replica.
    with postgres_server.temporary(settings={"synchronous_commit": "local"}) as server:
        yield server


@pytest.fixture(scope="module")
def standby(primary: postgres_server.Server) -> Iterator[postgres_server.Server]:
    with postgres_server.replica(primary) as server:
        yield server


@dataclasses.dataclass
class Pair:
    """One database on two servers, each behind an alias."""

    primary: Scratch
    replica: Scratch

    @property
    def aliases(self) -> list[str]:
        return [self.primary.alias, self.replica.alias]

    def run(self, *statements: str) -> None:
        """On the primary, and wait until the replica has it too."""
        self.primary.run(*statements)
        # Not the insert position: at the beginning of a page it counts the page's header, and the replica
        # is never there.
        ((position,),) = self.primary.run("SELECT pg_current_wal_flush_lsn()::text")
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        self.replica.wait_until(lambda: self.replica.run(replayed) == [(True,)])


@pytest.fixture
def pair(
    primary: postgres_server.Server, standby: postgres_server.Server, django_db_blocker: Any
) -> Iterator[Pair]:
    with (
        django_db_blocker.unblock(),
        default_on(primary) as connection,
        Scratch.created(connection) as scratch,
        alias_on(standby, scratch) as replica,
    ):
        both = Pair(scratch, Scratch(replica))
        # Until it is there a session cannot wait for what is in it.
        ((position,),) = scratch.run("SELECT pg_current_wal_flush_lsn()::text")
        with alias_like(replica, NAME="postgres") as other:
            replayed = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
            scratch.wait_until(lambda: Scratch(other).run(replayed) == [(True,)])
        both.run(*SHOP)
        yield both


@contextlib.contextmanager
def alias_on(server: postgres_server.Server, scratch: Scratch, **settings: Any) -> Iterator[str]:
    """The same database on another server."""
    where = {"HOST": server.host, "PORT": str(server.port), "PASSWORD": server.password}
    with alias_like(scratch.alias, **where, **settings) as alias:
        yield alias


def gathered(*aliases: str) -> Facts:
    return clusters.linked(facts.gather(aliases, set(facts.ALL.values()), Config(store=aliases[0])))


def outcome(seen: Facts, *rules: str, **thresholds: Any) -> audit.Audit:
    chosen = [get_rule(name) for name in rules] or all_rules()
    return audit.run(chosen, seen, Thresholds(**thresholds))


def unused(seen: Facts) -> audit.Audit:
    return outcome(seen, "unused-index", unused_index_days=0)


def subjects(found: audit.Audit) -> list[tuple[str | None, str]]:
    return [(each.database, each.subject.name) for each in found.findings]


def query(scratch: Scratch, column: str, *, moves: str) -> None:
    counter = f"SELECT pg_stat_get_numscans('{moves}'::regclass)"
    ((before,),) = scratch.run(counter)
    with scratch.session() as session, session.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(f"SELECT * FROM t WHERE {column} = 5")
    scratch.wait_until(lambda: scratch.run(counter)[0][0] > before)


# What is the same is told once.


def test_a_replica_is_recognised(pair: Pair) -> None:
    seen = gathered(*pair.aliases)
    assert [each.replica_of for each in seen.databases] == [None, pair.primary.alias]
    assert seen.aliases[0].get(Cluster).doubts == ()


def test_the_order_of_the_aliases_does_not_matter(pair: Pair) -> None:
    seen = gathered(*reversed(pair.aliases))
    assert [each.replica_of for each in seen.databases] == [pair.primary.alias, None]


def test_findings_on_the_schema_stand_at_the_primary_alone(pair: Pair) -> None:
    found = outcome(gathered(*pair.aliases), "duplicate-index")
    assert subjects(found) == [(pair.primary.alias, "public.t_b_copy")]
    assert found.not_run == ()


def test_what_servers_differ_in_is_looked_at_on_each(pair: Pair) -> None:
    found = outcome(gathered(*pair.aliases), sequential_scan_days=9)
    told = {(each.name, each.database) for each in found.not_run}
    assert {("heavy-sequential-scans", alias) for alias in pair.aliases} <= told


def test_a_replica_without_its_primary_has_the_findings(pair: Pair) -> None:
    seen = gathered(pair.replica.alias)
    assert subjects(outcome(seen, "duplicate-index")) == [(pair.replica.alias, "public.t_b_copy")]
    (not_run,) = unused(seen).not_run
    assert not_run.reason.startswith("a read replica")


def test_indexreport_lists_the_indexes_once(pair: Pair) -> None:
    arguments = [each for alias in pair.aliases for each in ("--database", alias)]
    result = command("indexreport", *arguments, "--select", "IDX002", "--format", "json")
    assert sorted(each["name"] for each in result.json["indexes"]) == ["t_a", "t_b", "t_b_copy"]
    assert [each["replica_of"] for each in result.json["databases"]] == [None, pair.primary.alias]
    result = command("indexreport", *arguments, "--select", "IDX002")
    assert f", replica of {pair.primary.alias}\n" in result.out
    assert result.out.count("t_b_copy (") == 1


def test_rules_say_of_a_file_what_they_say_of_the_servers(pair: Pair, tmp_path: Any) -> None:
    query(pair.replica, "a", moves="t_a")
    before = facts.gather(pair.aliases, set(facts.ALL.values()), Config(store=pair.aliases[0]))
    path = tmp_path / "facts.json"
    path.write_text(facts.save(before))
    after = clusters.linked(facts.load(path))
    assert after == clusters.linked(before)
    assert unused(after).findings


# Scans are summed.


def test_an_index_that_only_the_replica_reads_is_left_alone(pair: Pair) -> None:
    query(pair.replica, "a", moves="t_a")
    found = unused(gathered(*pair.aliases))
    assert [name for _, name in subjects(found)] == ["public.t_b", "public.t_b_copy"]
    finding = found.findings[0]
    assert f"has not been read once here or on {pair.replica.alias} since " in finding.message
    assert finding.severity is Severity.WARNING
    assert finding.evidence["servers"] == pair.aliases


def test_scans_of_both_are_added_and_the_latest_counts(pair: Pair) -> None:
    for each in (pair.primary, pair.replica, pair.replica):
        query(each, "a", moves="t_a")
    first, second = (Scratch(alias).fact(Indexes) for alias in pair.aliases)
    seen = gathered(*pair.aliases)
    (index,) = [each for each in seen.aliases[0].get(Indexes).items if each.name == "t_a"]
    assert index.scans == 3
    times = [each.last_scan for side in (first, second) for each in side.items if each.name == "t_a"]
    assert index.last_scan == max((each for each in times if each), default=None)


def test_json_keeps_what_each_server_counted(pair: Pair) -> None:
    query(pair.replica, "a", moves="t_a")
    arguments = [each for alias in pair.aliases for each in ("--database", alias)]
    result = command("indexreport", *arguments, "--select", "IDX002", "--format", "json")
    (index,) = [each for each in result.json["indexes"] if each["name"] == "t_a"]
    assert index["scans"] == 1
    assert [(each["alias"], each["scans"]) for each in index["servers"]] == list(
        zip(pair.aliases, (0, 1), strict=True)
    )


def test_the_youngest_statistics_count(pair: Pair) -> None:
    seen = gathered(*pair.aliases)
    first, second = (each.get(Server) for each in seen.aliases)
    assert second.statistics_since > first.statistics_since
    assert seen.aliases[0].get(Cluster).statistics_since(first) == second.statistics_since


def test_two_aliases_of_a_replica_count_once(pair: Pair) -> None:
    query(pair.replica, "a", moves="t_a")
    with alias_like(pair.replica.alias) as again:
        seen = gathered(*pair.aliases, again)
    (index,) = [each for each in seen.aliases[0].get(Indexes).items if each.name == "t_a"]
    assert index.scans == 1
    assert [each.replica_of for each in seen.databases] == [None, pair.primary.alias, pair.primary.alias]


def test_another_database_of_the_cluster_is_not_summed(pair: Pair) -> None:
    with alias_like(pair.replica.alias, NAME="postgres") as other:
        seen = gathered(pair.primary.alias, other)
    assert [each.replica_of for each in seen.databases] == [None, None]


def test_a_copy_that_was_promoted_is_no_replica(pair: Pair, primary: postgres_server.Server) -> None:
    with postgres_server.replica(primary) as copy, alias_on(copy, pair.primary) as alias:
        clone = Scratch(alias)
        clone.run("SELECT pg_promote()")
        query(clone, "a", moves="t_a")
        seen = gathered(pair.primary.alias, pair.replica.alias, alias)
    assert [each.replica_of for each in seen.databases] == [None, pair.primary.alias, None]
    assert seen.aliases[0].get(Server).system_identifier == seen.aliases[2].get(Server).system_identifier
    assert (pair.primary.alias, "public.t_a") in subjects(unused(seen))


# What is not whole is refused by name.


def test_a_replica_that_cannot_be_reached_stops_drop_advice(pair: Pair) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with alias_like(pair.replica.alias, PORT=str(probe.getsockname()[1])) as down:
            found = unused(gathered(pair.primary.alias, down))
    assert found.findings == ()
    (not_run,) = [each for each in found.not_run if each.database == pair.primary.alias]
    assert f"alias {down}, which may be a replica of it, was not seen: could not connect" in not_run.reason


def test_another_database_that_cannot_be_reached_stops_nothing(pair: Pair) -> None:
    with alias_like(pair.replica.alias, NAME="elsewhere", HOST="/nowhere") as down:
        assert unused(gathered(*pair.aliases, down)).findings


def test_a_mirror_that_was_left_out_stops_drop_advice(pair: Pair) -> None:
    with alias_like(pair.replica.alias, TEST={"MIRROR": pair.primary.alias}) as mirror:
        (not_run,) = unused(gathered(pair.primary.alias)).not_run
        assert f"alias {mirror}, which mirrors it by its settings, was not asked for" in not_run.reason
        assert unused(gathered(pair.primary.alias, mirror)).not_run == ()


def test_replicas_without_an_alias_make_it_an_information(pair: Pair) -> None:
    found = unused(gathered(pair.primary.alias))
    assert {each.severity for each in found.findings} == {Severity.INFO}
    assert "1 replica without an alias follows this server, and may read it" in found.findings[0].message


def test_a_role_with_no_right_at_all_recognises_a_replica_too(pair: Pair) -> None:
    with pair.primary.role("reader") as role:
        pair.run("SELECT 1")
        with (
            alias_like(pair.primary.alias, USER=role, PASSWORD=role) as first,
            alias_like(pair.replica.alias, USER=role, PASSWORD=role) as second,
        ):
            seen = gathered(first, second)
    assert [each.replica_of for each in seen.databases] == [None, first]


def test_where_the_identifier_is_a_secret_the_settings_can_tell(pair: Pair) -> None:
    def without(alias: AliasFacts) -> AliasFacts:
        server = dataclasses.replace(alias.get(Server), system_identifier=None)
        return dataclasses.replace(alias, known={**alias.known, Server: server})

    seen = facts.gather(pair.aliases, set(facts.ALL.values()), Config(store=pair.aliases[0]))
    (secret, replica) = map(without, seen.aliases)
    (not_run,) = unused(clusters.linked(Facts((secret, replica)))).not_run[:1]
    assert f"cannot tell whether alias {pair.replica.alias} is a replica of it" in not_run.reason
    assert f"TEST = {{'MIRROR': '{pair.primary.alias}'}}" in not_run.reason
    declared = dataclasses.replace(replica, declared=DeclaredAlias(mirror=pair.primary.alias))
    assert clusters.linked(Facts((secret, declared))).databases[1].replica_of == pair.primary.alias


# Cases that take a fleet, posed.


def posed(server: Server, alias: str, **attributes: Any) -> AliasFacts:
    """An alias like one that was seen, with an index that was read twice."""
    own = dataclasses.replace(server, **attributes)
    known = {Server: own, Indexes: Indexes((an_index(scans=2),))}
    return AliasFacts(Database(alias, "postgresql", "18.6"), known, DeclaredAlias(name=server.database))


@pytest.fixture
def server(scratch: Scratch) -> Server:
    found: Server = scratch.fact(Server)
    return found


def later(server: Server, seconds: int) -> datetime:
    return server.started_at + timedelta(seconds=seconds)


def link(*aliases: AliasFacts) -> dict[str, Cluster]:
    return {each.database.alias: each.get(Cluster) for each in clusters.linked(Facts(aliases)).aliases}


def test_a_replica_on_a_newer_timeline_follows_somebody_else(server: Server) -> None:
    found = link(posed(server, "old"), posed(server, "replica", in_recovery=True, timeline=2))
    assert found["replica"].primary is None
    assert found["old"].doubts == ()


def test_a_replica_on_an_older_timeline_is_in_doubt(server: Server) -> None:
    found = link(posed(server, "new", timeline=2), posed(server, "replica", in_recovery=True))
    assert found["replica"].primary is None
    assert "alias replica is a replica of it: that is on timeline 1, this on 2" in found["new"].doubts[0]


def test_of_two_copies_of_a_primary_nobody_knows_whom_a_replica_follows(server: Server) -> None:
    copy = posed(server, "copy", started_at=later(server, 60))
    replica = posed(server, "replica", in_recovery=True, started_at=later(server, 90))
    found = link(posed(server, "default"), copy, replica)
    assert found["replica"].primary is None
    for alias in ("default", "copy"):
        assert (
            "cannot tell which of default and copy alias replica is a replica of" in found[alias].doubts[0]
        )
    declared = dataclasses.replace(replica, declared=DeclaredAlias(mirror="copy"))
    assert link(posed(server, "default"), copy, declared)["replica"].primary == "copy"


def test_two_aliases_of_the_primary_both_have_the_replica(server: Server) -> None:
    replica = posed(server, "replica", in_recovery=True, started_at=later(server, 90))
    found = link(posed(server, "default"), posed(server, "direct"), replica)
    assert found["replica"].primary == "default"
    assert [len(found[alias].servers) for alias in ("default", "direct")] == [2, 2]


def test_another_cluster_is_another_matter(server: Server) -> None:
    foreign = posed(server, "foreign", in_recovery=True, system_identifier="1")
    found = link(posed(server, "default"), foreign)
    assert found["default"] == Cluster("default")
    assert found["foreign"] == Cluster("foreign")


@pytest.mark.parametrize(
    ("attributes", "known", "why"),
    [
        ({"track_counts": False}, {}, "alias replica, a replica of it, counts none: track_counts is off"),
        (
            {},
            {Indexes: Unavailable("too slow")},
            "of alias replica, a replica of it, could not be read: too slow",
        ),
    ],
)
def test_a_replica_whose_counters_are_not_known_is_in_doubt(
    server: Server, attributes: dict[str, Any], known: dict[type[Any], Any], why: str
) -> None:
    replica = posed(server, "replica", in_recovery=True, started_at=later(server, 9), **attributes)
    replica = dataclasses.replace(replica, known={**replica.known, **known})
    found = link(posed(server, "default"), replica)
    assert found["replica"].primary == "default"
    assert why in found["default"].doubts[0]


# Records of a cluster.


def test_records_of_both_add_up(pair: Pair, settings: Any) -> None:
    settings.DBAUDIT = {"STORE": pair.primary.alias}
    call_command("migrate", "django_dbaudit", database=pair.primary.alias, verbosity=0)
    query(pair.replica, "a", moves="t_a")
    query(pair.primary, "a", moves="t_a")
    arguments = [each for alias in pair.aliases for each in ("--database", alias)]
    assert command("indexreport", "--snapshot", *arguments).status == 0
    pair.primary.run("SELECT pg_stat_reset()")
    pair.primary.wait_until(
        lambda: pair.primary.run("SELECT pg_stat_get_numscans('t_a'::regclass)") == [(0,)]
    )
    result = command("indexreport", *arguments, "--select", "IDX002", "--format", "json")
    (index,) = [each for each in result.json["indexes"] if each["name"] == "t_a"]
    assert (index["scans"], index["history"]["scans"]) == (1, 2)
    history = pair.primary.fact(IndexHistory, store=pair.primary.alias)
    assert [each.alias for each in history.servers] == pair.aliases


def test_a_replica_cannot_be_the_store(pair: Pair, settings: Any) -> None:
    call_command("migrate", "django_dbaudit", database=pair.primary.alias, verbosity=0)
    pair.run("SELECT 1")
    settings.DBAUDIT = {"STORE": pair.replica.alias}
    result = command("indexreport", "--snapshot", "--database", pair.primary.alias)
    assert result.status == 2
    assert "Set DBAUDIT['STORE'] to the alias of its primary" in result.err
    assert unused(gathered(*pair.aliases)).findings


def test_a_migration_is_written_though_the_primary_has_a_replica(pair: Pair, tmp_path: Any) -> None:
    arguments = [each for alias in pair.aliases for each in ("--database", alias)]
    result = command("indexreport", *arguments, "--write-migration", "nowhere")
    assert "for one database" not in result.err


def test_a_crash_loses_nothing_that_was_recorded(django_db_blocker: Any, settings: Any) -> None:
    with (
        django_db_blocker.unblock(),
        # What a crash may lose is not to be what was recorded.
        postgres_server.temporary(settings={"synchronous_commit": "local"}) as server,
        default_on(server) as connection,
        Scratch.created(connection) as scratch,
    ):
        scratch.run(*SHOP)
        settings.DBAUDIT = {"STORE": scratch.alias}
        call_command("migrate", "django_dbaudit", database=scratch.alias, verbosity=0)
        query(scratch, "a", moves="t_a")
        assert command("indexreport", "--snapshot", "--database", scratch.alias).status == 0
        server.crash()
        connections.close_all()
        again = postgres_server.start(server.base)
        assert again.port == server.port
        assert scratch.run("SELECT pg_stat_get_numscans('t_a'::regclass)") == [(0,)]
        query(scratch, "a", moves="t_a")
        assert command("indexreport", "--snapshot", "--database", scratch.alias).status == 0
        history = scratch.fact(IndexHistory, store=scratch.alias)
        (record,) = [each for each in history.indexes if each.name == "t_a"]
        connections.close_all()
    assert record.scans == 2
    assert len(history.servers) == 1
