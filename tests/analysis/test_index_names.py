"""Names for entries of ``Meta.indexes``: ones that Django's own checks take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from django_dbaudit.analysis.index_names import LENGTH, index_name

#: Names of tables and columns as they may be, other than empty.
NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=63)


@given(
    NAMES, st.lists(NAMES, min_size=1, max_size=4), st.sampled_from(["idx", "part", "like"]), st.booleans()
)
def test_django_takes_every_name(table: str, columns: list[str], suffix: str, is_taken: bool) -> None:
    taken = {"_".join([table, *columns, suffix])} if is_taken else set()
    name = index_name(table, columns, suffix, taken)
    assert 0 < len(name) <= LENGTH
    assert name == index_name(table, columns, suffix, taken)
    # What Django's checks models.E033 and models.E034 refuse.
    assert name[0] != "_"
    assert not name[0].isdigit()


def test_long_names_that_begin_alike_are_told_apart() -> None:
    tables = [f"{'orders' * 8}_{number}" for number in range(50)]
    assert len({index_name(each, ["customer_id"]) for each in tables}) == 50
