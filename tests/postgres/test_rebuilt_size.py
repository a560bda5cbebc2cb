"""The estimate as a function: whatever the statistics say, it has two ends in the right order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_dbaudit.postgres.btree_pages import PAGE
from django_dbaudit.postgres.contents import ContentColumn, Contents, LeafPages
from django_dbaudit.postgres.rebuilt_size import RebuiltSize, of

BIGINT: dict[str, Any] = {
    "relation": "t",
    "name": "a",
    "is_expression": False,
    "length": 8,
    "alignment": 8,
    "longest": None,
    "is_nullable": False,
    "sample_rows": 30_000,
    "hidden": None,
    "null_fraction": 0.0,
    "width": 8,
    "distinct": -1.0,
}


def a_column(**changes: Any) -> ContentColumn:
    return ContentColumn(**{**BIGINT, **changes})


def a_text(**changes: Any) -> ContentColumn:
    return a_column(length=-1, alignment=4, is_nullable=True, **changes)


def some_contents(rows: int, *columns: ContentColumn, **changes: Any) -> Contents:
    values: dict[str, Any] = {
        "oid": 1,
        "schema": "public",
        "name": "i",
        "access_method": "btree",
        "size_bytes": 1024**3,
        "fillfactor": 90,
        "deduplicates": False,
        "is_unique": False,
        "is_partial": False,
        "columns": columns or (a_column(),),
        "entries": rows,
        "table_rows": rows,
        "live_rows": rows,
        "dead_rows": 0,
        "inserted_rows": rows,
        "updated_rows": 0,
        "deleted_rows": 0,
        "changed_rows": 0,
        "was_analyzed_last": True,
        "table_columns": 5,
        "toast_bytes": 0,
        "is_locked": False,
    }
    return Contents(**{**values, **changes})


def size_of(contents: Contents) -> RebuiltSize:
    size = of(contents)
    assert isinstance(size, RebuiltSize), size
    return size


columns = st.builds(
    a_column,
    length=st.sampled_from([-1, -1, 1, 2, 4, 8, 16]),
    alignment=st.sampled_from([1, 2, 4, 8]),
    longest=st.none() | st.integers(8, 4000),
    is_nullable=st.booleans(),
    is_expression=st.booleans(),
    sample_rows=st.sampled_from([300, 3000, 30_000, 3_000_000]),
    null_fraction=st.floats(0, 1),
    width=st.integers(1, 3000),
    distinct=st.floats(-1, 0) | st.integers(0, 10**9).map(float),
)
counts = st.integers(0, 10**10)
indexes = st.builds(
    lambda rows, found, changes: some_contents(rows, *found, **changes),
    counts,
    st.lists(columns, min_size=1, max_size=4),
    st.fixed_dictionaries(
        {
            "fillfactor": st.integers(10, 100),
            "deduplicates": st.booleans(),
            "is_partial": st.booleans(),
            "entries": counts,
            "live_rows": counts,
            "dead_rows": counts,
            "changed_rows": st.just(0) | counts,
            "table_columns": st.integers(1, 1600),
            "toast_bytes": st.just(0) | st.integers(0, 10**13),
        }
    ),
)


@given(indexes)
def test_the_cautious_end_is_never_the_smaller_one(contents: Contents) -> None:
    size = of(contents)
    if isinstance(size, RebuiltSize):
        assert PAGE <= size.least <= size.most
        assert size.least % PAGE == size.most % PAGE == 0
    else:
        assert size.startswith("run ANALYZE")


@given(indexes, st.integers(1, 100))
def test_no_index_needs_less_room_for_a_higher_fillfactor(contents: Contents, percent: int) -> None:
    fuller = replace(contents, fillfactor=min(100, contents.fillfactor + percent))
    if not isinstance(of(contents), str):
        assert size_of(fuller).most <= size_of(contents).most
        assert size_of(fuller).least <= size_of(contents).least


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_rows_need_no_less_room(one: int, other: int) -> None:
    fewer, more = sorted([one, other])
    assert size_of(some_contents(fewer)).most <= size_of(some_contents(more)).least


@given(st.integers(10**3, 10**9), st.floats(0, 1), st.floats(0, 1))
def test_what_was_measured_is_one_number_and_no_more_than_there_is(
    pages: int, density: float, internal: float
) -> None:
    leaves = LeafPages(int(pages * internal / 100), pages, density)
    size = size_of(some_contents(1, size_bytes=pages * PAGE, leaves=leaves))
    assert PAGE <= size.least == size.most <= pages * PAGE


@pytest.mark.parametrize(
    ("fillfactor", "pages"),
    # As CREATE INDEX makes them of a million rows.
    [(90, 2745), (50, 4971), (100, 2475)],
)
def test_a_million_numbers_take_as_many_pages_as_postgresql_makes(fillfactor: int, pages: int) -> None:
    size = size_of(some_contents(1_000_000, fillfactor=fillfactor))
    assert size.least == size.most
    assert abs(size.most // PAGE - pages) <= pages * 0.003


def test_what_nobody_counted_is_not_estimated() -> None:
    unknown = some_contents(0, table_rows=None, live_rows=0)
    assert of(unknown) == "run ANALYZE on the table, which was never counted"


def test_a_session_that_reports_late_does_not_make_twice_the_rows() -> None:
    late = some_contents(1000, live_rows=2000, changed_rows=1000)
    assert (late.rows, late.most_rows, late.written_rows) == (1000, 1000, 0)
    more = some_contents(1000, live_rows=2000, changed_rows=1000, inserted_rows=2000)
    assert (more.rows, more.most_rows, more.written_rows) == (1000, 2000, 1000)
    deleted = some_contents(1000, live_rows=1000, changed_rows=9000, inserted_rows=0, deleted_rows=9000)
    assert deleted.written_rows == 0


def test_a_sample_that_saw_few_values_twice_says_little_about_their_number() -> None:
    sure = some_contents(10**7, a_column(distinct=50.0), deduplicates=True)
    doubtful = some_contents(10**7, a_column(distinct=500_000.0), deduplicates=True)
    assert size_of(sure).most <= size_of(sure).least * 1.2
    assert size_of(doubtful).most >= size_of(doubtful).least * 2


def test_a_type_with_a_bound_is_never_taken_for_longer() -> None:
    kept_out_of_line = {"toast_bytes": 10**9, "table_columns": 3}
    free = size_of(some_contents(10**5, a_text(), **kept_out_of_line))
    bound = size_of(some_contents(10**5, a_text(longest=44), **kept_out_of_line))
    assert free.most > 20 * free.least
    assert bound.most < 2 * bound.least
