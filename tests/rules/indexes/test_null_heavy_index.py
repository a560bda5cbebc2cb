from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aliases import alias_like
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.column_statistics import ColumnStatistics
from django_dbaudit.postgres.server import Server
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndex, DeclaredIndexes
from posing import judge, only
from scratch import Scratch

RULE = "null-heavy-index"

#: One row in twenty has a value.
TABLE = (
    """CREATE TABLE t AS
    SELECT g AS id, CASE WHEN g % 20 = 0 THEN g END AS a, CASE WHEN g % 20 = 0 THEN g::text END AS note
    FROM generate_series(1, 4000) AS g""",
    "ANALYZE t",
)


def findings(scratch: Scratch, **thresholds: Any) -> list[Finding]:
    return list(scratch.findings(RULE, **{"large_index_pages": 2, **thresholds}))


def names(scratch: Scratch) -> list[str]:
    return [finding.subject.name for finding in findings(scratch)]


def declared_by(kind: str, *, is_third_party: bool = False, name: str = "t_a") -> DeclaredIndexes:
    index = DeclaredIndex(
        table="t",
        names=(name,),
        columns=("a",),
        is_unique=False,
        kind=kind,
        model="shop.Order",
        field=None if kind == "meta_index" else "price",
        is_third_party=is_third_party,
        location=None,
    )
    column = DeclaredColumn("t", "a", "shop.Order", "price", is_third_party, None)
    return DeclaredIndexes((index,), (column,), ("t",))


@pytest.mark.parametrize(
    "index",
    [
        "UNIQUE INDEX i ON t (a)",
        "INDEX i ON t (a) WHERE a IS NOT NULL",
        "INDEX i ON t (a) WHERE id > 5",
        "INDEX i ON t (id, a)",
        "INDEX i ON t ((a + 1))",
        "INDEX i ON t USING hash (a)",
        "INDEX i ON t USING brin (a)",
    ],
)
def test_it_is_left_alone(scratch: Scratch, index: str) -> None:
    scratch.run(*TABLE, f"CREATE {index}")
    assert names(scratch) == []


def test_what_more_than_readers_need_is_left_alone(scratch: Scratch) -> None:
    scratch.run(*TABLE, "ALTER TABLE t ADD UNIQUE (a)", "CREATE INDEX t_a ON t (a)", "CLUSTER t USING t_a")
    assert names(scratch) == []


def test_a_small_index_is_left_alone(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_a ON t (a)")
    assert findings(scratch, large_index_pages=1000) == []


def test_a_column_with_fewer_nulls_is_left_alone(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_a ON t (a)", "UPDATE t SET a = 1 WHERE id % 5 = 0", "ANALYZE t")
    assert names(scratch) == []


def test_what_another_rule_would_drop_is_left_to_it(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX narrow ON t (a)", "CREATE INDEX wide ON t (a, id)")
    assert names(scratch) == ["public.wide"]
    scratch.run("DROP INDEX wide")
    assert names(scratch) == ["public.narrow"]
    server: Server = scratch.fact(Server)
    since = server.taken_at - timedelta(days=90)
    old = replace(server, started_at=since, counting_since=since, statistics_reset_at=None)
    assert only(judge("unused-index", scratch, old)).subject.name == "public.narrow"
    assert judge(RULE, scratch, old, large_index_pages=2).findings == ()


def test_a_column_that_is_mostly_null_is_named(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_a ON t (a)")
    (finding,) = findings(scratch)
    assert finding.subject.name == "public.t_a"
    assert finding.severity is Severity.WARNING
    assert finding.evidence["null_fraction"] == 0.95
    assert finding.message.startswith("a is NULL in 95.0 % of the rows of t, and t_a (")


@pytest.mark.parametrize("keys", ["(a)", "(a, id)", '(a) INCLUDE (note) WITH (fillfactor = "70")'])
def test_the_fix_leaves_nothing_to_find_and_serves_the_same_lookups(scratch: Scratch, keys: str) -> None:
    scratch.run(*TABLE, f'CREATE INDEX "odd ON ""name" ON t {keys}')
    (finding,) = findings(scratch)
    assert finding.fix
    scratch.run(*finding.fix.text.splitlines())
    assert names(scratch) == []
    for lookup in ("a = 40", "a IN (40, 60)", "a > 3900"):
        plan = scratch.run("SET enable_seqscan = off", f"EXPLAIN SELECT * FROM t WHERE {lookup}")
        assert any("Index" in line for (line,) in plan), plan


def test_a_foreign_key_keeps_its_index(scratch: Scratch) -> None:
    scratch.run(
        *TABLE,
        "CREATE TABLE parent AS SELECT id FROM t",
        "ALTER TABLE parent ADD PRIMARY KEY (id)",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES parent",
        "CREATE INDEX t_a ON t (a)",
    )
    (finding,) = findings(scratch)
    assert finding.fix
    scratch.run(*finding.fix.text.splitlines())
    assert names(scratch) == []
    assert scratch.findings("unindexed-foreign-key") == ()


def test_a_partitioned_index_is_judged_as_a_whole(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (id int, a int) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (4000)",
        "INSERT INTO p SELECT g, CASE WHEN g % 20 = 0 THEN g END FROM generate_series(0, 3999) AS g",
        "CREATE INDEX p_a ON p (a)",
    )
    assert names(scratch) == []
    (not_run,) = scratch.not_run(RULE, large_index_pages=2)
    assert not_run.reason == (
        "only in part: public.p_a not judged: run ANALYZE on the partitioned table, "
        "which autovacuum leaves alone"
    )
    scratch.run("ANALYZE p")
    (finding,) = findings(scratch)
    assert finding.fix
    scratch.run(*finding.fix.text.splitlines())
    assert names(scratch) == []


def test_a_table_that_was_never_analyzed_is_told(scratch: Scratch) -> None:
    scratch.run(TABLE[0], "CREATE INDEX t_a ON t (a)")
    outcome = judge(RULE, scratch, ColumnStatistics(()), large_index_pages=2)
    (not_run,) = outcome.not_run
    assert not_run.reason.startswith("only in part: public.t_a not judged: run ANALYZE on the table")


def test_statistics_that_are_hidden_are_told_and_do_not_pass(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_note ON t (note)")
    with (
        scratch.role(f"{scratch.alias}_reader") as role,
        alias_like(scratch.alias, USER=role, PASSWORD=role) as alias,
    ):
        reader = Scratch(alias)
        (not_run,) = reader.not_run(RULE, large_index_pages=2)
        assert not_run.reason == (
            "only in part: public.t_a, public.t_note not judged: needs SELECT on the column"
        )
        scratch.run(f'GRANT SELECT (a) ON t TO "{role}"')
        assert names(reader) == ["public.t_a"]
        scratch.run(f'GRANT SELECT ON t TO "{role}"', "ALTER TABLE t ENABLE ROW LEVEL SECURITY")
        assert names(reader) == []
        (not_run,) = reader.not_run(RULE, large_index_pages=2)
        assert not_run.reason.endswith("its row-level security applies to our role")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("db_index", "Set db_index=False on shop.Order.price"),
        ("foreign_key", "Set db_index=False on shop.Order.price"),
        ("meta_index", "Give it, in shop.Order Meta.indexes, another name and condition=models.Q("),
    ],
)
def test_the_fix_is_in_djangos_words(scratch: Scratch, kind: str, says: str) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_a ON t (a)")
    finding = only(judge(RULE, scratch, declared_by(kind), large_index_pages=2))
    assert finding.fix
    assert finding.fix.kind == "migration"
    assert says in finding.fix.text
    assert "condition=models.Q(price__isnull=False)" in finding.fix.text


def test_an_installed_packages_index_is_an_information(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_a ON t (a)")
    declared = declared_by("db_index", is_third_party=True)
    finding = only(judge(RULE, scratch, declared, large_index_pages=2))
    assert finding.severity is Severity.INFO
    assert finding.fix
    assert finding.fix.text.endswith("leave it.")


def text_field(kind: str) -> DeclaredIndexes:
    """A CharField with two indexes, as ``db_index=True`` or ``unique=True`` makes them."""
    (plain,) = declared_by(kind, name="t_note_0123abcd").items
    plain = replace(plain, columns=("note",), is_unique=kind == "unique")
    like = replace(plain, names=("t_note_0123abcd_like",), kind="like", is_unique=False)
    return DeclaredIndexes((plain, like), (), ("t",))


def test_both_indexes_of_a_text_field_are_one_finding(scratch: Scratch) -> None:
    scratch.run(
        *TABLE,
        "CREATE INDEX t_note_0123abcd ON t (note)",
        "CREATE INDEX t_note_0123abcd_like ON t (note text_pattern_ops)",
    )
    finding = only(judge(RULE, scratch, text_field("db_index"), large_index_pages=2))
    assert finding.subject.name == "public.t_note_0123abcd"
    assert [each.name for each in finding.related] == ["public.t_note_0123abcd_like"]
    assert finding.fix
    assert finding.fix.text.count("models.Index(") == 2
    assert 'opclasses=["text_pattern_ops"]' in finding.fix.text


def test_the_companion_of_a_unique_field_is_left_alone(scratch: Scratch) -> None:
    scratch.run(
        *TABLE,
        "CREATE UNIQUE INDEX t_note_0123abcd ON t (note)",
        "CREATE INDEX t_note_0123abcd_like ON t (note text_pattern_ops)",
    )
    assert judge(RULE, scratch, text_field("unique"), large_index_pages=2).findings == ()
