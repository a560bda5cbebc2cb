from __future__ import annotations

from django_dbaudit.finding import Severity
from requests_posed import LINE, MOVED, findings, query, view

SLOW = {"executions": 3, "microseconds": 300_000, "slowest_microseconds": 150_000}


def test_a_quick_query_is_left_alone() -> None:
    assert findings("slow-call-site", view(query(**{**SLOW, "microseconds": 299_999}))) == []


def test_what_was_slow_once_or_twice_is_left_alone() -> None:
    assert findings("slow-call-site", view(query(executions=2, microseconds=9_000_000))) == []


def test_waiting_for_a_lock_is_left_alone() -> None:
    assert findings("slow-call-site", view(query(**SLOW, kind="lock"))) == []


def test_a_query_that_takes_long_on_average_is_named() -> None:
    (finding,) = findings("slow-call-site", view(query(**SLOW)))
    assert finding.message.startswith(
        "shop/views.py:12 waits 100 ms on average for its query (3 executions"
    )
    assert finding.severity is Severity.WARNING
    assert finding.location == LINE.location
    assert finding.evidence["slowest_microseconds"] == 150_000
    assert finding.fix
    assert "EXPLAIN (ANALYZE, BUFFERS)" in finding.fix.text


def test_a_write_that_takes_long_is_named() -> None:
    assert len(findings("slow-call-site", view(query(**SLOW, kind="write")))) == 1


def test_its_phases_and_commit_units_are_told_together() -> None:
    parts = [query(**{**SLOW, "executions": 2}, unit=unit) for unit in ("autocommit", "atomic")]
    (finding,) = findings("slow-call-site", view(*parts))
    assert "waits 150 ms on average for its query (4 executions, at most 150 ms)" in finding.message


def test_it_is_the_same_finding_when_lines_move() -> None:
    (one,), (other,) = (
        findings("slow-call-site", view(query(**SLOW))),
        findings("slow-call-site", view(query(**SLOW, site=MOVED))),
    )
    assert one.fingerprint == other.fingerprint
