from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from django_dbaudit import audit
from django_dbaudit.finding import Severity
from django_dbaudit.postgres.column_statistics import ColumnStatistics
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from posing import judge, only
from scratch import Scratch

RULE = "low-selectivity-index"
DAYS = 10

#: ``flag`` is half and half, ``kind`` a quarter each, ``status`` nearly always the same.
TABLE = (
    """CREATE TABLE t AS
    SELECT g AS id, g % 2 = 0 AS flag, (g % 4)::text AS kind, g % 8 AS eight, g % 12 AS month,
        CASE WHEN g % 50 = 0 THEN 'open' ELSE 'done' END AS status,
        CASE WHEN g % 3 > 0 THEN g % 3 END AS maybe, CASE WHEN g % 30 > 0 THEN g % 2 END AS rarely_null,
        CASE WHEN g % 50 = 0 THEN g % 4 END AS hardly, 1 AS one
    FROM generate_series(1, 6000) AS g""",
    "ANALYZE t",
)


def verdict(
    scratch: Scratch, *posed: Any, scans: int = 3, days: float = DAYS, **fields: Any
) -> audit.Audit:
    """After ten days in which each index was read a few times."""
    real: Server = scratch.fact(Server)
    since = real.taken_at - timedelta(days=days)
    server = replace(
        real, **{"started_at": since, "counting_since": since, "statistics_reset_at": None, **fields}
    )
    indexes = Indexes(tuple(replace(each, scans=scans) for each in read(scratch)))
    outcome = judge(RULE, scratch, indexes, server, *posed, large_index_pages=2)
    assert not outcome.failures, outcome.failures
    return outcome


def read(scratch: Scratch) -> Iterable[Index]:
    return tuple(scratch.fact(Indexes).items)


def names(outcome: audit.Audit) -> list[str]:
    return [finding.subject.name for finding in outcome.findings]


@pytest.mark.parametrize(
    "index",
    [
        "UNIQUE INDEX i ON t (id)",
        "INDEX i ON t (id)",
        "INDEX i ON t (month)",
        "INDEX i ON t (rarely_null)",
        "INDEX i ON t (flag, id)",
        "INDEX i ON t (flag) INCLUDE (id)",
        "INDEX i ON t (flag) WHERE flag",
        "INDEX i ON t ((NOT flag))",
        "INDEX i ON t USING hash (kind)",
        "INDEX i ON t USING brin (eight)",
        "INDEX i ON t (hardly)",
    ],
)
def test_it_is_left_alone(scratch: Scratch, index: str) -> None:
    scratch.run(*TABLE, f"CREATE {index}")
    assert [each for each in verdict(scratch).findings if each.severity is Severity.WARNING] == []


def test_a_small_index_is_left_alone(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_flag ON t (flag)")
    small = replace(next(iter(read(scratch))), size_bytes=8192, scans=3)
    assert verdict(scratch, Indexes((small,))).findings == ()


def test_an_index_that_is_much_read_is_left_alone(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_flag ON t (flag)")
    assert verdict(scratch, scans=DAYS).findings == ()
    assert names(verdict(scratch, scans=DAYS - 1)) == ["public.t_flag"]


def test_the_index_of_a_foreign_key_is_left_alone(scratch: Scratch) -> None:
    scratch.run(
        *TABLE,
        "CREATE TABLE parent AS SELECT * FROM generate_series(0, 7) AS id",
        "ALTER TABLE parent ADD PRIMARY KEY (id)",
        "ALTER TABLE t ADD FOREIGN KEY (eight) REFERENCES parent",
        "CREATE INDEX t_eight ON t (eight)",
    )
    assert verdict(scratch).findings == ()


def a_field(kind: str) -> DeclaredIndex:
    return DeclaredIndex(
        table="t",
        names=("t_kind_0123abcd",),
        columns=("kind",),
        is_unique=False,
        kind=kind,
        model="shop.Order",
        field="kind",
        is_third_party=False,
        location=None,
    )


def test_the_index_of_a_foreign_key_without_constraint_is_left_alone(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_kind_0123abcd ON t (kind)")
    declared = DeclaredIndexes((a_field("foreign_key"),), (), ("t",))
    assert verdict(scratch, declared).findings == ()


def test_what_another_rule_would_drop_is_left_to_it(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_flag ON t (flag)", "CREATE INDEX t_flag_too ON t (flag)")
    assert names(verdict(scratch)) == ["public.t_flag"]
    assert names(verdict(scratch, days=90, scans=0)) == []
    scratch.run("DROP INDEX t_flag", "CREATE INDEX t_flag_id ON t (flag, id)")
    assert names(verdict(scratch)) == []


def test_scans_of_a_duplicate_count_for_what_takes_over(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_flag ON t (flag)", "CREATE INDEX t_flag_too ON t (flag)")
    posed = [
        replace(each, scans=5000 if each.name == "t_flag_too" else 0, last_scan=None)
        for each in read(scratch)
    ]
    assert verdict(scratch, Indexes(tuple(posed))).findings == ()


@pytest.mark.parametrize(
    ("column", "values", "rarest"),
    [("flag", 2, 0.5), ("kind", 4, 0.25), ("eight", 8, 0.125), ("maybe", 3, 0.3333), ("one", 1, 1.0)],
)
def test_values_that_are_all_common_are_named(
    scratch: Scratch, column: str, values: int, rarest: float
) -> None:
    scratch.run(*TABLE, f"CREATE INDEX i ON t ({column})")
    finding = only(verdict(scratch))
    assert finding.severity is Severity.WARNING
    assert (finding.evidence["values"], finding.evidence["rarest_share"]) == (values, rarest)


def test_the_message_says_what_the_statistics_say(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_kind ON t (kind)")
    finding = only(verdict(scratch))
    assert finding.message.startswith(
        "kind of t has only 4 values, the rarest in 25.0 % of the rows: t_kind ("
    )
    assert finding.message.endswith(") leads to too many, and was read 3 times.")
    assert finding.fix
    assert finding.fix.text == 'DROP INDEX CONCURRENTLY "public"."t_kind";'


def test_where_some_values_are_rare_a_partial_index_is_proposed(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_status ON t (status)")
    finding = only(verdict(scratch, scans=100_000))
    assert finding.severity is Severity.INFO
    assert (
        "serves the rare values of status alone, and 98.0 % of the rows of t have others" in finding.message
    )
    assert finding.fix
    assert finding.fix.text.startswith("Add a partial index WHERE status IN (…)")


def test_the_other_index_of_a_text_field_is_kept_if_it_is_read(scratch: Scratch) -> None:
    scratch.run(
        *TABLE,
        "CREATE INDEX t_kind_0123abcd ON t (kind)",
        "CREATE INDEX t_kind_0123abcd_like ON t (kind text_pattern_ops)",
    )
    like = replace(a_field("like"), names=("t_kind_0123abcd_like",))
    declared = DeclaredIndexes((a_field("db_index"), like), (), ("t",))
    assert len(verdict(scratch, declared).findings) == 2
    posed = [
        replace(each, scans=5000 if each.name.endswith("_like") else 3, last_scan=None)
        for each in read(scratch)
    ]
    finding = only(verdict(scratch, declared, Indexes(tuple(posed))))
    assert finding.subject.name == "public.t_kind_0123abcd"
    assert finding.fix
    assert 'opclasses=["text_pattern_ops"]' in finding.fix.text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"days": 3}, "LOW_SELECTIVITY_DAYS"),
        ({"in_recovery": True}, "replica"),
        ({"track_counts": False}, "track_counts"),
    ],
)
def test_too_early_to_tell(scratch: Scratch, fields: dict[str, Any], why: str) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_flag ON t (flag)")
    outcome = verdict(scratch, **fields)
    assert outcome.findings == ()
    assert why in outcome.not_run[0].reason


def test_a_column_without_statistics_is_told_and_does_not_pass(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_flag ON t (flag)")
    outcome = verdict(scratch, ColumnStatistics(()))
    assert outcome.findings == ()
    assert outcome.not_run[0].reason.startswith("only in part: public.t_flag not judged: run ANALYZE")


def test_no_value_of_a_column_is_a_fact(scratch: Scratch) -> None:
    scratch.run(*TABLE, "CREATE INDEX t_status ON t (status)")
    (seen,) = scratch.fact(ColumnStatistics).items
    assert seen.common_fractions == (0.98, 0.02)
    assert (seen.distinct, seen.null_fraction, seen.hidden) == (2.0, 0.0, None)
    assert "done" not in repr(seen)
