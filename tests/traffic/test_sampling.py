"""A sample is as large as it was said to be, and no pattern of requests hides from it."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_dbaudit.traffic.sampling import Sample


@given(share=st.floats(0.001, 1), seed=st.integers(0, 2**32), times=st.integers(1, 3000))
def test_never_more_and_never_fewer_than_the_share(share: float, seed: int, times: int) -> None:
    sample = Sample(share, seed)
    taken = sum(sample.takes_next() for _ in range(times))
    # Each row has one, but that which has only begun may not have had its own yet.
    assert -1 - share - 1e-6 <= taken - times * share <= 1 + 1e-6


@pytest.mark.parametrize(("share", "expected"), [(0, 0), (1, 100)])
def test_none_is_none_and_all_is_all(share: float, expected: int) -> None:
    sample = Sample(share)
    assert sum(sample.takes_next() for _ in range(100)) == expected
    assert sample.takes_all == (share == 1)


@pytest.mark.parametrize("period", [2, 5, 10])
def test_of_requests_that_come_in_turn_each_is_seen(period: int) -> None:
    sample = Sample(0.1, seed=1)
    seen = [number % period for number in range(5_000) if sample.takes_next()]
    counts = [seen.count(each) for each in range(period)]
    assert min(counts) > 0.5 * max(counts)


def test_threads_share_one_sample() -> None:
    sample = Sample(0.1, seed=1)
    taken: list[bool] = []
    threads = [
        threading.Thread(target=lambda: taken.extend([sample.takes_next() for _ in range(1_000)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 400
