from __future__ import annotations

import pytest
from django.db import DatabaseError

from django_dbaudit.finding import Finding, Location, Severity
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from posing import judge, only
from scratch import Scratch
from versions import needs_server

PARTITIONED = (
    "CREATE TABLE p (a int NOT NULL, b int) PARTITION BY RANGE (a)",
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)",
)


def findings(scratch: Scratch) -> list[Finding]:
    return list(scratch.findings("missing-primary-key"))


def names(scratch: Scratch) -> list[str]:
    return [finding.subject.name for finding in findings(scratch)]


def a_model_with_key(
    column: str, *, is_third_party: bool = False, location: Location | None = None
) -> DeclaredIndexes:
    key = DeclaredIndex(
        table="t",
        names=("t_pkey",),
        columns=(column,),
        is_unique=True,
        is_primary=True,
        kind="primary_key",
        model="shop.Order",
        field="id",
        is_third_party=is_third_party,
        location=location,
    )
    return DeclaredIndexes((key,), (), ("t",))


@pytest.mark.parametrize(
    "columns",
    [
        "a int PRIMARY KEY",
        "a int PRIMARY KEY DEFERRABLE",
        "a int, b int, PRIMARY KEY (a, b)",
        "a int NOT NULL UNIQUE",
        "a int NOT NULL, b text NOT NULL, UNIQUE (a, b) INCLUDE (a)",
        pytest.param("a int, UNIQUE NULLS NOT DISTINCT (a)", marks=needs_server(150000)),
    ],
)
def test_what_tells_rows_apart_is_a_key(scratch: Scratch, columns: str) -> None:
    scratch.run(f"CREATE TABLE t ({columns})")
    assert names(scratch) == []


def test_a_unique_index_over_columns_that_are_not_null_will_do(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int NOT NULL, b int)", "CREATE UNIQUE INDEX t_a ON t (a) INCLUDE (b)")
    assert names(scratch) == []


def test_materialized_views_have_none(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int PRIMARY KEY)", "CREATE MATERIALIZED VIEW v AS SELECT a FROM t")
    assert names(scratch) == []


def test_a_table_of_an_extension_is_its_business(scratch: Scratch) -> None:
    scratch.run("CREATE EXTENSION pg_trgm", "CREATE TABLE t (a int)", "ALTER EXTENSION pg_trgm ADD TABLE t")
    assert names(scratch) == []


def test_partitions_have_the_key_of_the_whole(scratch: Scratch) -> None:
    scratch.run(*PARTITIONED, "ALTER TABLE p ADD PRIMARY KEY (a)")
    assert names(scratch) == []


def test_a_key_on_each_partition_will_do(scratch: Scratch) -> None:
    scratch.run(*PARTITIONED, "ALTER TABLE p1 ADD PRIMARY KEY (a)")
    assert names(scratch) == ["public.p"]
    scratch.run("ALTER TABLE p2 ADD PRIMARY KEY (a, b)")
    assert names(scratch) == []


def test_a_table_without_a_key_is_named(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 2500) AS g", "ANALYZE t")
    (finding,) = findings(scratch)
    assert finding.subject.name == "public.t"
    assert finding.message == "t (2,500 rows) has no primary key."
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("columns", "index"),
    [
        ("a int", "UNIQUE INDEX i ON t (a)"),
        ("a int NOT NULL, b int", "UNIQUE INDEX i ON t (a, b)"),
        ("a int NOT NULL", "UNIQUE INDEX i ON t (a) WHERE a > 5"),
        ("a int NOT NULL", "UNIQUE INDEX i ON t ((a + 1))"),
        ("a int NOT NULL", "INDEX i ON t (a)"),
    ],
)
def test_what_only_looks_like_a_key_is_none(scratch: Scratch, columns: str, index: str) -> None:
    scratch.run(f"CREATE TABLE t ({columns})", f"CREATE {index}")
    assert names(scratch) == ["public.t"]


def test_a_deferrable_constraint_is_none(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int NOT NULL UNIQUE DEFERRABLE)")
    assert names(scratch) == ["public.t"]


def test_an_index_that_could_not_be_built_is_none(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int NOT NULL)", "INSERT INTO t VALUES (1), (1)")
    with pytest.raises(DatabaseError):
        scratch.run("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)")
    assert names(scratch) == ["public.t"]


def test_a_table_that_inherits_has_no_key_from_its_parent(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE parent (a int PRIMARY KEY)", "CREATE TABLE child () INHERITS (parent)")
    assert names(scratch) == ["public.child"]


def test_a_partitioned_table_is_named_once_with_all_its_rows(scratch: Scratch) -> None:
    scratch.run(
        *PARTITIONED, "INSERT INTO p SELECT g % 20, g FROM generate_series(1, 300) AS g", "ANALYZE p"
    )
    (finding,) = findings(scratch)
    assert finding.subject.name == "public.p"
    assert finding.evidence["rows"] == 300


def test_an_empty_table_is_an_information(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int)")
    (finding,) = findings(scratch)
    assert finding.severity is Severity.INFO


def test_the_fix_for_a_key_that_a_model_believes_in_leaves_nothing_to_find(scratch: Scratch) -> None:
    scratch.run(
        'CREATE TABLE t AS SELECT g AS "Größe", 1 AS b FROM generate_series(1, 9) AS g', "ANALYZE t"
    )
    line = Location("shop/models.py", 7)
    finding = only(judge("missing-primary-key", scratch, a_model_with_key("Größe", location=line)))
    assert finding.message == "t (9 rows) has no primary key, though shop.Order.id is declared as one."
    assert (finding.location, finding.severity) == (line, Severity.WARNING)
    assert finding.fix
    scratch.run(finding.fix.text)
    assert names(scratch) == []


def test_a_table_of_an_installed_package_is_an_information(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t AS SELECT 1 AS id", "ANALYZE t")
    theirs = a_model_with_key("id", is_third_party=True)
    assert only(judge("missing-primary-key", scratch, theirs)).severity is Severity.INFO


def test_without_any_index_each_table_is_named(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int PRIMARY KEY)")
    assert only(judge("missing-primary-key", scratch, Indexes(()))).subject.name == "public.t"
