"""Which time is known: of the records, the counters of now, and all servers at once."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from activity import posed_server as server
from django_dbaudit.analysis.cluster import Cluster, ClusterServer
from django_dbaudit.analysis.coverage import Coverage, Span, _both, _merged, known_time
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.store.history import IndexHistory, SnapshotRecord

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def span(begin: float, end: float) -> Span:
    return day(begin), day(end)


def counting(since: float, now: float = 100, *, in_recovery: bool = False) -> Server:
    return server(counting_since=day(since), taken_at=day(now), in_recovery=in_recovery)


def look(begin: float, end: float, *, alias: str = "default", lost: float = 0) -> SnapshotRecord:
    return SnapshotRecord(alias, alias != "default", day(begin), day(end), lost * 86400)


def known(own: Server, *looks: SnapshotRecord, replica: Server | None = None) -> tuple[Span, ...]:
    servers = [ClusterServer("default", own, Indexes(()))]
    if replica:
        servers.append(ClusterServer("replica", replica, Indexes(())))
    cluster = Cluster("default", None, tuple(servers) if replica else ())
    return known_time(own, cluster, IndexHistory(snapshots=looks)).spans


def test_without_records_it_is_the_statistics() -> None:
    assert known(counting(40)) == (span(40, 100),)


def test_records_of_counters_that_go_on_add_nothing() -> None:
    assert known(counting(40), look(40, 60), look(60, 61)) == (span(40, 100),)


def test_what_lies_between_the_last_look_and_a_reset_is_a_gap() -> None:
    assert known(counting(90), look(10, 50), look(50, 70)) == (span(10, 70), span(90, 100))


def test_what_a_day_lost_shortens_it() -> None:
    assert known(counting(0), look(0, 10), look(10, 11, lost=0.25)) == (
        span(0, 10),
        span(10.25, 100),
    )


def test_a_replica_shortens_what_is_known() -> None:
    assert known(counting(10), replica=counting(60, in_recovery=True)) == (span(60, 100),)


def test_a_replicas_own_records_fill_the_gap() -> None:
    replica = counting(60, in_recovery=True)
    looks = [look(20, 50, alias="replica"), look(20, 50, alias="another")]
    assert known(counting(10), *looks, replica=replica) == (span(20, 50), span(60, 100))


def test_records_of_a_replica_say_nothing_of_the_primary() -> None:
    assert known(counting(60), look(20, 50, alias="replica")) == (span(60, 100),)


def test_a_look_from_the_future_is_left_out() -> None:
    assert known(counting(60), look(60, 101)) == (span(60, 100),)


def test_a_server_that_has_just_begun_covers_nothing() -> None:
    assert Coverage(known(counting(100))).age == timedelta()


def test_days_are_counted_back_over_gaps() -> None:
    coverage = Coverage((span(0, 10), span(20, 30)))
    assert coverage.age == timedelta(days=20)
    assert coverage.start_of(timedelta(days=5)) == day(25)
    assert coverage.start_of(timedelta(days=12)) == day(8)
    assert coverage.start_of(timedelta(days=21)) is None
    assert coverage.within(day(5)) == timedelta(days=15)
    assert coverage.within(day(25)) == timedelta(days=5)


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10))).map(
    lambda pairs: [span(begin, begin + length) for begin, length in pairs]
)


def days(spans: list[Span]) -> set[int]:
    return {number for begin, end in spans for number in range((begin - START).days, (end - START).days)}


@given(SPANS)
def test_merging_keeps_the_time_and_leaves_no_overlap(spans: list[Span]) -> None:
    merged = _merged(spans)
    assert days(merged) == days(spans)
    assert all(one[1] < two[0] for one, two in pairwise(merged))


@given(SPANS, SPANS)
def test_both_cover_what_is_in_each(first: list[Span], second: list[Span]) -> None:
    one, two = _merged(first), _merged(second)
    assert days(_both(one, two)) == days(one) & days(two)
