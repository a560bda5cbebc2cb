from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import DatabaseError

from django_dbaudit.analysis.index_names import index_name
from django_dbaudit.finding import Finding, Location, Severity
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndexes
from posing import judge, only
from scratch import Scratch
from versions import needs_server

#: A parent for each kind of key.
PARENTS = (
    "CREATE TABLE one (id int PRIMARY KEY)",
    "CREATE TABLE two (x int, y int, PRIMARY KEY (x, y))",
    "CREATE TABLE named (code varchar(9) PRIMARY KEY)",
)

#: A child that refers to them all.
CHILD = (
    """CREATE TABLE child (
        one_id bigint REFERENCES public.one,
        x int, y int, FOREIGN KEY (x, y) REFERENCES public.two,
        code text REFERENCES public.named,
        note text
    )""",
    'ALTER TABLE child ADD "Größe ""%""" int REFERENCES public.one',
)

#: Foreign key of ``child``, and an index that serves its lookup.
SERVED = {
    "its column": ("one_id", "(one_id)"),
    "a longer index": ("one_id", "(one_id, note)"),
    "descending": ("one_id", "(one_id DESC NULLS LAST)"),
    "hash": ("one_id", "USING hash (one_id)"),
    "spgist": ("code", "USING spgist (code)"),
    "including more": ("one_id", "(one_id) INCLUDE (note)"),
    "where it is not null": ("one_id", "(one_id) WHERE one_id IS NOT NULL"),
    "quoted": ('Größe "%"', '("Größe ""%""") WHERE "Größe ""%""" IS NOT NULL'),
    "columns in order": ("x,y", "(x, y)"),
    "columns in another order": ("x,y", "(y, x)"),
    "columns before another": ("x,y", "(y DESC, x, note)"),
    "where both are not null": ("x,y", "(x, y) WHERE y IS NOT NULL AND x IS NOT NULL"),
    "where one is not null": ("x,y", "(x, y) WHERE y IS NOT NULL"),
    "text": ("code", "(code)"),
    "Django's _like companion": ("code", "(code text_pattern_ops)"),
    "opclass of the other type": ("code", "(code varchar_ops)"),
}

#: Foreign key of ``child``, and an index that looks as if it served its lookup.
UNSERVED = {
    "another column": ("one_id", "(note)"),
    "only included": ("one_id", "(note) INCLUDE (one_id)"),
    "an expression": ("one_id", "((one_id + 0))"),
    "partial": ("one_id", "(one_id) WHERE note IS NOT NULL"),
    "partial by its own value": ("one_id", "(one_id) WHERE one_id > 10"),
    "where it is null": ("one_id", "(one_id) WHERE one_id IS NULL"),
    "partial by more": ("one_id", "(one_id) WHERE one_id IS NOT NULL AND note = 'x'"),
    "one of two columns": ("x,y", "(x)"),
    "a second column included": ("x,y", "(x) INCLUDE (y)"),
    "where one is null or another is not": ("x,y", "(x, y) WHERE x IS NULL OR note IS NOT NULL"),
    "another collation": ("code", '(code COLLATE "POSIX")'),
    "an expression over text": ("code", "(lower(code))"),
}

#: The same, but PostgreSQL would rather read much of the index than all of the table.
READ_AT_LENGTH = {
    "a later key": ("one_id", "(note, one_id)"),
    "another one between": ("x,y", "(x, note, y)"),
    "brin": ("one_id", "USING brin (one_id)"),
}

#: What PostgreSQL runs for each foreign key of ``child`` when a row that it refers to is deleted.
LOOKUPS = {
    "one_id": "(int) AS SELECT 1 FROM ONLY child WHERE $1 = one_id",
    'Größe "%"': '(int) AS SELECT 1 FROM ONLY child WHERE $1 = "Größe ""%"""',
    "x,y": "(int, int) AS SELECT 1 FROM ONLY child WHERE $1 = x AND $2 = y",
    "code": "(varchar) AS SELECT 1 FROM ONLY child WHERE $1::text = code",
}


def findings(scratch: Scratch) -> list[Finding]:
    return list(scratch.findings("unindexed-foreign-key"))


def names(scratch: Scratch) -> list[str]:
    return [finding.subject.name for finding in findings(scratch)]


def children(scratch: Scratch, cases: dict[str, tuple[str, str]]) -> list[str]:
    """Make a child and its index for each case; those cases whose key PostgreSQL finds by it."""
    scratch.run(*PARENTS, "SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan")
    served = []
    for case, (key, index) in cases.items():
        scratch.run(f'CREATE SCHEMA "{case}"', f'SET search_path = "{case}"')
        scratch.run(*CHILD, f"CREATE INDEX i ON child {index}", f'PREPARE "{case}" {LOOKUPS[key]}')
        values = ", ".join("'1'" for _ in key.split(","))
        plan = str(scratch.run(f'EXPLAIN (COSTS OFF) EXECUTE "{case}" ({values})'))
        if "Index Cond" in plan and "Filter" not in plan:
            served.append(case)
    return served


def keys(cases: dict[str, tuple[str, str]]) -> set[str]:
    """The foreign keys of these cases, as findings name them."""
    return {f"{case}.child.{key}" for case, (key, _) in cases.items()}


def test_a_served_key_is_left_alone(scratch: Scratch) -> None:
    assert children(scratch, SERVED) == list(SERVED)
    assert keys(SERVED).isdisjoint(names(scratch))


def test_while_the_table_is_locked_a_partial_index_gets_the_benefit_of_the_doubt(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (parent_id int REFERENCES parent)",
        "CREATE INDEX partly ON child (parent_id) WHERE parent_id IS NOT NULL",
    )
    assert names(scratch) == []
    with scratch.session() as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE child IN ACCESS EXCLUSIVE MODE")
        assert names(scratch) == []
        (not_run,) = scratch.not_run("unindexed-foreign-key")
        assert not_run.reason == "child is locked, and nobody knows what partly leaves out"
        cursor.execute("ROLLBACK")


def test_the_index_of_the_fix_is_the_one_that_is_written(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (parent_id int REFERENCES parent)",
        "CREATE INDEX child_parent_id_idx ON child (abs(parent_id))",
    )
    column = DeclaredColumn(
        "child", "parent_id", "shop.Child", "parent", is_third_party=False, location=None
    )
    finding = only(judge("unindexed-foreign-key", scratch, DeclaredIndexes((), (column,), ("child",))))
    assert finding.fix is not None
    taken = {"child_parent_id_idx"}
    assert f'name="{index_name("child", ["parent_id"], taken=taken)}"' in finding.fix.text


def test_an_unserved_key_is_named(scratch: Scratch) -> None:
    assert children(scratch, UNSERVED) == []
    assert keys(UNSERVED).issubset(names(scratch))


def test_an_index_that_does_not_begin_with_the_key_does_not_serve_it(scratch: Scratch) -> None:
    children(scratch, READ_AT_LENGTH)
    assert keys(READ_AT_LENGTH).issubset(names(scratch))


def test_an_opclass_must_know_the_equality_of_the_key(scratch: Scratch) -> None:
    scratch.run(
        """CREATE OPERATOR CLASS bigint_only FOR TYPE bigint USING btree AS
            OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
            FUNCTION 1 btint8cmp(bigint, bigint)"""
    )
    case = {"cross-type": ("one_id", "(one_id public.bigint_only)")}
    assert children(scratch, case) == []
    assert keys(case).issubset(names(scratch))


def test_a_primary_key_serves_a_foreign_key(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE parent (id int PRIMARY KEY)")
    scratch.run("CREATE TABLE child (parent_id int PRIMARY KEY REFERENCES parent)")
    assert names(scratch) == []


@pytest.mark.parametrize("constraint", ["UNIQUE (parent_id)", "UNIQUE (parent_id, n) DEFERRABLE"])
def test_a_unique_constraint_serves_a_foreign_key(scratch: Scratch, constraint: str) -> None:
    scratch.run("CREATE TABLE parent (id int PRIMARY KEY)")
    scratch.run(f"CREATE TABLE child (parent_id int REFERENCES parent, n int, {constraint})")
    assert names(scratch) == []


def test_partitions_inherit_both_key_and_index(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE p (parent_id int REFERENCES parent) PARTITION BY RANGE (parent_id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE INDEX ON p (parent_id)",
    )
    assert names(scratch) == []


def test_an_index_on_each_partition_will_do(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE p (parent_id int REFERENCES parent) PARTITION BY RANGE (parent_id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (parent_id)",
        "CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (10) TO (20)",
        "CREATE INDEX ON p1 (parent_id)",
    )
    assert names(scratch) == ["public.p.parent_id"]
    scratch.run("CREATE INDEX ON p21 USING hash (parent_id)")
    assert names(scratch) == []


def test_the_partitions_of_what_is_referred_to_are_no_keys_of_their_own(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE parent1 PARTITION OF parent FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE parent2 PARTITION OF parent FOR VALUES FROM (10) TO (20)",
        "CREATE TABLE child (parent_id int REFERENCES parent)",
    )
    assert names(scratch) == ["public.child.parent_id"]


@needs_server(180000)
def test_a_key_that_is_not_enforced_looks_nothing_up(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE parent (id int PRIMARY KEY)")
    scratch.run("CREATE TABLE child (parent_id int REFERENCES parent NOT ENFORCED)")
    assert names(scratch) == []


@needs_server(180000)
def test_a_temporal_key_looks_for_overlaps(scratch: Scratch) -> None:
    scratch.run(
        "CREATE EXTENSION btree_gist",
        "CREATE TABLE parent (id int, during int4range, PRIMARY KEY (id, during WITHOUT OVERLAPS))",
        """CREATE TABLE child (id int, during int4range,
            FOREIGN KEY (id, PERIOD during) REFERENCES parent (id, PERIOD during))""",
    )
    assert names(scratch) == []


def test_an_invalid_index_serves_nobody(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent AS SELECT 1 AS id",
        "ALTER TABLE parent ADD PRIMARY KEY (id)",
        "CREATE TABLE child (parent_id int REFERENCES parent)",
        "INSERT INTO child VALUES (1), (1)",
    )
    with pytest.raises(DatabaseError):
        scratch.run("CREATE UNIQUE INDEX CONCURRENTLY failed ON child (parent_id)")
    assert names(scratch) == ["public.child.parent_id"]


def test_a_key_that_is_not_valid_yet_looks_up_all_the_same(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE parent (id int PRIMARY KEY)", "CREATE TABLE child (parent_id int)")
    scratch.run("ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID")
    assert names(scratch) == ["public.child.parent_id"]


def test_a_table_may_refer_to_itself(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (id int PRIMARY KEY, parent_id int REFERENCES t)")
    assert names(scratch) == ["public.t.parent_id"]
    scratch.run("CREATE INDEX ON t (parent_id)")
    assert names(scratch) == []


def test_the_same_names_in_two_schemas_are_two_keys(scratch: Scratch) -> None:
    for schema in ("north", "south"):
        scratch.run(
            f"CREATE SCHEMA {schema}",
            f"CREATE TABLE {schema}.parent (id int PRIMARY KEY)",
            f"CREATE TABLE {schema}.child (parent_id int REFERENCES {schema}.parent)",
        )
    scratch.run("CREATE INDEX ON north.child (parent_id)")
    assert names(scratch) == ["south.child.parent_id"]


def test_a_column_that_refers_twice_is_served_by_one_index(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE other (id int PRIMARY KEY)",
        "CREATE TABLE child (id int REFERENCES parent REFERENCES other)",
    )
    (finding,) = scratch.findings("unindexed-foreign-key")
    assert finding.subject.name == "public.child.id"
    assert "Deleting from parent or other reads all of child" in finding.message
    assert finding.fix
    scratch.run(finding.fix.text)
    assert names(scratch) == []


def test_an_exclusion_constraint_that_begins_with_the_key_serves_it(scratch: Scratch) -> None:
    scratch.run(
        "CREATE EXTENSION btree_gist",
        "CREATE TABLE room (id int PRIMARY KEY)",
        """CREATE TABLE stay (
            room int REFERENCES room, during int4range, EXCLUDE USING gist (room WITH =, during WITH &&)
        )""",
    )
    assert names(scratch) == []


def test_no_index_is_proposed_where_none_can_serve(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id numeric PRIMARY KEY)",
        "CREATE TABLE child (parent_id int REFERENCES parent)",
        "CREATE INDEX ON child (parent_id)",
    )
    (finding,) = scratch.findings("unindexed-foreign-key")
    assert finding.message.endswith("no index serves parent_id cast to the type in parent.")
    assert finding.fix
    assert finding.fix.text == "Give parent_id the type of what it refers to; its index will serve then."


def test_the_fix_leaves_nothing_to_find(scratch: Scratch) -> None:
    scratch.run(*PARENTS, *CHILD)
    found = findings(scratch)
    assert len(found) == 4
    scratch.run(*[finding.fix.text for finding in found if finding.fix])
    assert names(scratch) == []


def test_the_fix_of_a_partitioned_table_is_not_concurrent(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE p (parent_id int REFERENCES parent) PARTITION BY RANGE (parent_id)",
    )
    (finding,) = findings(scratch)
    assert finding.fix
    scratch.run(finding.fix.text)
    assert names(scratch) == []


def test_few_rows_make_it_an_information(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (parent_id int REFERENCES parent)",
        "INSERT INTO child SELECT NULL FROM generate_series(1, 999)",
        "ANALYZE child",
    )
    (finding,) = findings(scratch)
    assert finding.severity is Severity.INFO
    assert finding.message == (
        "Deleting from parent reads all of child (999 rows): no index begins with parent_id."
    )
    scratch.run("INSERT INTO child VALUES (NULL)", "ANALYZE child")
    (finding,) = findings(scratch)
    assert finding.severity is Severity.WARNING


def test_the_rows_of_all_partitions_count(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE p (n int, parent_id int REFERENCES parent) PARTITION BY RANGE (n)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)",
        "INSERT INTO p SELECT g % 20, NULL FROM generate_series(1, 1000) AS g",
        "ANALYZE p",
    )
    (finding,) = findings(scratch)
    assert finding.evidence["rows"] == 1000
    assert finding.severity is Severity.WARNING


def test_the_finding_says_what_a_delete_does(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE parent (id int PRIMARY KEY)")
    actions = ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"]
    for action in actions:
        table = action.replace(" ", "_")
        scratch.run(f"CREATE TABLE {table} (parent_id int REFERENCES parent ON DELETE {action})")
    found = findings(scratch)
    assert sorted(str(each.evidence["on_delete"]) for each in found) == sorted(actions)
    assert found[0].evidence["constraint"] == "cascade_parent_id_fkey"


def test_the_finding_says_how_often_it_hurt(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE parent (id int PRIMARY KEY)")
    scratch.run("CREATE TABLE child (parent_id int REFERENCES parent)")
    tables = [replace(each, rows_deleted=12) for each in scratch.fact(Tables).items]
    finding = only(judge("unindexed-foreign-key", scratch, Tables(tuple(tables))))
    assert finding.evidence["rows_deleted_from_referenced"] == 12


@pytest.mark.parametrize(("is_third_party", "kind"), [(False, "migration"), (True, "sql")])
def test_the_field_that_has_no_index_is_shown(scratch: Scratch, is_third_party: bool, kind: str) -> None:
    scratch.run("CREATE TABLE parent (id int PRIMARY KEY)")
    scratch.run("CREATE TABLE child (parent_id int REFERENCES parent)")
    line = Location("shop/models.py", 7)
    column = DeclaredColumn("child", "parent_id", "shop.Child", "parent", is_third_party, line)
    posed = DeclaredIndexes((), (column,), ("child",))
    finding = only(judge("unindexed-foreign-key", scratch, posed))
    assert finding.location == (None if is_third_party else line)
    assert finding.fix
    assert finding.fix.kind == kind
