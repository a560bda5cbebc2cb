"""The score of an audit on the trap schema, family by family.

    python tests/traps/score.py

It starts a server of its own; ``DBAUDIT_PG_BIN=/usr/lib/postgresql/16/bin`` says of which version. What
is counted are the things that could be named: indexes, tables, sequences and foreign keys.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "testproject"), str(ROOT / "tests")]

import django  # noqa: E402  # what it needs lies on the path above

import postgres_server  # noqa: E402  # lies in the shop

HEAD = ("", "traps", "indexes", "to be named", "right", "wrong", "missed", "false alarms")


def main() -> int:
    """Print the table, then what went wrong; the exit status is 1 if anything did."""
    with postgres_server.temporary() as server:
        os.environ["DATABASE_URL"] = server.url("shop")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
        django.setup()
        print(f"PostgreSQL {server.version}")
        return _scored()


def _scored() -> int:
    # Only now: what these import reads the settings.
    from scratch import admin
    from traps import FAMILIES, scoring
    from traps.database import laid

    with admin() as connection, laid(connection) as schema:
        wrong = {trap: scoring.mistakes(schema, trap) for trap in schema.traps}
        rows = []
        for family, traps in FAMILIES.items():
            there = [trap for trap in traps if trap in schema.traps]
            kinds = Counter(mistake.kind for trap in there for mistake in wrong[trap])
            things = sum(len(schema.things_of(trap)) for trap in there)
            spoiled = len({(trap.name, each.thing) for trap in there for each in wrong[trap]})
            rows.append(
                (
                    family,
                    len(there),
                    sum(len(schema.indexes_of(trap)) for trap in there),
                    sum(len(trap.expect) for trap in there),
                    things - spoiled,
                    kinds[scoring.WRONG],
                    kinds[scoring.MISSED],
                    kinds[scoring.FALSE_ALARM],
                )
            )
        _print_table(rows)
        for trap, mistakes in wrong.items():
            for mistake in mistakes:
                print(f"{trap}: {mistake}\n    {trap.why}")
        return int(any(wrong.values()))


def _print_table(rows: list[tuple[str, int, int, int, int, int, int, int]]) -> None:
    total = ("all", *(sum(row[column] for row in rows) for column in range(1, len(HEAD))))  # type: ignore[arg-type,misc]  # numbers but for the first
    print("".join(f"{title:>14}" if title else f"{title:20}" for title in HEAD))
    for row in (*rows, total):
        print(f"{row[0]:20}" + "".join(f"{number:14,}" for number in row[1:]))


if __name__ == "__main__":
    sys.exit(main())
