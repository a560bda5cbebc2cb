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
        told = {trap.name: scoring.mistakes(schema, trap) for trap in schema.traps}
        rows: list[tuple[str, tuple[int, ...]]] = []
        for family, traps in FAMILIES.items():
            there = [trap for trap in traps if trap.name in told]
            kinds = Counter(mistake.kind for trap in there for mistake in told[trap.name])
            things = sum(len(schema.things_of(trap)) for trap in there)
            spoiled = {(trap.name, mistake.thing) for trap in there for mistake in told[trap.name]}
            counts = (
                len(there),
                sum(len(schema.indexes_of(trap)) for trap in there),
                sum(len(trap.expect) for trap in there),
                things - len(spoiled),
                kinds[scoring.WRONG],
                kinds[scoring.MISSED],
                kinds[scoring.FALSE_ALARM],
            )
            rows.append((family, counts))
        rows.append(("all", tuple(map(sum, zip(*(counts for _, counts in rows), strict=True)))))
        _print_table(rows)
        for trap in schema.traps:
            for mistake in told[trap.name]:
                print(f"{trap}: {mistake}\n    {trap.why}")
        return int(any(told.values()))


def _print_table(rows: list[tuple[str, tuple[int, ...]]]) -> None:
    print("".join(f"{title:>14}" if title else f"{title:20}" for title in HEAD))
    for family, counts in rows:
        print(f"{family:20}" + "".join(f"{count:14,}" for count in counts))


if __name__ == "__main__":
    sys.exit(main())
