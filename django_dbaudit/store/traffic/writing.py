"""Adds traffic to what is there: a few statements, whatever was counted, and all of it or nothing.

Note [No deadlocks]
-------------------
Any number of processes add to the same rows at once. Each goes through the tables in the same order,
and through the rows of each by id, whatever it has counted: so one may wait for another, but never
two for each other. Pruning skips what somebody else holds.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from django_dbaudit.errors import AuditError
from django_dbaudit.store.connection import Store, Transaction, named, not_migrated
from django_dbaudit.store.traffic.room import Room
from django_dbaudit.store.traffic.rows import TABLES, Kind, Row, fields, rows_of
from django_dbaudit.traffic.facts import Traffic, ViewTraffic

#: Rows that one statement carries.
BATCH = 2_000
#: Rows that are pruned in one transaction.
PRUNED = 10_000


def write(store: Store, traffic: Traffic, day: date, room: Room) -> None:
    """Add it to what is there of this day, in UTC; an `AuditError` says why it could not be."""
    with store.writing() as transaction:
        _check(store, transaction)
        # What a crash of the server may lose is less than a worker that is killed takes along.
        transaction.run("traffic_commit")
        rows = room.fit(transaction, rows_of(traffic, day))
        for kind, by_id in rows.by_kind.items():
            # See Note [No deadlocks].
            for batch in _batches([by_id[each] for each in sorted(by_id)], day):
                transaction.change(_upsert(kind), rows=json.dumps(batch))


def prune(store: Store, today: date, days: int) -> int:
    """Delete what is older than so many days; how many rows that was. See Note [No deadlocks]."""
    before = (today - timedelta(days=days)).isoformat()
    pruned = 0
    for table in reversed([*TABLES.values()]):
        found = PRUNED
        while found == PRUNED:
            with store.writing() as transaction:
                _check(store, transaction)
                found = transaction.run("traffic_prune", table, before=before, most=PRUNED)
                pruned += found
    return pruned


def _check(store: Store, transaction: Transaction) -> None:
    (tables,) = transaction.rows("traffic_tables")
    if not tables["are_there"]:
        raise AuditError(f"Cannot write the store, {named(store.alias)}: {not_migrated(store.alias)}")


@functools.cache
def _upsert(kind: Kind) -> str:
    """How rows of this kind are added to those there: the fields themselves say how they become one."""
    totals, highest = fields(kind, "total"), fields(kind, "highest")
    counters = [*totals, *highest]
    view = [] if kind is ViewTraffic else ["view_id"]
    columns = ", ".join(["id", "identity", "day", *view, "key", *counters])
    types = ", ".join(
        ["id uuid", "identity uuid", "day date", *(f"{each} uuid" for each in view), "key jsonb"]
        + [f"{each} bigint" for each in counters]
    )
    changes = ", ".join(
        [f"{each} = t.{each} + excluded.{each}" for each in totals]
        + [f"{each} = greatest(t.{each}, excluded.{each})" for each in highest]
    )
    return (
        f"INSERT INTO {TABLES[kind]} AS t ({columns})\n"
        f"SELECT {columns} FROM json_to_recordset(%(rows)s::json) AS n ({types}) ORDER BY id\n"
        f"ON CONFLICT (id) DO UPDATE SET {changes}"
    )


def _batches(rows: Sequence[Row], day: date) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), BATCH):
        yield [
            {
                "id": str(each.id),
                "identity": str(each.identity),
                "day": day.isoformat(),
                **({"view_id": str(each.view)} if each.view else {}),
                "key": each.key,
                **each.counters,
            }
            for each in rows[start : start + BATCH]
        ]
