"""The definition of a plain index is put together by our query; it must be what the server would say."""

from __future__ import annotations

import pytest

from django_dbaudit.postgres import queries
from django_dbaudit.postgres.indexes import Indexes
from scratch import Scratch

TYPES = (
    "int", "smallint", "bigint", "oid", "numeric", "real", "text", "varchar(9)", "char(3)", "name", "date",
    "timestamptz", "interval", "uuid", "bool", "bytea", "inet", "bit(3)", "int[]", "text[]", "int4range",
    "mood", "mail", '"char"', "pair", "jsonb", "tsvector",
)  # fmt: skip

KEYS = (
    "a", "a DESC", "a NULLS FIRST", "a DESC NULLS LAST", "a, b DESC, c NULLS FIRST, d DESC NULLS LAST",
    '"Group"', '"select", a', '"x""y" DESC', "b text_ops", "b text_pattern_ops", "v varchar_ops",
    "v varchar_pattern_ops", "v text_ops", 'b COLLATE "C"', 'cc COLLATE "default"', "cc",
    'cc COLLATE "POSIX"', "lower(b)", "(a + 1), b", "a, (d - a)",
)  # fmt: skip

CREATED = (
    "CREATE UNIQUE INDEX ON t (a, b)",
    "CREATE UNIQUE INDEX ON t (a) INCLUDE (b)",
    "CREATE INDEX ON t (a) INCLUDE (b, c)",
    "CREATE INDEX ON t (a) WHERE b IS NOT NULL",
    "CREATE INDEX ON t (a) WITH (fillfactor=70)",
    "CREATE INDEX ON t USING hash (a)",
    "CREATE INDEX ON t USING brin (a)",
    "CREATE INDEX ON t USING brin (a int4_bloom_ops(n_distinct_per_range=50))",
    "CREATE INDEX ON t USING gin (tags)",
    'CREATE INDEX "My ""Index""" ON t (a)',
    'CREATE INDEX "user" ON t (a)',
    "ALTER TABLE t ADD CONSTRAINT late UNIQUE (c) DEFERRABLE",
    "ALTER TABLE t ADD EXCLUDE (d WITH =)",
    'CREATE INDEX ON "Order" (id)',
    "CREATE INDEX ON part (id)",
    "CREATE INDEX ON ONLY part (made)",
    'CREATE INDEX ON "My Schema".t (a)',
    "CREATE MATERIALIZED VIEW m AS SELECT 1 AS id",
    "CREATE INDEX ON m (id)",
)


@pytest.fixture
def odd(scratch: Scratch) -> Scratch:
    scratch.run(
        "CREATE TYPE mood AS ENUM ('a')",
        "CREATE DOMAIN mail AS text",
        "CREATE TYPE pair AS (x int, y int)",
        'CREATE TABLE t (gone int, a int, b text, v varchar(9), c int, d int, "Group" int, "select" int, '
        '"x""y" int, cc text COLLATE "C", tags int[])',
        "ALTER TABLE t DROP COLUMN gone",
        'CREATE TABLE "Order" (id int PRIMARY KEY)',
        'CREATE SCHEMA "My Schema"',
        'CREATE TABLE "My Schema".t (a int UNIQUE)',
        "CREATE TABLE part (id int, made date, PRIMARY KEY (id, made)) PARTITION BY RANGE (made)",
        "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
        *(f"CREATE INDEX ON t ({keys})" for keys in KEYS),
        *CREATED,
        *(f"CREATE TABLE of_{n} (a {each}); CREATE INDEX ON of_{n} (a)" for n, each in enumerate(TYPES)),
    )
    return scratch


def differing(scratch: Scratch) -> list[tuple[str, str]]:
    """What our query says, and what the server says, where the two are not the same."""
    theirs = dict(scratch.run("SELECT indexrelid::bigint, pg_get_indexdef(indexrelid) FROM pg_index"))
    ours = scratch.fact(Indexes).items
    assert len(ours) > len(KEYS) + len(TYPES)
    return [(each.definition, theirs[each.oid]) for each in ours if each.definition != theirs[each.oid]]


def test_every_index_is_defined_as_the_server_defines_it(odd: Scratch) -> None:
    assert differing(odd) == []


def test_where_varchar_has_a_default_of_its_own_the_usual_one_has_to_be_said(odd: Scratch) -> None:
    odd.run(
        "CREATE INDEX before ON t (v)",
        "CREATE FUNCTION vlt(varchar, varchar) RETURNS bool LANGUAGE sql IMMUTABLE "
        "AS 'SELECT $1::text < $2::text'",
        "CREATE FUNCTION vcmp(varchar, varchar) RETURNS int LANGUAGE sql IMMUTABLE "
        "AS 'SELECT bttextcmp($1::text, $2::text)'",
        "CREATE OPERATOR <# (leftarg = varchar, rightarg = varchar, function = vlt)",
        "CREATE OPERATOR CLASS own DEFAULT FOR TYPE varchar USING btree AS "
        "OPERATOR 1 <# (varchar, varchar), FUNCTION 1 vcmp(varchar, varchar)",
        "CREATE INDEX after ON t (v)",
    )
    assert differing(odd) == []
    assert {each.name: each.definition for each in odd.fact(Indexes).items}["before"].endswith(
        "(v text_ops)"
    )


@pytest.mark.parametrize("version", [140000, 150000, 160000, 170000, 180000])
@pytest.mark.parametrize("query", ["indexes", "tables"])
def test_what_a_query_includes_is_in_its_text(query: str, version: int) -> None:
    text = queries.get(query, version)
    assert "-- include" not in text
    assert "AccessExclusiveLock" in text
    assert ("pg_stat_get_lastscan" in text) == (version >= 160000)
