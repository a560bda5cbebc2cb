from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError

from django_dbaudit import audit
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.collations import Collation, Collations
from django_dbaudit.postgres.server import Server
from posing import judge, only
from scratch import Scratch
from versions import needs_server

RULE = "collation-version-mismatch"

DEFAULT = Collation(
    schema="pg_catalog",
    name="default",
    is_default=True,
    provider="libc",
    recorded_version="2.31",
    actual_version="2.36",
)
GERMAN = replace(DEFAULT, schema="public", name="german", is_default=False)


#: Of the providers whose collations have a version on any system, though not in any build.
LOCALES = {"builtin": "C.UTF-8", "icu": "de"}


def verdict(scratch: Scratch, *collations: Collation, **fields: Any) -> audit.Audit:
    posed = replace(scratch.fact(Server), **fields)
    outcome = judge(RULE, scratch, Collations(collations), posed)
    assert not outcome.failures, outcome.failures
    return outcome


def related(finding: Finding) -> set[str]:
    return {each.name for each in finding.related}


def text_table(scratch: Scratch, collation: str = "") -> None:
    scratch.run(f"CREATE TABLE t (id int PRIMARY KEY, a text {collation})")


def test_a_server_as_it_was_made_has_nothing_to_say(scratch: Scratch) -> None:
    text_table(scratch)
    scratch.run("CREATE INDEX t_a ON t (a)", 'CREATE INDEX t_c ON t (a COLLATE "C")')
    assert scratch.findings(RULE) == ()


@pytest.mark.parametrize(
    "own",
    [{"recorded_version": "2.36"}, {"recorded_version": None, "actual_version": None}],
    ids=["same", "C"],
)
def test_a_version_that_is_the_same_or_none_is_left_alone(scratch: Scratch, own: dict[str, Any]) -> None:
    text_table(scratch)
    scratch.run("CREATE INDEX t_a ON t (a)")
    outcome = verdict(scratch, replace(DEFAULT, **own))
    assert (outcome.findings, outcome.not_run) == ((), ())


def test_a_collation_that_no_index_sorts_by_is_left_alone(scratch: Scratch) -> None:
    text_table(scratch)
    scratch.run("CREATE INDEX t_a ON t (a)")
    assert verdict(scratch, GERMAN).findings == ()


def test_indexes_that_compare_bytes_or_numbers_are_not_named(scratch: Scratch) -> None:
    text_table(scratch)
    scratch.run(
        "CREATE INDEX t_like ON t (a text_pattern_ops)",
        "CREATE INDEX t_hash ON t USING hash (a)",
        'CREATE INDEX t_c ON t (a COLLATE "C")',
        "CREATE INDEX t_words ON t USING gin (to_tsvector('simple', a))",
        "CREATE INDEX t_radix ON t USING spgist (a)",
        "CREATE INDEX t_bloom ON t USING brin (a text_bloom_ops)",
        "CREATE EXTENSION pg_trgm",
        "CREATE INDEX t_trigrams ON t USING gin (a gin_trgm_ops)",
        "CREATE INDEX t_trigrams_too ON t USING gist (a gist_trgm_ops)",
    )
    finding = only(verdict(scratch, DEFAULT))
    assert finding.severity is Severity.INFO
    assert finding.related == ()
    assert finding.message.endswith("which now has 2.36: no index depends on it.")


def test_the_indexes_that_depend_on_the_default_collation_are_named(scratch: Scratch) -> None:
    text_table(scratch)
    scratch.run(
        "CREATE UNIQUE INDEX t_a ON t (a)",
        "CREATE INDEX t_lower ON t (id, lower(a))",
        "CREATE INDEX t_brin ON t USING brin (a)",
        "CREATE INDEX t_tags ON t USING gin (string_to_array(a, ' '))",
    )
    finding = only(verdict(scratch, DEFAULT))
    assert (finding.subject.kind, finding.subject.name) == ("database", scratch.fact(Server).database)
    assert finding.severity is Severity.ERROR
    assert related(finding) == {"public.t_a", "public.t_lower", "public.t_brin", "public.t_tags"}
    assert finding.evidence["unique_indexes"] == 1
    assert finding.message.endswith(
        "was recorded with version 2.31 of its provider (libc), which now has 2.36: "
        "4 indexes may be in the wrong order."
    )


def test_of_a_partitioned_index_the_parts_are_named(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a text) PARTITION BY HASH (a)",
        "CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "CREATE INDEX p_a ON p (a)",
    )
    assert related(only(verdict(scratch, DEFAULT))) == {"public.p0_a_idx"}


def test_many_indexes_are_rebuilt_with_the_database(scratch: Scratch) -> None:
    text_table(scratch)
    for number in range(21):
        scratch.run(f"CREATE INDEX t_{number} ON t (a)")
    finding = only(verdict(scratch, DEFAULT))
    assert (len(finding.related), finding.evidence["indexes"]) == (20, 21)
    assert finding.fix
    assert finding.fix.text.startswith("REINDEX DATABASE CONCURRENTLY ")


def test_the_index_of_an_exclusion_constraint_cannot_be_rebuilt_concurrently(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a text, EXCLUDE (a WITH =))")
    finding = only(verdict(scratch, DEFAULT))
    assert finding.fix
    scratch.run(*finding.fix.text.splitlines()[:-1])


@pytest.mark.parametrize(
    ("version", "why"),
    [(140012, "PostgreSQL 14 does not record its version"), (150004, "was never recorded")],
)
def test_a_version_that_was_not_recorded_is_told_as_not_judged(
    scratch: Scratch, version: int, why: str
) -> None:
    text_table(scratch)
    scratch.run("CREATE INDEX t_a ON t (a)")
    outcome = verdict(scratch, replace(DEFAULT, recorded_version=None), version=version)
    assert outcome.findings == ()
    (not_run,) = outcome.not_run
    assert not_run.reason.startswith("only in part: ")
    assert why in not_run.reason


def test_where_no_index_depends_on_it_that_does_not_matter(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (id int PRIMARY KEY)")
    outcome = verdict(scratch, replace(DEFAULT, recorded_version=None), version=140012)
    assert (outcome.findings, outcome.not_run) == ((), ())


# On the server itself.


def test_the_fix_leaves_nothing_to_find(scratch: Scratch) -> None:
    provider = "builtin" if scratch.fact(Server).version >= 170000 else "icu"
    try:
        scratch.run(f"CREATE COLLATION \"Ger'man\" (PROVIDER = {provider}, LOCALE = '{LOCALES[provider]}')")
    except DatabaseError as error:
        pytest.skip(f"no collation with a version: {error}")
    text_table(scratch, 'COLLATE "Ger\'man"')
    scratch.run("CREATE INDEX t_a ON t (a)", 'CREATE INDEX t_c ON t (a COLLATE "C")')
    assert scratch.findings(RULE) == ()
    scratch.run("UPDATE pg_collation SET collversion = '0.1' WHERE collname = 'Ger''man'")
    (finding,) = scratch.findings(RULE)
    assert finding.subject.name == "public.Ger'man"
    assert finding.evidence["recorded_version"] == "0.1"
    assert related(finding) == {"public.t_a"}
    assert finding.fix
    scratch.run(*finding.fix.text.splitlines())
    assert scratch.findings(RULE) == ()


@needs_server(150000)
def test_the_version_of_the_database_itself_is_compared(scratch: Scratch) -> None:
    text_table(scratch)
    scratch.run("CREATE INDEX t_a ON t (a)")
    scratch.run("UPDATE pg_database SET datcollversion = '0.1' WHERE datname = current_database()")
    (finding,) = scratch.findings(RULE)
    assert finding.subject.kind == "database"
    assert finding.evidence["recorded_version"] == "0.1"
    assert finding.fix
    if finding.evidence["actual_version"] is None:
        assert finding.fix.kind == "text"
    else:
        scratch.run(*finding.fix.text.splitlines())
        assert scratch.findings(RULE) == ()


def test_a_library_without_versions_is_another_one(scratch: Scratch) -> None:
    text_table(scratch)
    scratch.run("CREATE INDEX t_a ON t (a)")
    finding = only(verdict(scratch, replace(DEFAULT, actual_version=None)))
    assert "which now has none: 1 index may be in the wrong order" in finding.message
    assert finding.fix
    assert "dump and restore" in finding.fix.text


def test_a_collation_that_nothing_sorts_by_is_no_fact(scratch: Scratch) -> None:
    text_table(scratch)
    scratch.run("CREATE INDEX t_a ON t (a)")
    assert [each.name for each in scratch.fact(Collations).items] == ["default"]
