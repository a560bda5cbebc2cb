from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from django.db import DatabaseError, connections

from activity import execute
from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres import index_contents
from django_dbaudit.postgres.connection import GuardedConnection
from django_dbaudit.postgres.contents import Contents
from django_dbaudit.postgres.rebuilt_size import RebuiltSize, of
from django_dbaudit.rule import get_rule
from posing import only
from scratch import Scratch
from settling import settle, write

RULE = "bloated-index"
ROWS = 20_000
#: So that tables of a second's making are large enough.
PAGES = 16

TABLE = f"""CREATE TABLE t AS
SELECT g AS id, g::bigint AS big, md5(g::text)::uuid AS uuid, md5(g::text) AS hex,
    'k' || g % 300 AS kind, g % 50 AS few, g / 3 AS threes, (g * 7919 % 10007)::numeric AS number,
    repeat('x', g % 60) || g AS varying, CASE WHEN g % 2 = 0 THEN 'v' || g END AS half,
    CASE WHEN g % 10 = 0 THEN g END AS rare, now() + g * interval '1 s' AS at, g % 3 = 0 AS flag,
    (SELECT string_agg(md5(g::text || n), '') FROM generate_series(1, 15) AS n) AS wide,
    jsonb_build_object('a', g % 1000) AS document
FROM generate_series(1, {ROWS}) AS g"""

#: Every kind of index, and how far from the truth, as a share of it, the ends of its estimate may lie.
KINDS: Mapping[str, tuple[str, float, float]] = {
    "unique": ("UNIQUE INDEX i ON t (big)", 0.03, 0.03),
    "bigint": ("INDEX i ON t (big)", 0.03, 0.03),
    "int": ("INDEX i ON t (id)", 0.03, 0.03),
    "uuid": ("INDEX i ON t (uuid)", 0.03, 0.03),
    "timestamp": ("INDEX i ON t (at)", 0.03, 0.03),
    "descending": ("INDEX i ON t (big DESC)", 0.03, 0.03),
    "text": ("INDEX i ON t (hex)", 0.1, 0.03),
    "like": ("INDEX i ON t (hex text_pattern_ops)", 0.1, 0.03),
    "varying text": ("INDEX i ON t (varying)", 0.05, 0.05),
    "wide text": ("INDEX i ON t (wide)", 0.1, 0.1),
    "numeric": ("INDEX i ON t (number)", 0.1, 0.1),
    "fillfactor": ("INDEX i ON t (big) WITH (fillfactor = 50)", 0.03, 0.03),
    "half NULL": ("INDEX i ON t (half)", 0.1, 0.15),
    "few values": ("INDEX i ON t (few)", 0.1, 0.1),
    "many of each value": ("INDEX i ON t (kind)", 0.1, 1.5),
    "three of each value": ("INDEX i ON t (threes)", 0.2, 0.6),
    "not deduplicated": ("INDEX i ON t (few) WITH (deduplicate_items = off)", 0.03, 0.03),
    "two columns": ("INDEX i ON t (few, id)", 0.03, 0.03),
    "two with duplicates": ("INDEX i ON t (few, flag)", 0.1, 1.0),
    "INCLUDE": ("INDEX i ON t (few) INCLUDE (hex)", 0.1, 0.1),
    "expression": ("INDEX i ON t (upper(hex))", 0.1, 0.1),
    "expression with duplicates": ("INDEX i ON t ((document ->> 'a'))", 0.15, 2.0),
    "partial": ("INDEX i ON t (big) WHERE flag", 0.2, 0.2),
    "partial text": ("INDEX i ON t (hex) WHERE NOT flag", 0.2, 1.0),
    "partial expression": ("INDEX i ON t (upper(hex)) WHERE NOT flag", 0.2, 0.2),
}


CREATE_ALL = [
    f"CREATE {sql.replace(' i ', f' i{number} ')}" for number, (sql, _, _) in enumerate(KINDS.values())
]


def empty(scratch: Scratch, table: str = "t", column: str = "id") -> None:
    """Delete four rows in five, evenly, and leave the entries' room empty."""
    settle(scratch, f"DELETE FROM {table} WHERE {column} % 5 > 0", table=table)


def config(megabytes: int = 0, **thresholds: Any) -> Config:
    limits = Thresholds(**{"bloated_index_pages": PAGES, **thresholds})
    return Config(pgstattuple_megabytes=megabytes, thresholds=limits)


def verdict(scratch: Scratch, megabytes: int = 0, **thresholds: Any) -> audit.Audit:
    """By default nothing is measured, and all is estimated."""
    given = config(megabytes, **thresholds)
    rules = [get_rule(RULE)]
    outcome = audit.run(
        rules, facts.gather([scratch.alias], audit.needed_facts(rules), given), given.thresholds
    )
    assert not outcome.failures, outcome.failures
    return outcome


def names(outcome: audit.Audit) -> list[str]:
    return [finding.subject.name for finding in outcome.findings]


def reason(outcome: audit.Audit) -> str:
    assert outcome.findings == ()
    (not_run,) = outcome.not_run
    return not_run.reason


def contents(scratch: Scratch, name: str = "i", megabytes: int = 0) -> Contents:
    with GuardedConnection(scratch.alias, config(megabytes)) as connection:
        found = {each.name: each for each in index_contents.read(connection).items}
    return found[name]


def changed(scratch: Scratch) -> int:
    return int(scratch.run("SELECT pg_stat_get_mod_since_analyze('t'::regclass)")[0][0])


def true_size(scratch: Scratch) -> int:
    return int(scratch.run("REINDEX INDEX i", "SELECT pg_relation_size('i')")[0][0])


@pytest.fixture
def pgstattuple(scratch: Scratch) -> None:
    if not scratch.run("SELECT 1 FROM pg_available_extensions WHERE name = 'pgstattuple'"):
        pytest.skip("the server has no pgstattuple")
    scratch.run("CREATE EXTENSION pgstattuple")


# What is left alone.


def test_no_fresh_index_of_any_kind_is_named(scratch: Scratch) -> None:
    settle(scratch, TABLE, *CREATE_ALL)
    outcome = verdict(scratch)
    assert (outcome.findings, outcome.not_run) == ((), ())


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("uuid", "gen_random_uuid()"),
        ("int", "(random() * 2e9)::int"),
        ("int", "(random() * 1000)::int"),
        ("text", "md5(random()::text)"),
        ("bigint", "-n * 4000 - g"),
    ],
    ids=["uuid", "int", "duplicates", "text", "always at the low end"],
)
def test_the_shape_that_inserts_give_is_no_bloat(scratch: Scratch, type_: str, value: str) -> None:
    inserts = [
        f"INSERT INTO t SELECT {value.replace('n', str(n), 1) if value.startswith('-') else value} "
        "FROM generate_series(1, 4000) AS g"
        for n in range(5)
    ]
    settle(scratch, f"CREATE TABLE t (a {type_})", "CREATE INDEX i ON t (a)", *inserts)
    outcome = verdict(scratch)
    assert (outcome.findings, outcome.not_run) == ((), ())


def test_a_small_index_is_left_alone(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (id)")
    empty(scratch)
    assert verdict(scratch, bloated_index_pages=128).findings == ()
    assert names(verdict(scratch)) == ["public.i"]


def test_an_index_that_another_rule_would_drop_is_left_to_it(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (id)", "CREATE INDEX j ON t (id)")
    empty(scratch)
    assert names(verdict(scratch)) == ["public.i"]


def test_rows_that_came_since_the_last_count_are_no_empty_space(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (big)")
    empty(scratch)
    # They find room in pages that are there.
    write(scratch, "INSERT INTO t SELECT t.* FROM t, generate_series(1, 4)")
    scratch.wait_until(lambda: changed(scratch) > ROWS / 2)
    assert "the statistics leave it open" in reason(verdict(scratch))


def test_longer_values_since_the_last_analyze_are_no_empty_space(scratch: Scratch) -> None:
    settle(
        scratch,
        "CREATE TABLE t AS SELECT g, 'x' AS a FROM generate_series(1, 99) g",
        "CREATE INDEX i ON t (a)",
    )
    write(scratch, "INSERT INTO t SELECT g, repeat(md5(g::text), 9) FROM generate_series(1, 3000) g")
    scratch.wait_until(lambda: changed(scratch) == 3000)
    assert "run ANALYZE on the table, much of which was written since" in reason(verdict(scratch))


@pytest.mark.parametrize(
    "statements",
    [
        # A tenth of the rows has a long value of its own, and the sample's guess is far too low.
        (
            """CREATE TABLE t AS SELECT
                CASE WHEN g % 10 = 0 THEN repeat('y', 200) || g ELSE 'hot' || g % 5 END AS a
                FROM generate_series(1, 100000) AS g""",
            "ALTER TABLE t ALTER a SET STATISTICS 10",
            "CREATE INDEX i ON t (a)",
        ),
        # Kept out of line, of which pg_stats knows the pointer.
        (
            "CREATE TABLE t (a text)",
            "ALTER TABLE t ALTER a SET STORAGE EXTERNAL",
            """INSERT INTO t SELECT
                (SELECT string_agg(md5(random()::text || g || n), '') FROM generate_series(1, 78) AS n)
                FROM generate_series(1, 300) AS g""",
            "CREATE INDEX i ON t (a)",
        ),
        # The predicate picks out the longest.
        (
            """CREATE TABLE t AS SELECT
                CASE WHEN g % 50 = 0 THEN repeat(md5(g::text), 15) || g ELSE 'x' END AS a
                FROM generate_series(1, 20000) AS g""",
            "CREATE INDEX i ON t (a) WHERE length(a) > 100",
        ),
    ],
    ids=["rare and long", "out of line", "partial"],
)
def test_where_statistics_mislead_only_pgstatindex_is_believed(
    scratch: Scratch, pgstattuple: None, statements: tuple[str, ...]
) -> None:
    settle(scratch, *statements)
    assert "leave it open, and pgstatindex was not asked: it has" in reason(verdict(scratch))
    measured = verdict(scratch, megabytes=100)
    assert (measured.findings, measured.not_run) == ((), ())


def test_what_is_no_btree_is_named_as_not_judged(scratch: Scratch) -> None:
    settle(
        scratch,
        TABLE,
        "CREATE INDEX t_hash ON t USING hash (hex)",
        "CREATE INDEX t_gin ON t USING gin (document)",
        "CREATE INDEX t_brin ON t USING brin (id)",
    )
    reasons = [each.reason for each in verdict(scratch, bloated_index_pages=1).not_run]
    assert reasons == [
        "only in part: public.t_gin not judged: nothing on the server tells how full a gin index is",
        "only in part: public.t_hash not judged: nothing on the server tells how full a hash index is",
    ]


def test_an_index_under_a_lock_is_not_waited_for(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (id)")
    empty(scratch)
    with scratch.session() as session:
        execute(session, "BEGIN", "LOCK TABLE t")
        assert "another session has locked the table" in reason(verdict(scratch, megabytes=100))
    assert names(verdict(scratch)) == ["public.i"]


# What may not be seen does not pass.


@contextlib.contextmanager
def seen_by_nobody(scratch: Scratch, *grants: str) -> Iterator[None]:
    """The audit's role has no rights but these."""
    with scratch.role("nobody_much") as role:
        if grants:
            scratch.run(*grants)
        before = connections.settings[scratch.alias]
        connections[scratch.alias].close()
        connections.settings[scratch.alias] = {**before, "USER": role, "PASSWORD": role}
        del connections[scratch.alias]
        try:
            yield
        finally:
            connections[scratch.alias].close()
            del connections[scratch.alias]
            connections.settings[scratch.alias] = before


def test_statistics_that_are_hidden_are_no_bill_of_health(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (hex)", "CREATE INDEX j ON t (upper(hex))")
    empty(scratch)
    with seen_by_nobody(scratch):
        reasons = [each.reason for each in verdict(scratch).not_run]
        assert "public.i not judged: needs SELECT on the column" in reasons[0]
        assert "public.j not judged: needs the rights of the owner" in reasons[1]
    with seen_by_nobody(scratch, "GRANT SELECT ON t TO nobody_much"):
        assert names(verdict(scratch)) == ["public.i"]


def test_a_key_of_fixed_length_is_judged_without_any_right(scratch: Scratch) -> None:
    settle(scratch, TABLE, "ALTER TABLE t ADD PRIMARY KEY (big)")
    empty(scratch)
    with seen_by_nobody(scratch):
        assert names(verdict(scratch)) == ["public.t_pkey"]


def test_row_level_security_hides_statistics_too(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (hex)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    with seen_by_nobody(scratch, "GRANT SELECT ON t TO nobody_much"):
        assert "its row-level security applies to our role" in reason(verdict(scratch))


def test_a_table_without_statistics_is_told(scratch: Scratch) -> None:
    write(scratch, TABLE, "CREATE INDEX i ON t (hex)")
    assert "run ANALYZE on the table, which has no statistics" in reason(verdict(scratch))


# What is named.


def test_the_estimates_keep_within_their_bounds(scratch: Scratch) -> None:
    settle(scratch, TABLE, *CREATE_ALL)
    missed = [kind for kind, (size, seen) in sizes(scratch).items() if not _is_fresh(kind, size, seen)]
    empty(scratch)
    seen = {kind: seen for kind, (_, seen) in sizes(scratch).items()}
    scratch.run("REINDEX TABLE t")
    true = {kind: size for kind, (size, _) in sizes(scratch).items()}
    assert missed + [kind for kind in KINDS if not _is_within(kind, true[kind], seen[kind])] == []


#: Pages by which an estimate may be off, however small the index.
FEW = 3 * 8192


def sizes(scratch: Scratch) -> dict[str, tuple[int, RebuiltSize]]:
    """The size of the index of each kind, and what it is estimated to be after a rebuild."""
    with GuardedConnection(scratch.alias, config(bloated_index_pages=1)) as connection:
        found = {each.name: each for each in index_contents.read(connection).items}
    known = {kind: found[f"i{number}"] for number, kind in enumerate(KINDS)}
    return {kind: (each.size_bytes, judged(each)) for kind, each in known.items()}


def judged(contents: Contents) -> RebuiltSize:
    size = of(contents)
    assert isinstance(size, RebuiltSize), size
    return size


def _is_fresh(kind: str, size: int, seen: RebuiltSize) -> bool:
    _, below, _ = KINDS[kind]
    return size * (1 - below) - FEW <= seen.least <= size * 1.1 + FEW and size - FEW <= seen.most


def _is_within(kind: str, true: int, seen: RebuiltSize) -> bool:
    _, below, above = KINDS[kind]
    least = true * (1 - below) - FEW <= seen.least <= true * 1.1 + FEW
    return least and true - FEW <= seen.most <= true * (1 + above) + FEW


def test_an_index_four_fifths_empty_is_named_with_what_a_rebuild_wins(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (big)")
    empty(scratch)
    finding = only(verdict(scratch))
    assert finding.subject.name == "public.i"
    assert finding.severity is Severity.INFO
    assert finding.message == (
        "i on t (456 kB) is largely empty: a rebuild would win about 352 kB (77.1 %) of it, "
        "estimated from statistics."
    )
    assert finding.evidence["method"] == "estimate"
    assert finding.fix
    assert finding.fix.text == 'REINDEX INDEX CONCURRENTLY "public"."i";'
    won = int(str(finding.evidence["size_bytes"])) - true_size(scratch)
    assert abs(int(str(finding.evidence["bytes_won"])) - won) <= 2 * 8192


def test_where_the_ends_lie_apart_both_are_told(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (md5(threes::text))")
    settle(scratch, "DELETE FROM t WHERE threes % 5 > 0")
    finding = only(verdict(scratch))
    assert re.search(r"win about \d+ kB \(.* %\) to \d+ kB \(.* %\) of it, estimated", finding.message)
    assert str(finding.evidence["share_won"])[2:4] in finding.message


def test_what_is_won_decides_between_information_and_warning(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (big)")
    empty(scratch)
    assert only(verdict(scratch, bloated_index_warning_pages=44)).severity is Severity.WARNING
    assert only(verdict(scratch, bloated_index_warning_pages=45)).severity is Severity.INFO
    assert verdict(scratch, bloated_index_share=0.85).findings == ()


def test_partitions_are_told_together(scratch: Scratch) -> None:
    parts = [f"CREATE TABLE p{n} PARTITION OF p FOR VALUES FROM ({n}) TO ({n + 1})" for n in range(3)]
    settle(
        scratch,
        "CREATE TABLE p (part int, id int) PARTITION BY RANGE (part)",
        *parts,
        "CREATE INDEX p_id ON p (id)",
        "INSERT INTO p SELECT n, g FROM generate_series(1, 10000) AS g, generate_series(0, 2) AS n",
        table="p",
    )
    assert verdict(scratch).findings == ()
    settle(scratch, "DELETE FROM p WHERE id % 5 > 0 AND part < 2", table="p")
    finding = only(verdict(scratch))
    assert finding.subject.name == "public.p_id"
    assert finding.evidence["partitions"] == ["public.p0_id_idx", "public.p1_id_idx"]
    assert "p_id on p (2 partitions, " in finding.message
    assert finding.fix
    assert finding.fix.text == (
        'REINDEX INDEX CONCURRENTLY "public"."p0_id_idx";\nREINDEX INDEX CONCURRENTLY "public"."p1_id_idx";'
    )
    scratch.run(*finding.fix.text.splitlines())
    assert verdict(scratch).findings == ()


def test_the_index_of_an_exclusion_constraint_cannot_be_rebuilt_concurrently(scratch: Scratch) -> None:
    settle(scratch, TABLE, "ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING btree (big WITH =)")
    empty(scratch)
    finding = only(verdict(scratch))
    assert finding.fix
    assert finding.fix.text == 'REINDEX INDEX "public"."apart";'
    scratch.run(finding.fix.text)
    assert verdict(scratch).findings == ()


# What pgstatindex says.


def pages_won(finding: Finding) -> int:
    return int(str(finding.evidence["bytes_won"])) // 8192


@pytest.mark.parametrize("kind", ["bigint", "wide text", "three of each value", "fillfactor"])
def test_what_was_measured_is_exact(scratch: Scratch, pgstattuple: None, kind: str) -> None:
    settle(scratch, TABLE, f"CREATE {KINDS[kind][0]}")
    empty(scratch)
    finding = only(verdict(scratch, megabytes=100))
    assert finding.evidence["method"] == "pgstatindex"
    assert "as pgstatindex measured" in finding.message
    size = int(str(finding.evidence["size_bytes"]))
    assert abs(pages_won(finding) - (size - true_size(scratch)) // 8192) <= 3 + size // 8192 // 33


def test_without_statistics_it_is_measured(scratch: Scratch, pgstattuple: None) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (hex)")
    empty(scratch)
    grant = "GRANT EXECUTE ON FUNCTION pgstatindex(regclass) TO nobody_much"
    with seen_by_nobody(scratch, grant):
        assert only(verdict(scratch, megabytes=100)).evidence["method"] == "pgstatindex"


def test_a_role_that_may_not_measure_estimates_and_says_why(scratch: Scratch, pgstattuple: None) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (big)")
    empty(scratch)
    with seen_by_nobody(scratch, "GRANT SELECT ON t TO nobody_much"):
        finding = only(verdict(scratch, megabytes=100))
    assert finding.evidence["method"] == "estimate"
    assert "pg_stat_scan_tables" in str(finding.evidence["not_measured_because"])


def test_without_the_extension_it_is_estimated(scratch: Scratch) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (big)")
    empty(scratch)
    finding = only(verdict(scratch, megabytes=100))
    assert finding.evidence["not_measured_because"] == "needs the pgstattuple extension"


def test_as_much_is_read_as_the_setting_allows(scratch: Scratch, pgstattuple: None) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (hex)", "CREATE INDEX j ON t (big)")
    empty(scratch)
    by_name = {each.subject.name: each.evidence for each in verdict(scratch, megabytes=1).findings}
    assert {name: each["method"] for name, each in by_name.items()} == {
        "public.i": "estimate",
        "public.j": "pgstatindex",
    }
    assert str(by_name["public.i"]["not_measured_because"]).endswith(
        "and DBAUDIT['PGSTATTUPLE_MEGABYTES'] is 1"
    )


def test_an_index_that_the_statistics_clear_is_not_read(scratch: Scratch, pgstattuple: None) -> None:
    settle(scratch, TABLE, "CREATE INDEX i ON t (hex)")
    assert contents(scratch, megabytes=100).leaves is None


def test_the_extension_may_be_in_any_schema(scratch: Scratch, pgstattuple: None) -> None:
    scratch.run('CREATE SCHEMA "100 %s ""odd"""', 'ALTER EXTENSION pgstattuple SET SCHEMA "100 %s ""odd"""')
    settle(scratch, TABLE, "CREATE INDEX i ON t (big)")
    empty(scratch)
    assert only(verdict(scratch, megabytes=100)).evidence["method"] == "pgstatindex"


class Slow:
    """A source on which ``pgstatindex`` takes too long, and which counts what it is asked."""

    def __init__(self, connection: GuardedConnection) -> None:
        self.connection, self.asked = connection, [""]
        self.config, self.server_version = connection.config, connection.server_version

    def rows(self, query: str, *more: Any) -> Iterable[dict[str, Any]]:
        self.asked.append(query)
        if query == "measured_indexes":
            error, cause = DatabaseError("canceling statement due to statement timeout"), Exception()
            cause.sqlstate = "57014"  # type: ignore[attr-defined]  # as drivers have it
            error.__cause__ = cause
            raise error
        return self.connection.rows(query, *more)


def test_a_measurement_that_takes_too_long_leaves_the_estimate(scratch: Scratch, pgstattuple: None) -> None:
    settle(
        scratch, TABLE, *[f"CREATE INDEX i{n} ON t (big, few) WITH (fillfactor = 9{n})" for n in range(5)]
    )
    empty(scratch)
    with GuardedConnection(scratch.alias, config(100)) as connection:
        source = Slow(connection)
        found = index_contents.read(source).items
    assert {each.leaves for each in found} == {None}
    assert {each.unmeasured for each in found} == {
        "pgstattuple: it took longer than DBAUDIT['STATEMENT_TIMEOUT'] allows, and was cancelled"
    }
    assert source.asked[1:] == ["index_contents", "index_statistics", "pgstattuple", "measured_indexes"]
