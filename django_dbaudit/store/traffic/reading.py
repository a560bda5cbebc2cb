"""Traffic as it is kept: five queries, whatever is there, added up over the days by the server."""

from __future__ import annotations

import functools
from collections import defaultdict
from datetime import date
from typing import Any

from django_dbaudit.codec import decode
from django_dbaudit.conf import Config
from django_dbaudit.errors import AuditError
from django_dbaudit.store.connection import Store, Transaction, named, not_migrated
from django_dbaudit.store.traffic.rows import PARTS, TABLES, Kind, fields
from django_dbaudit.traffic.facts import Traffic, ViewTraffic

HOW = (
    "put 'django_dbaudit.traffic.middleware.TrafficMiddleware' first in MIDDLEWARE, run migrate, "
    "and use the site for a while"
)


def read(config: Config, since: date | None = None) -> Traffic:
    """What was recorded from this day on, in UTC; an `AuditError` says why there is nothing."""
    with Store(config) as store, store.reading() as transaction:
        (tables,) = transaction.rows("traffic_tables")
        if not tables["are_there"]:
            raise AuditError(
                f"No traffic was recorded yet in {named(store.alias)}: {not_migrated(store.alias)}"
            )
        found = read_rows(transaction, since)
    if not found.views:
        from_then = f" since {since}" if since else " yet"
        raise AuditError(f"No traffic was recorded{from_then} in {named(store.alias)}: {HOW}.")
    return found


def read_rows(transaction: Transaction, since: date | None) -> Traffic:
    first = (since or date.min).isoformat()
    parts: defaultdict[str, dict[str, list[Any]]] = defaultdict(dict)
    for kind, name in PARTS.items():
        for row in transaction.select(_query(kind), since=first):
            record = decode(kind, {**row["key"], **row["counters"]})
            parts[row["view"]].setdefault(name, []).append(record)
    views = [
        decode(ViewTraffic, {**row["key"], **row["counters"]} | _tuples(parts[row["view"]]))
        for row in transaction.select(_query(ViewTraffic), since=first)
    ]
    return Traffic(tuple(sorted(views, key=lambda each: (each.view, each.method, each.route))))


def _tuples(parts: dict[str, list[Any]]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(found) for name, found in parts.items()}


@functools.cache
def _query(kind: Kind) -> str:
    """The sums over the days, each under the identity of its view."""
    sums = [f"'{each}', sum(t.{each})::bigint" for each in fields(kind, "total")]
    tops = [f"'{each}', max(t.{each})" for each in fields(kind, "highest")]
    days = [f"'{each}', max(t.day)::text" for each in fields(kind, "latest")]
    source, view = f"{TABLES[kind]} AS t", "t.identity"
    if kind is not ViewTraffic:
        source += f" JOIN {TABLES[ViewTraffic]} AS v ON v.id = t.view_id"
        view = "v.identity"
    # The key is the same on all days; there is no min() of jsonb.
    return (
        f"SELECT {view} AS view, (array_agg(t.key))[1] AS key, "
        f"json_build_object({', '.join([*sums, *tops, *days])}) AS counters\n"
        f"FROM {source} WHERE t.day >= %(since)s::date GROUP BY t.identity, {view}"
    )
