"""Writes a snapshot of a database's indexes: one transaction, the same few statements for any number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from django_dbaudit.codec import encode
from django_dbaudit.conf import Config
from django_dbaudit.errors import AuditError
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.server import Server
from django_dbaudit.store.accumulation import advance, counting_since, covered_from, same_counters
from django_dbaudit.store.connection import Store, Transaction, named, not_migrated
from django_dbaudit.store.history import IndexHistory, IndexRecord, ServerRecord
from django_dbaudit.store.reading import key, read


@dataclass(frozen=True, slots=True)
class Written:
    """What a snapshot recorded. ``is_first`` tells a beginning, where no index is new or gone."""

    indexes: int
    new: tuple[str, ...]
    gone: tuple[str, ...]
    is_first: bool
    #: Somebody else has recorded a later look meanwhile, and nothing was written.
    is_late: bool = False


def write(store: Store, alias: str, server: Server, indexes: Sequence[Index], config: Config) -> Written:
    """Record what the counters of these indexes say; an `AuditError` says why it could not be."""
    with store.writing() as transaction:
        (tables,) = transaction.rows("tables")
        if not tables["are_there"]:
            raise AuditError(f"Cannot write the store, {named(store.alias)}: {not_migrated(store.alias)}")
        transaction.run("lock")
        history = read(transaction, alias, server)
        before = same_counters(history.servers, alias, server)
        if before is not None and before.taken_at >= server.taken_at:
            return Written(0, (), (), is_first=False, is_late=True)
        database = transaction.number("save_database", **key(alias, server))
        _save_snapshot(transaction, database, alias, server, history)
        server_id = _save_server(transaction, database, alias, server, before)
        written = _save_indexes(transaction, server_id, history, server, before, indexes)
        _prune(transaction, database, server.taken_at, config.history_days)
        return written


def _day(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).date().isoformat()


def _save_snapshot(
    transaction: Transaction, database: int, alias: str, server: Server, history: IndexHistory
) -> None:
    looks = [each.taken_at for each in history.snapshots if each.alias == alias]
    transaction.run(
        "save_snapshot",
        database=database,
        alias=alias,
        day=_day(server.taken_at),
        in_recovery=server.in_recovery,
        covered_from=covered_from(server, max(looks, default=None)),
        taken_at=server.taken_at,
    )


def _save_server(
    transaction: Transaction, database: int, alias: str, server: Server, before: ServerRecord | None
) -> int:
    values = {
        "alias": alias,
        "counting_since": counting_since(server),
        "statistics_reset_at": server.statistics_reset_at,
        "taken_at": server.taken_at,
    }
    if before is None:
        return transaction.number("add_server", database=database, **values)
    transaction.run("save_server", id=before.id, **values)
    return before.id


def _save_indexes(
    transaction: Transaction,
    server_id: int,
    history: IndexHistory,
    server: Server,
    before: ServerRecord | None,
    indexes: Sequence[Index],
) -> Written:
    records = [each for each in history.indexes if each.server_id == server_id]
    now = list(advance(records, indexes, server, before))
    known = [each for each in now if each.id]
    new = [each for each in now if not each.id]
    transaction.run("save_indexes", indexes=_json(known))
    transaction.run("add_indexes", server=server_id, indexes=_json(new))
    transaction.run("save_days", server=server_id, day=_day(server.taken_at), taken_at=server.taken_at)
    kept = {each.id for each in known}
    last = before.taken_at if before else None
    gone = [each for each in records if each.last_seen_at == last and each.id not in kept]
    return Written(
        indexes=len(now),
        new=tuple(each.qualified_name for each in new if before),
        gone=tuple(each.qualified_name for each in gone),
        is_first=before is None,
    )


def _json(records: Sequence[IndexRecord]) -> str:
    values: list[dict[str, Any]] = [encode(each) for each in records]
    return json.dumps(values)


def _prune(transaction: Transaction, database: int, now: datetime, days: int) -> None:
    before = _day(now - timedelta(days=days))
    for query in ("prune_days", "prune_indexes", "prune_snapshots", "prune_servers"):
        transaction.run(query, database=database, before=before)
