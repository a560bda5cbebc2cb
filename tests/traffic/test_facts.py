from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from django_dbaudit.codec import decode, encode
from django_dbaudit.traffic.facts import (
    NOWHERE,
    CallSite,
    CommitTraffic,
    EagerLoadTraffic,
    QuerySetTraffic,
    QueryTraffic,
    Traffic,
    ViewTraffic,
    WriteUnit,
    merge,
)

NUMBERS = st.integers(0, 9)
# Few of each, so that keys meet.
SITES = st.sampled_from([NOWHERE, CallSite("code", "a.py", 1, "f"), CallSite("code", "a.py", 2, "f")])
UNITS = st.builds(WriteUnit, st.just("atomic"), st.just("default"), st.just("view"), st.just(("t",)), SITES)


def records(record: Any, /, **keys: Any) -> st.SearchStrategy[Any]:
    """Records of a kind, with numbers in every field that is added or compared."""
    numbers = {
        each.name: NUMBERS for each in fields(record) if each.metadata["merge"] in ("total", "highest")
    }
    return st.builds(record, **numbers, **keys)


def several(records: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(records, max_size=3).map(tuple)


QUERIES = records(
    QueryTraffic,
    site=SITES,
    rendered_at=st.just(NOWHERE),
    fingerprint=st.sampled_from(["SELECT ?", "UPDATE t"]),
    **{
        name: st.just("x") for name in ("kind", "phase", "how", "relation", "alias", "unit")
    },
    tables=st.sampled_from([(), ("t",)]),
)  # fmt: skip
QUERYSETS = records(
    QuerySetTraffic,
    site=SITES,
    model=st.just("a.B"),
    hows=st.sampled_from([(), ("get",)]),
    phase=st.just("view"),
    relation=st.just(""),
)
EAGER_LOADS = records(
    EagerLoadTraffic,
    site=SITES,
    model=st.just("a.B"),
    method=st.just("select_related"),
    lookup=st.just("c"),
)
COMMITS = records(CommitTraffic, units=several(UNITS), is_cut=st.booleans())
TRAFFIC = st.builds(
    Traffic,
    several(
        records(
            ViewTraffic,
            view=st.sampled_from(["a.b", "a.c"]),
            method=st.sampled_from(["GET", "POST"]),
            route=st.just("a/"),
            queries=several(QUERIES),
            querysets=several(QUERYSETS),
            eager_loads=several(EAGER_LOADS),
            commits=several(COMMITS),
        )
    ),
)


@given(TRAFFIC, TRAFFIC)
def test_the_order_makes_no_difference(a: Traffic, b: Traffic) -> None:
    assert merge(a, b) == merge(b, a)


@given(TRAFFIC, TRAFFIC, TRAFFIC)
def test_what_was_merged_before_makes_no_difference(a: Traffic, b: Traffic, c: Traffic) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == merge(a, b, c)


@given(TRAFFIC)
def test_nothing_adds_nothing(a: Traffic) -> None:
    assert merge(merge(a), Traffic()) == merge(a)


@given(TRAFFIC, TRAFFIC)
def test_no_request_and_no_execution_is_lost(a: Traffic, b: Traffic) -> None:
    def sums(traffic: Traffic) -> tuple[int, int]:
        executions = sum(query.executions for view in traffic.views for query in view.queries)
        return traffic.requests, executions

    assert sums(merge(a, b)) == tuple(map(sum, zip(sums(a), sums(b), strict=True)))


@given(TRAFFIC)
def test_it_is_saved_and_loaded(a: Traffic) -> None:
    assert decode(Traffic, json.loads(json.dumps(encode(a)))) == a


def test_numbers_are_added_and_the_highest_stays() -> None:
    view = ViewTraffic("a.b", "GET", "a/", requests=2, most_executions=7, microseconds=10)
    other = replace(view, requests=1, most_executions=9, microseconds=5)
    (merged,) = merge(Traffic((view,)), Traffic((other,))).views
    assert (merged.requests, merged.most_executions, merged.microseconds) == (3, 9, 15)


def test_another_method_or_route_is_another_view() -> None:
    view = ViewTraffic("a.b", "GET", "a/", requests=1)
    others = (view, replace(view, method="POST"), replace(view, route="b/"))
    assert len(merge(Traffic(others)).views) == 3


def test_a_line_is_a_location_and_nowhere_is_none() -> None:
    assert str(CallSite("code", "shop/views.py", 7).location) == "shop/views.py:7"
    assert NOWHERE.location is None
