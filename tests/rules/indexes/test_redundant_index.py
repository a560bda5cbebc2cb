from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import pytest
from django.db import DatabaseError
from hypothesis import given, settings
from hypothesis import strategies as st

from django_dbaudit.analysis.redundancy import protection, replaces, superfluous
from django_dbaudit.finding import Finding, Location, Severity
from django_dbaudit.postgres.indexes import Index, IndexKey
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from posing import an_index, judge, only
from scratch import Scratch

T = TypeVar("T")

TABLE = """CREATE TABLE t (
    a int, b int, c int, code text, code_type text, doc jsonb, tags text[], area box
)"""

#: A narrow index on ``t``, and a wider one that cannot take its place.
NEEDED = {
    "second key": ("(b)", "(a, b)"),
    "order of columns": ("(b, a)", "(a, b, c)"),
    "a column whose name contains the other's": ("(code)", "(code_type, a)"),
    "NULLS LAST": ("(a DESC NULLS LAST)", "(a, b)"),
    "one of two directions": ("(a, b DESC)", "(a, b, c)"),
    "opclass": ("(code text_pattern_ops)", "(code, a)"),
    "collation": ('(code COLLATE "POSIX")', "(code, a)"),
    "predicate": ("(a) WHERE b = 1", "(a, c) WHERE b = 2"),
    "wider but partial": ("(a)", "(a, b) WHERE c > 0"),
    "narrower and partial": ("(a) WHERE c > 0", "(a, b)"),
    "expression": ("(a)", "(lower(code), a)"),
    "another expression": ("(lower(code))", "(upper(code), a)"),
    "keys of a document": ("((doc ->> 'a'))", "((doc ->> 'b'), a)"),
    "INCLUDE of what the wider lacks": ("(a) INCLUDE (c)", "(a, b)"),
    "only in INCLUDE": ("(b)", "(a) INCLUDE (b)"),
    "hash": ("USING hash (a)", "(a, b)"),
    "brin": ("USING brin (a)", "USING brin (a, b)"),
    "gin": ("USING gin (doc)", "USING gin (doc, tags)"),
    "gist": ("USING gist (area)", "USING gist (area, point(area))"),
    "a duplicate": ("(a)", "(a)"),
}

#: A narrow index on ``t``, and a wider one that serves its queries too.
REDUNDANT = {
    "first key": ("(a)", "(a, b)"),
    "first keys": ("(a, b)", "(a, b, c)"),
    "mirror": ("(a DESC)", "(a, b)"),
    "mirror of two keys": ("(a, b DESC)", "(a DESC, b, c)"),
    "directions": ("(a DESC NULLS LAST)", "(a DESC NULLS LAST, b)"),
    "predicate": ("(a) WHERE c > 0", "(a, b)  WHERE  (c>0)"),
    "expression": ("(lower(code))", "(lower( code ), a)"),
    "opclass": ("(code text_pattern_ops)", "(code text_pattern_ops, a)"),
    "INCLUDE": ("(a)", "(a) INCLUDE (b)"),
    "more in INCLUDE": ("(a) INCLUDE (b)", "(a) INCLUDE (c, b)"),
    "INCLUDE of a key": ("(a) INCLUDE (b)", "(a, b)"),
    "INCLUDE of gist": ("USING gist (area)", "USING gist (area) INCLUDE (a)"),
    "fillfactor": ("(a)", "(a, b) WITH (fillfactor = 50)"),
}


def findings(scratch: Scratch) -> list[Finding]:
    return list(scratch.findings("redundant-index"))


def names(scratch: Scratch) -> list[str]:
    return [finding.subject.name for finding in findings(scratch)]


def pairs(scratch: Scratch, cases: dict[str, tuple[str, str]]) -> None:
    """Make ``narrow`` and ``wide`` of each case, in a schema that has the name of the case."""
    for case, (narrow, wide) in cases.items():
        scratch.run(f'CREATE SCHEMA "{case}"', f'SET search_path = "{case}"', TABLE)
        scratch.run(f"CREATE INDEX narrow ON t {narrow}", f"CREATE INDEX wide ON t {wide}")


def test_an_index_that_another_cannot_replace_is_left_alone(scratch: Scratch) -> None:
    pairs(scratch, NEEDED)
    assert names(scratch) == []


def test_a_unique_index_says_more_than_a_wider_one(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE UNIQUE INDEX narrow ON t (a)", "CREATE UNIQUE INDEX wide ON t (a, b)")
    assert names(scratch) == []


def test_a_wider_unique_index_is_not_implied_by_a_narrower_one(scratch: Scratch) -> None:
    scratch.run(
        TABLE, "CREATE UNIQUE INDEX wide ON t (a, b)", "ALTER TABLE t ADD CONSTRAINT one UNIQUE (a)"
    )
    assert names(scratch) == []


def test_a_wider_index_that_is_invalid_replaces_nothing(scratch: Scratch) -> None:
    scratch.run(TABLE, "INSERT INTO t (a, b) VALUES (1, 1), (1, 1)", "CREATE INDEX works ON t (a)")
    with pytest.raises(DatabaseError):
        scratch.run("CREATE UNIQUE INDEX CONCURRENTLY failed ON t (a, b)")
    assert names(scratch) == []


def test_column_twelve_does_not_begin_with_column_one(scratch: Scratch) -> None:
    columns = ", ".join(f"c{number} int" for number in range(1, 13))
    scratch.run(
        f"CREATE TABLE t ({columns})",
        "CREATE INDEX one ON t (c1)",
        "CREATE INDEX twelve ON t (c12, c2)",
    )
    assert names(scratch) == []


def test_what_something_depends_on_stays(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE pk (a int PRIMARY KEY, b int)",
        "CREATE INDEX pk_wide ON pk (a, b)",
        "CREATE TABLE clustered (a int, b int)",
        "CREATE INDEX clustered_narrow ON clustered (a)",
        "CREATE INDEX clustered_wide ON clustered (a, b)",
        "CLUSTER clustered USING clustered_narrow",
        "CREATE TABLE identity (a int NOT NULL, b int)",
        "CREATE UNIQUE INDEX identity_narrow ON identity (a)",
        "CREATE INDEX identity_wide ON identity (a, b)",
        "ALTER TABLE identity REPLICA IDENTITY USING INDEX identity_narrow",
        "CREATE TABLE target (a int, b int)",
        "CREATE UNIQUE INDEX target_narrow ON target (a)",
        "CREATE INDEX target_wide ON target (a, b)",
        "CREATE TABLE child (a int REFERENCES target (a))",
    )
    assert names(scratch) == []


def test_an_exclusion_constraint_of_btree_stays(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING btree (a WITH =)",
        "CREATE INDEX wide ON t (a, b)",
    )
    assert names(scratch) == []


def test_an_attached_index_cannot_go_alone(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE INDEX root ON p (a)",
        "CREATE INDEX wide ON p1 (a, b)",
    )
    assert names(scratch) == []
    with pytest.raises(DatabaseError, match="requires it"):
        scratch.run("DROP INDEX p1_a_idx")


def test_the_beginning_of_a_wider_index_is_named(scratch: Scratch) -> None:
    pairs(scratch, REDUNDANT)
    assert names(scratch) == sorted(f"{case}.narrow" for case in REDUNDANT)


@pytest.mark.parametrize("wide", ["PRIMARY KEY (a, b)", "UNIQUE (a, b)", "UNIQUE (a, b) DEFERRABLE"])
def test_the_index_of_a_constraint_is_wide_too(scratch: Scratch, wide: str) -> None:
    scratch.run(TABLE, f"ALTER TABLE t ADD CONSTRAINT wide {wide}", "CREATE INDEX narrow ON t (a)")
    assert names(scratch) == ["public.narrow"]


def test_a_unique_index_gives_way_to_one_that_includes_more(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE UNIQUE INDEX narrow ON t (a)",
        "CREATE UNIQUE INDEX wide ON t (a) INCLUDE (b)",
    )
    assert names(scratch) == ["public.narrow"]


def test_partitioned_indexes_are_compared_at_their_roots(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE INDEX narrow ON p (a)",
        "CREATE INDEX wide ON p (a, b)",
        "CREATE INDEX own ON p1 (a, b)",
    )
    assert names(scratch) == ["public.narrow"]


def test_a_partitions_own_index_gives_way_to_an_attached_one(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE INDEX root ON p (a, b)",
        "CREATE INDEX own ON p1 (a)",
    )
    assert names(scratch) == ["public.own"]


def test_in_a_chain_the_last_one_is_what_stays(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE INDEX one ON t (a)",
        "CREATE INDEX two ON t (a, b)",
        "CREATE INDEX three ON t (a, b, c)",
    )
    found = {each.subject.name: each.related[0].name for each in findings(scratch)}
    assert found == {"public.one": "public.three", "public.two": "public.three"}


def test_of_several_wider_ones_the_smallest_is_shown(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "INSERT INTO t (a, b, code) SELECT g, g, repeat('x', 100) || g FROM generate_series(1, 500) AS g",
        "CREATE INDEX large ON t (a, code)",
        "CREATE INDEX small ON t (a, b)",
        "CREATE INDEX narrow ON t (a)",
    )
    (finding,) = findings(scratch)
    assert finding.related[0].name == "public.small"


def test_a_much_wider_index_makes_it_an_information(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "INSERT INTO t (a, code) SELECT g, repeat('x', 200) || g FROM generate_series(1, 2000) AS g",
        "CREATE INDEX narrow ON t (a)",
        "CREATE INDEX wide ON t (a, code)",
    )
    (finding,) = findings(scratch)
    assert finding.severity is Severity.INFO
    assert "times as large" in finding.message


def test_the_finding_shows_both_sides(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX narrow ON t (a)", "CREATE INDEX wide ON t (a, b)")
    (finding,) = findings(scratch)
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "narrow (8 kB) is the beginning of wide (8 kB), which serves its queries too."
    )
    assert finding.evidence["size_ratio"] == 1.0


def test_the_fix_leaves_nothing_to_find(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX narrow ON t (a)", "CREATE INDEX wide ON t (a, b)")
    (finding,) = findings(scratch)
    assert finding.fix
    scratch.run(finding.fix.text)
    assert names(scratch) == []


def test_a_foreign_keys_own_index_goes_where_the_field_says_so(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE shop_order (customer_id int, created int)",
        "CREATE INDEX shop_order_customer_id_0123abcd ON shop_order (customer_id)",
        "CREATE INDEX recent ON shop_order (customer_id, created)",
    )
    index = DeclaredIndex(
        table="shop_order",
        names=("shop_order_customer_id_89abcdef",),
        columns=("customer_id",),
        is_unique=False,
        kind="foreign_key",
        model="shop.Order",
        field="customer",
        is_third_party=False,
        location=Location("shop/models.py", 7),
    )
    finding = only(judge("redundant-index", scratch, DeclaredIndexes((index,), (), ("shop_order",))))
    assert str(finding.location) == "shop/models.py:7"
    assert finding.fix
    assert finding.fix.text.startswith("Set db_index=False on shop.Order.customer, and in a migration")


def test_postgresql_reads_a_wider_index_backwards(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX wide ON t (a, b)", "SET enable_seqscan = off")
    for order in ("a", "a DESC"):
        assert "Sort" not in str(scratch.run(f"EXPLAIN (COSTS OFF) TABLE t ORDER BY {order}"))


# Whatever is dropped, nothing is lost.


def mostly(usual: T, *, rarely: T) -> st.SearchStrategy[T]:
    return st.sampled_from([*[usual] * 11, rarely])


ALMOST_NEVER = mostly(usual=False, rarely=True)
ALMOST_ALWAYS = mostly(usual=True, rarely=False)


def a_key(column: str, *, backwards: bool, opclass: str) -> IndexKey:
    (plain,) = an_index().keys
    return replace(plain, definition=column, opclass=opclass, descending=backwards, nulls_first=backwards)


KEYS = st.builds(
    a_key, st.sampled_from("ab"), backwards=st.booleans(), opclass=mostly("ops", rarely="pattern_ops")
)

INDEXES = st.builds(
    an_index,
    table_oid=mostly(1, rarely=2),
    access_method=mostly("btree", rarely="gist"),
    keys=st.lists(KEYS, min_size=1, max_size=3).map(tuple),
    include=st.sampled_from([(), (), (), ("c",), ("c", "d")]),
    predicate=mostly(None, rarely="(a > 0)"),
    is_unique=st.sampled_from([False, False, False, True]),
    is_primary=ALMOST_NEVER,
    is_immediate=ALMOST_ALWAYS,
    nulls_not_distinct=ALMOST_NEVER,
    is_valid=ALMOST_ALWAYS,
    is_replica_identity=ALMOST_NEVER,
    is_clustered=ALMOST_NEVER,
    parent_oid=mostly(None, rarely=99),
    constraints=mostly((), rarely=("c",)),
    size_bytes=st.integers(0, 3),
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(INDEXES, min_size=4, max_size=16))
def test_whatever_is_dropped_nothing_is_lost(drawn: list[Index]) -> None:
    indexes = [replace(index, oid=oid) for oid, index in enumerate(drawn)]
    found = superfluous(indexes)
    gone = {each.index.oid for each in found}
    assert len(gone) == len(found)
    for each in found:
        assert protection(each.index) is None
        assert each.kept.oid not in gone
        assert replaces(each.kept, each.index)
    for index in indexes:
        if index.oid not in gone and protection(index) is None:
            # What stays is not another name for something else that stays.
            others = [each for each in indexes if each.oid not in gone and each.oid != index.oid]
            assert not any(replaces(other, index) for other in others)
