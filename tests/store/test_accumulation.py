"""Counters that begin anew become sums that do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activity import posed_server as server
from django_dbaudit.postgres.server import Server
from django_dbaudit.store.accumulation import advance, same_counters
from django_dbaudit.store.history import IndexRecord, ServerRecord, shape
from posing import an_index

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Run:
    """An index through reads, resets and rebuilds, and what the snapshots between them make of it."""

    def __init__(self, *, knows_last_scan: bool) -> None:
        self.knows_last_scan = knows_last_scan
        self.now = START
        self.reset_at: datetime | None = None
        self.oid = 1
        self.counter = 0
        self.last_scan: datetime | None = None
        self.unseen = 0
        self.expected = 0
        self.record: IndexRecord | None = None
        self.before: ServerRecord | None = None

    def do(self, action: str, number: int) -> None:
        self.now += timedelta(hours=1)
        getattr(self, action)(number)

    def read(self, number: int) -> None:
        self.counter += number
        self.unseen += number
        self.last_scan = self.now

    def reset(self, number: int) -> None:
        self.counter, self.unseen, self.last_scan = 0, 0, None
        self.reset_at = self.now

    def reset_of_another_table(self, number: int) -> None:
        """It moves the time of the whole database's reset."""
        self.reset_at = self.now

    def reindex_concurrently(self, number: int) -> None:
        self.oid += 1

    def snapshot(self, number: int) -> None:
        index = an_index(
            oid=self.oid, scans=self.counter, last_scan=self.last_scan if self.knows_last_scan else None
        )
        seen = server(counting_since=START, statistics_reset_at=self.reset_at, taken_at=self.now)
        records = [self.record] if self.record else []
        (made,) = advance(records, [index], seen, self.before)
        assert self.record is None or made.id == 1
        self.expected += self.unseen
        self.unseen = 0
        self.record = replace(made, id=1, server_id=1)
        self.before = recorded(seen)


def recorded(seen: Server, **attributes: Any) -> ServerRecord:
    plain = ServerRecord(
        id=1,
        alias="default",
        counting_since=seen.counting_since or seen.started_at,
        statistics_reset_at=seen.statistics_reset_at,
        first_taken_at=START,
        taken_at=seen.taken_at,
    )
    return replace(plain, **attributes)


COMMON = ["read", "reset", "reindex_concurrently", "snapshot"]


def runs(*actions: str) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(actions), st.integers(1, 5)), max_size=30)


@given(runs(*COMMON), st.booleans())
def test_all_that_a_snapshot_has_seen_is_counted_once(
    actions: list[tuple[str, int]],
    knows_last_scan: bool,  # hypothesis gives it by position
) -> None:
    run = Run(knows_last_scan=knows_last_scan)
    for action in [*actions, ("snapshot", 0)]:
        run.do(*action)
    assert run.record
    assert run.record.scans == run.expected


@given(runs(*COMMON, "reset_of_another_table"), st.booleans())
def test_never_too_few_and_never_later_than_it_was(
    actions: list[tuple[str, int]],
    knows_last_scan: bool,  # as above
) -> None:
    run = Run(knows_last_scan=knows_last_scan)
    before = 0
    for action in [*actions, ("snapshot", 0)]:
        unseen, last = run.unseen, run.last_scan
        run.do(*action)
        if action[0] == "snapshot" and run.record:
            assert run.record.scans >= max(run.expected, before)
            before = run.record.scans
            if unseen:
                assert run.record.last_scan is not None
                assert last is not None
                assert run.record.last_scan >= last


def test_a_reset_of_another_table_is_told_by_the_last_scan() -> None:
    run = Run(knows_last_scan=True)
    for action in ("read", "snapshot", "reset_of_another_table", "snapshot"):
        run.do(action, 5)
    assert run.record
    assert run.record.scans == 5


def test_a_reset_before_that_of_another_table_is_not_overlooked() -> None:
    run = Run(knows_last_scan=True)
    for action in ("read", "snapshot", "reset", "read", "reset_of_another_table", "snapshot"):
        run.do(action, 5)
    assert run.record
    assert run.record.scans == 10


def test_what_was_counted_stays_when_an_old_reset_shows_only_now() -> None:
    run = Run(knows_last_scan=False)
    run.do("read", 5)
    run.do("snapshot", 0)
    run.reset_at = START
    run.do("snapshot", 0)
    assert run.record
    assert run.record.scans == 5


# Which record goes on.


def test_the_same_counters_are_known_under_any_alias() -> None:
    seen = server(counting_since=START)
    record = recorded(seen, alias="old name")
    assert same_counters([record], "default", seen) == record


def test_a_reset_before_the_last_look_that_shows_only_now_is_none() -> None:
    record = recorded(server(counting_since=START), taken_at=START + timedelta(days=5))
    late = server(counting_since=START, statistics_reset_at=START + timedelta(days=4))
    assert same_counters([record], "another", late) == record


def test_counters_begun_since_the_last_look_go_on_from_it() -> None:
    record = recorded(server(counting_since=START), taken_at=START + timedelta(days=5))
    crashed = server(counting_since=START + timedelta(days=6))
    assert same_counters([record], "default", crashed) == record
    reset = server(counting_since=START, statistics_reset_at=START + timedelta(days=6))
    assert same_counters([record], "default", reset) == record


def test_counters_older_than_the_last_look_are_another_servers() -> None:
    record = recorded(server(counting_since=START), taken_at=START + timedelta(days=5))
    other = server(counting_since=START + timedelta(days=4))
    assert same_counters([record], "default", other) is None


def test_young_counters_behind_another_alias_are_another_servers() -> None:
    record = recorded(server(counting_since=START), taken_at=START + timedelta(days=5))
    young = server(counting_since=START + timedelta(days=6))
    assert same_counters([record], "replica", young) is None


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("CREATE INDEX a ON t USING btree (x)", "CREATE INDEX btree (x)"),
        (
            'CREATE INDEX " USING " ON t USING btree (x)',
            'CREATE INDEX " ON t USING btree (x)',
        ),
        (
            "CREATE UNIQUE INDEX a ON ONLY t USING gin (x) WHERE y",
            "CREATE UNIQUE INDEX gin (x) WHERE y",
        ),
        ("-- definition not read: the table is locked", ""),
    ],
)
def test_the_shape_of_an_index_leaves_out_its_names(definition: str, expected: str) -> None:
    assert shape(definition) == expected
