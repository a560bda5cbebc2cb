"""Statements on record, as though they took up much of every day, and what is advised for them."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import pytest

from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.finding import Finding
from django_dbaudit.postgres.plans import StatementPlans
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.rule import get_rule
from posing import only
from scratch import Scratch
from versions import server_connection

#: Milliseconds.
HOUR = 3_600_000.0
ROWS = 20_000
#: A thousand customers with twenty orders each, in no order of theirs.
TABLE = (
    """CREATE TABLE sale (
        id bigserial PRIMARY KEY,
        customer int NOT NULL,
        code varchar(40) NOT NULL,
        place text COLLATE "C",
        status varchar(10) NOT NULL,
        is_open boolean NOT NULL,
        paid_at timestamp,
        made_at timestamptz NOT NULL,
        price numeric NOT NULL,
        tags int[] NOT NULL,
        notes jsonb NOT NULL
    )""",
    """INSERT INTO sale (customer, code, place, status, is_open, paid_at, made_at, price, tags, notes)
        SELECT (i * 7919) % 1000, md5(i::text), md5((i * 3)::text),
            (ARRAY['done', 'sent', 'late'])[1 + i % 3], i % 100 = 0,
            CASE WHEN i % 50 <> 0 THEN timestamp '2026-01-01' + i * interval '1 min' END,
            timestamptz '2026-01-01' + i * interval '1 min', (i * 31) % 2000, ARRAY[i % 900, i % 800],
            jsonb_build_object('k', i % 900)
        FROM generate_series(1, 20000) AS i""",
    "VACUUM ANALYZE sale",
)


@functools.cache
def available() -> frozenset[str]:
    """Extensions that the server has files for, less those that it was not started with."""
    with server_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_available_extensions")
        found = {name for (name,) in cursor.fetchall()}
        cursor.execute("SHOW shared_preload_libraries")
        preloaded = cursor.fetchone()[0]
    return frozenset(found if "pg_stat_statements" in preloaded else found - {"pg_stat_statements"})


def needs(*extensions: str) -> pytest.MarkDecorator:
    missing = sorted({"pg_stat_statements", *extensions} - available())
    return pytest.mark.skipif(bool(missing), reason=f"the server has no {', '.join(missing)}")


def can_hide() -> bool:
    """Whether the server's HypoPG is 1.4 or newer."""
    with server_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'hypopg'")
        row = cursor.fetchone()
    return row is not None and tuple(map(int, row[0].split("."))) >= (1, 4)


def record(scratch: Scratch, *statements: str) -> None:
    """Have the statements on record, and nothing but them."""
    # Of this database alone: other tests have theirs on the same server.
    mine = "SELECT oid FROM pg_database WHERE datname = current_database()"
    scratch.run(f"SELECT pg_stat_statements_reset(0, ({mine}), 0)", *statements)


def prepare(scratch: Scratch, *extensions: str) -> Scratch:
    for extension in ("pg_stat_statements", *extensions):
        scratch.run(f"CREATE EXTENSION {extension}")
    scratch.run(*TABLE)
    return scratch


def plans(scratch: Scratch) -> StatementPlans:
    found = scratch.fact(StatementPlans)
    assert isinstance(found, StatementPlans)
    return found


def advised(scratch: Scratch, *, written: int = 0, **thresholds: Any) -> audit.Audit:
    """What the rule says if each statement on record takes an hour a day, and so many rows are written."""
    rules = [get_rule("missing-index")]
    (seen,) = facts.gather([scratch.alias], audit.needed_facts(rules), Config()).aliases
    asked, tables = seen.get(StatementPlans), seen.get(Tables)
    assert isinstance(asked, StatementPlans), asked
    known = {
        **seen.known,
        StatementPlans: replace(asked, items=tuple(replace(each, ms_per_day=HOUR) for each in asked.items)),
        Tables: Tables(tuple(_busy(each, written) for each in tables.items)),
    }
    found = audit.run(rules, facts.Facts((replace(seen, known=known),)), Thresholds(**thresholds))
    assert not found.failures, found.failures
    return found


def _busy(table: Table, written: int) -> Table:
    # The server's own count of rows comes late.
    rows = ROWS if table.name == "sale" else table.rows
    return replace(table, rows=rows, rows_inserted=written, rows_updated=0)


def targets(scratch: Scratch, *statements: str, **thresholds: Any) -> list[str]:
    """The indexes that are advised for these statements: what follows USING."""
    record(scratch, *statements)
    found = advised(scratch, **thresholds)
    assert not [each.reason for each in found.not_run], found.not_run
    return [str(each.evidence["index"]) for each in found.findings]


def the_one(scratch: Scratch, *statements: str, **thresholds: Any) -> Finding:
    record(scratch, *statements)
    return only(advised(scratch, **thresholds))
