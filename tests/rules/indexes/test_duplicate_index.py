from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connections

from django_dbaudit.finding import Finding, Location, Severity
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from posing import judge, only
from scratch import Scratch
from versions import needs_server

TABLE = """CREATE TABLE t (
    a int, b int, c int, code text, code_type text, "a, b" int, "lower(code)" text,
    doc jsonb, tags text[], area box
)"""

#: Two indexes on ``t`` that look alike, and serve different queries or make different promises.
DIFFERENT = {
    "another column": ("(a)", "(b)"),
    "a column whose name contains the other's": ("(code)", "(code_type)"),
    "a column named like two": ("(a, b)", '("a, b")'),
    "a column named like an expression": ("(lower(code))", '("lower(code)")'),
    "order of columns": ("(a, b)", "(b, a)"),
    "one of two directions": ("(a, b)", "(a, b DESC)"),
    "NULLS LAST": ("(a)", "(a DESC NULLS LAST)"),
    "NULLS FIRST": ("(a)", "(a NULLS FIRST)"),
    "half a mirror": ("(a, b DESC)", "(a DESC, b DESC)"),
    "opclass": ("(code)", "(code text_pattern_ops)"),
    "collation": ("(code)", '(code COLLATE "POSIX")'),
    "partial": ("(a)", "(a) WHERE b > 0"),
    "predicate": ("(a) WHERE b = 1", "(a) WHERE b = 2"),
    "an expression over the column": ("(code)", "(lower(code))"),
    "keys of a document": ("((doc ->> 'a'))", "((doc ->> 'b'))"),
    "expressions among columns": ("((a + 1), b)", "((a + 2), b)"),
    "an expression before the column": ("(lower(code), a)", "(a)"),
    "hash": ("(a)", "USING hash (a)"),
    "brin": ("(a)", "USING brin (a)"),
    "brin of other page ranges": (
        "USING brin (a) WITH (pages_per_range = 16)",
        "USING brin (a) WITH (pages_per_range = 128)",
    ),
    "brin of another opclass": ("USING brin (a)", "USING brin (a int4_minmax_multi_ops)"),
    "brin of other opclass options": (
        "USING brin (a int4_minmax_multi_ops(values_per_range = 16))",
        "USING brin (a int4_minmax_multi_ops(values_per_range = 32))",
    ),
    "gin of another opclass": ("USING gin (doc)", "USING gin (doc jsonb_path_ops)"),
    "gist and spgist": ("USING gist (area)", "USING spgist (area)"),
    "INCLUDE": ("(a) INCLUDE (b)", "(a) INCLUDE (c)"),
    "a key and INCLUDE": ("(a, b)", "(a) INCLUDE (b)"),
    "INCLUDE and none": ("(a)", "(a) INCLUDE (b)"),
    "a prefix": ("(a)", "(a, b)"),
}

#: Two indexes on ``t`` that serve the same queries, however they are written.
SAME = {
    "operator class by its other name": ("(code)", "(code varchar_ops)"),
    "LIKE in the C collation": ('(code COLLATE "C")', '(code COLLATE "C" text_pattern_ops)'),
    "column": ("(a)", "(a)"),
    "columns": ("(a, b)", "(a, b)"),
    "fillfactor": ("(a)", "(a) WITH (fillfactor = 50)"),
    "defaults spelled out": ("(a)", "USING btree (a int4_ops ASC NULLS LAST)"),
    "mirror": ("(a)", "(a DESC)"),
    "mirror with NULLs": ("(a NULLS FIRST)", "(a DESC NULLS LAST)"),
    "mirror of two keys": ("(a, b)", "(a DESC, b DESC)"),
    "mirror of mixed keys": ("(a, b DESC)", "(a DESC, b)"),
    "expression": ("(lower(code))", "(  lower( code ))"),
    "predicate": ("(a) WHERE b > 0", "(a)    WHERE  (b>0)"),
    "expression and predicate": ("((a + b)) WHERE c IS NULL", "((a+b))   WHERE c IS NULL"),
    "opclass": ("(code text_pattern_ops)", "(code text_pattern_ops)"),
    "collation": ('(code COLLATE "POSIX")', '(code COLLATE "POSIX")'),
    "INCLUDE in another order": ("(a) INCLUDE (b, c)", "(a) INCLUDE (c, b)"),
    "quoted names": ('("lower(code)")', '("lower(code)")'),
    "unique": ("(a)", "(a)"),
    "hash": ("USING hash (a)", "USING hash (a)"),
    "brin": ("USING brin (a)", "USING brin (a)"),
    "gin": ("USING gin (doc)", "USING gin (doc) WITH (fastupdate = off)"),
    "gist": ("USING gist (area)", "USING gist (area)"),
}


def findings(scratch: Scratch) -> list[Finding]:
    return list(scratch.findings("duplicate-index"))


def names(scratch: Scratch) -> list[str]:
    return [finding.subject.name for finding in findings(scratch)]


def pairs(scratch: Scratch, cases: dict[str, tuple[str, str]]) -> None:
    """Make ``one`` and ``two`` of each case, in a schema that has the name of the case."""
    for case, (one, two) in cases.items():
        scratch.run(f'CREATE SCHEMA "{case}"', f'SET search_path = "{case}"', TABLE)
        scratch.run(f"CREATE INDEX one ON t {one}", f"CREATE INDEX two ON t {two}")


def test_different_indexes_are_no_duplicates(scratch: Scratch) -> None:
    pairs(scratch, DIFFERENT)
    assert names(scratch) == []


def test_opclass_options_tell_indexes_apart(scratch: Scratch) -> None:
    scratch.run(
        "CREATE EXTENSION pg_trgm",
        TABLE,
        "CREATE INDEX one ON t USING gist (code gist_trgm_ops(siglen = 32))",
        "CREATE INDEX two ON t USING gist (code gist_trgm_ops(siglen = 64))",
        "CREATE INDEX three ON t USING gin (code gin_trgm_ops)",
        "CREATE UNIQUE INDEX four ON t (code)",
    )
    assert names(scratch) == []


def test_a_unique_index_is_no_duplicate_of_a_plain_one(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX plain ON t (a)", "CREATE UNIQUE INDEX promise ON t (a)")
    assert names(scratch) == ["public.plain"]


def test_unique_over_fewer_keys_says_more(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE UNIQUE INDEX one ON t (a) INCLUDE (b)",
        "CREATE UNIQUE INDEX two ON t (a, b)",
    )
    assert names(scratch) == []


def test_a_deferrable_constraint_is_no_stand_in_for_a_unique_index(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE UNIQUE INDEX arbiter ON t (a)",
        "ALTER TABLE t ADD CONSTRAINT late UNIQUE (a) DEFERRABLE",
    )
    assert names(scratch) == []


@needs_server(150000)
def test_nulls_not_distinct_is_another_promise(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE UNIQUE INDEX one ON t (a)",
        "CREATE UNIQUE INDEX two ON t (a) NULLS NOT DISTINCT",
    )
    assert names(scratch) == []


@needs_server(150000)
def test_nulls_not_distinct_twice_is_a_duplicate(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE UNIQUE INDEX one ON t (a) NULLS NOT DISTINCT",
        "CREATE UNIQUE INDEX two ON t (a) NULLS NOT DISTINCT",
    )
    assert names(scratch) == ["public.two"]


def test_an_invalid_index_neither_covers_nor_is_covered(scratch: Scratch) -> None:
    scratch.run(TABLE, "INSERT INTO t (a) VALUES (1), (1)", "CREATE INDEX works ON t (a)")
    with pytest.raises(DatabaseError):
        scratch.run("CREATE UNIQUE INDEX CONCURRENTLY failed ON t (a)")
    assert names(scratch) == []


def test_the_same_names_in_two_schemas_are_two_tables(scratch: Scratch) -> None:
    for schema in ("north", "south"):
        scratch.run(
            f"CREATE SCHEMA {schema}",
            f"CREATE TABLE {schema}.t (a int PRIMARY KEY, b int)",
            f"CREATE INDEX t_b ON {schema}.t (b)",
        )
    assert names(scratch) == []


def test_an_index_named_like_its_column_is_told_from_others(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX code ON t (code)", "CREATE INDEX code_type ON t (code_type)")
    assert names(scratch) == []


def test_two_constraints_protect_their_indexes(scratch: Scratch) -> None:
    scratch.run(TABLE, "ALTER TABLE t ADD CONSTRAINT one PRIMARY KEY (a), ADD CONSTRAINT two UNIQUE (a)")
    assert names(scratch) == []


@pytest.mark.parametrize(
    "two",
    ["UNIQUE (b, a)", "UNIQUE (a, b) DEFERRABLE", "UNIQUE (a)", "UNIQUE (a, b) INCLUDE (c)"],
)
def test_constraints_that_say_something_else_stay(two: str, scratch: Scratch) -> None:
    scratch.run(
        TABLE, f"ALTER TABLE t ADD CONSTRAINT one UNIQUE (a, b), ADD CONSTRAINT two {two}, ADD UNIQUE (c)"
    )
    assert names(scratch) == []
    assert scratch.findings("redundant-index") == ()


def test_djangos_like_companion_is_no_duplicate(scratch: Scratch) -> None:
    with connections[scratch.alias].schema_editor() as editor:
        editor.create_model(Session)
    assert len(scratch.run("SELECT indexname FROM pg_indexes WHERE tablename = 'django_session'")) == 3
    assert names(scratch) == []


def test_in_the_c_collation_the_companion_goes_though_it_is_older(scratch: Scratch) -> None:
    scratch.run(
        'CREATE TABLE t (code text COLLATE "C")',
        "CREATE INDEX t_like ON t (code text_pattern_ops)",
        "CREATE INDEX t_code ON t (code)",
    )
    (finding,) = scratch.findings("duplicate-index")
    assert finding.subject.name == "public.t_like"
    assert [related.name for related in finding.related] == ["public.t_code"]


def test_an_index_of_an_extension_is_not_ours_to_drop(scratch: Scratch) -> None:
    scratch.run(
        "CREATE EXTENSION pg_trgm",
        TABLE,
        "CREATE INDEX one ON t (a)",
        "CREATE INDEX two ON t (a)",
        "ALTER EXTENSION pg_trgm ADD TABLE t",
    )
    assert names(scratch) == []


def test_the_younger_of_two_equals_is_named(scratch: Scratch) -> None:
    pairs(scratch, SAME)
    assert names(scratch) == sorted(f"{case}.two" for case in SAME)


def test_of_three_equals_two_are_named_and_the_eldest_is_kept(scratch: Scratch) -> None:
    scratch.run(TABLE, *[f"CREATE INDEX {name} ON t (a)" for name in ("first", "second", "third")])
    found = {each.subject.name: each.related[0].name for each in findings(scratch)}
    assert found == {"public.second": "public.first", "public.third": "public.first"}


def test_of_two_equal_unique_constraints_the_younger_is_named(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "ALTER TABLE t ADD CONSTRAINT one UNIQUE (a, b)",
        "ALTER TABLE t ADD CONSTRAINT two UNIQUE (a, b)",
    )
    (finding,) = findings(scratch)
    assert finding.subject.name == "public.two"
    assert finding.fix is not None
    scratch.run(finding.fix.text)
    assert scratch.run("SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass") == [("one",)]


def test_the_constraint_that_a_foreign_key_needs_stays(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "ALTER TABLE t ADD CONSTRAINT one UNIQUE (a, b)",
        "ALTER TABLE t ADD CONSTRAINT two UNIQUE (a, b)",
        "CREATE TABLE child (a int, b int, FOREIGN KEY (a, b) REFERENCES t (a, b))",
    )
    ((target,),) = scratch.run("SELECT conindid::regclass::text FROM pg_constraint WHERE contype = 'f'")
    (finding,) = findings(scratch)
    assert finding.subject.name == f"public.{'one' if target == 'two' else 'two'}"
    assert finding.fix is not None
    scratch.run(finding.fix.text)


def test_a_declared_constraint_goes_by_its_operation(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "ALTER TABLE t ADD CONSTRAINT one UNIQUE (a)",
        "ALTER TABLE t ADD CONSTRAINT two UNIQUE (a)",
    )
    (plain,) = declared("constraint").items
    constraint = replace(plain, is_unique=True)
    finding = only(judge("duplicate-index", scratch, DeclaredIndexes((constraint,), (), ("t",))))
    assert finding.fix is not None
    assert finding.fix.text.endswith('migrations.RemoveConstraint("order", "two")')


def test_the_clustered_one_stays_though_it_is_younger(scratch: Scratch) -> None:
    scratch.run(
        TABLE, "CREATE INDEX older ON t (a)", "CREATE INDEX younger ON t (a)", "CLUSTER t USING younger"
    )
    assert names(scratch) == ["public.older"]


def test_the_replica_identity_stays_though_it_is_younger(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "ALTER TABLE t ALTER a SET NOT NULL",
        "CREATE UNIQUE INDEX older ON t (a)",
        "CREATE UNIQUE INDEX younger ON t (a)",
        "ALTER TABLE t REPLICA IDENTITY USING INDEX younger",
    )
    assert names(scratch) == ["public.older"]


def test_the_constraint_stays_though_it_is_younger(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE UNIQUE INDEX older ON t (a)",
        "ALTER TABLE t ADD CONSTRAINT younger UNIQUE (a)",
    )
    assert names(scratch) == ["public.older"]


def test_the_primary_key_stays(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (id int PRIMARY KEY)", "CREATE UNIQUE INDEX t_id ON t (id)")
    assert names(scratch) == ["public.t_id"]


def test_the_index_that_a_foreign_key_refers_to_stays(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE UNIQUE INDEX spare ON t (a)",
        "CREATE UNIQUE INDEX target ON t (a)",
        "CREATE TABLE child (t_a int REFERENCES t (a))",
    )
    ((target,),) = scratch.run("SELECT conindid::regclass::text FROM pg_constraint WHERE contype = 'f'")
    assert names(scratch) == [f"public.{'spare' if target == 'target' else 'target'}"]
    with pytest.raises(DatabaseError, match="depends on index"):
        scratch.run(f"DROP INDEX {target}")


def test_the_exclusion_constraint_stays(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "CREATE INDEX plain ON t USING gist (area)",
        "ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (area WITH &&)",
    )
    assert names(scratch) == ["public.plain"]


def test_two_exclusion_constraints_stay(scratch: Scratch) -> None:
    scratch.run(
        TABLE,
        "ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (area WITH &&)",
        "ALTER TABLE t ADD CONSTRAINT again EXCLUDE USING gist (area WITH &&)",
    )
    assert names(scratch) == []


@needs_server(180000)
def test_a_temporal_primary_key_stays(scratch: Scratch) -> None:
    scratch.run(
        "CREATE EXTENSION btree_gist",
        "CREATE TABLE t (a int, during int4range, PRIMARY KEY (a, during WITHOUT OVERLAPS))",
        "CREATE INDEX twin ON t USING gist (a, during)",
    )
    assert names(scratch) == ["public.twin"]


def test_a_partitioned_index_is_compared_once(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)",
        "CREATE INDEX one ON p (a)",
        "CREATE INDEX two ON p (a)",
    )
    assert names(scratch) == ["public.two"]


def test_a_partitioned_index_is_as_large_as_its_parts(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (a)",
        "CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)",
        "INSERT INTO p VALUES (1), (11)",
        "CREATE INDEX one ON p (a)",
        "CREATE INDEX two ON p (a)",
    )
    (finding,) = findings(scratch)
    assert finding.evidence["size_bytes"] == 32768
    assert finding.message == "two (32 kB) serves the same queries as one on p."
    assert finding.fix
    assert finding.fix.text == 'DROP INDEX "public"."two";'


def test_beside_an_attached_index_the_partitions_own_one_goes(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE INDEX own ON p1 (a)",
        # ONLY, because PostgreSQL would otherwise attach the index that the partition has.
        "CREATE INDEX root ON ONLY p (a)",
        "CREATE INDEX attached ON p1 (a)",
        "ALTER INDEX root ATTACH PARTITION attached",
    )
    assert names(scratch) == ["public.own"]


def test_a_materialized_view_has_duplicates_too(scratch: Scratch) -> None:
    scratch.run(
        "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a",
        "CREATE UNIQUE INDEX refreshable ON v (a)",
        "CREATE INDEX one ON v (a)",
    )
    assert names(scratch) == ["public.one"]


def test_the_fix_leaves_nothing_to_find(scratch: Scratch) -> None:
    scratch.run(
        'CREATE SCHEMA "Odd ""one"""',
        'CREATE TABLE "Odd ""one"""."Tea Cups" ("Größe %" int)',
        'CREATE INDEX a ON "Odd ""one"""."Tea Cups" ("Größe %")',
        'CREATE INDEX "b ""c"" %" ON "Odd ""one"""."Tea Cups" ("Größe %")',
    )
    (finding,) = findings(scratch)
    assert str(finding.subject) == 'index Odd "one".b "c" %'
    assert finding.fix
    scratch.run(finding.fix.text)
    assert names(scratch) == []


def test_the_finding_shows_both_sides(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX one ON t (a)", "CREATE INDEX two ON t (a DESC)")
    (finding,) = findings(scratch)
    assert finding.severity is Severity.WARNING
    assert finding.message == "two (8 kB) serves the same queries as one on t."
    assert finding.evidence["kept_definition"] == "CREATE INDEX one ON public.t USING btree (a)"
    assert finding.subject.table == "public.t"


def declared(kind: str, *, is_third_party: bool = False) -> DeclaredIndexes:
    """What the project would say of the index ``two``."""
    index = DeclaredIndex(
        table="t",
        names=("two",),
        columns=("a",),
        is_unique=False,
        kind=kind,
        model="shop.Order",
        field=None if kind == "meta_index" else "a",
        is_third_party=is_third_party,
        location=Location("shop/models.py", 7),
    )
    return DeclaredIndexes((index,), (), ("t",))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("meta_index", 'RemoveIndexConcurrently("order", "two")'),
        ("db_index", "Set db_index=False on shop.Order.a"),
        ("foreign_key", "Set db_index=False on shop.Order.a"),
    ],
)
def test_the_fix_begins_where_the_index_is_declared(scratch: Scratch, kind: str, words: str) -> None:
    scratch.run(TABLE, "CREATE INDEX one ON t (a)", "CREATE INDEX two ON t (a)")
    finding = only(judge("duplicate-index", scratch, declared(kind)))
    assert str(finding.location) == "shop/models.py:7"
    assert finding.fix
    assert words in finding.fix.text


def test_what_others_declare_is_only_an_information(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX one ON t (a)", "CREATE INDEX two ON t (a)")
    finding = only(judge("duplicate-index", scratch, declared("db_index", is_third_party=True)))
    assert finding.severity is Severity.INFO


def sorts(scratch: Scratch, index: str) -> list[str]:
    """The orders that PostgreSQL must sort for, with this index and no other."""
    scratch.run("SET enable_seqscan = off", "SET enable_bitmapscan = off", TABLE)
    scratch.run(f"CREATE INDEX i ON t {index}")
    orders = ("a", "a DESC", "a, b", "a DESC, b DESC", "a, b DESC", "a DESC, b", "a NULLS FIRST")
    plans = {order: scratch.run(f"EXPLAIN (COSTS OFF) TABLE t ORDER BY {order}") for order in orders}
    return [order for order, plan in plans.items() if "Sort" in str(plan)]


@pytest.mark.parametrize("index", ["(a, b)", "(a DESC, b DESC)"])
def test_postgresql_reads_an_index_as_its_own_mirror(scratch: Scratch, index: str) -> None:
    assert sorts(scratch, index) == ["a, b DESC", "a DESC, b", "a NULLS FIRST"]


@pytest.mark.parametrize("index", ["(a, b DESC)", "(a DESC, b)"])
def test_postgresql_reads_a_mixed_index_as_its_own_mirror(scratch: Scratch, index: str) -> None:
    assert sorts(scratch, index) == ["a, b", "a DESC, b DESC", "a NULLS FIRST"]
