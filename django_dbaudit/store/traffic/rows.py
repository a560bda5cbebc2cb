"""Facts as rows: each with its key as JSON, its counters, and an identity that follows from the key.

The identity is a hash, the same in every process and on every host, so that all of them add to one
row without asking who was first. A row is one day's: its id is the hash of identity and day.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

from django_dbaudit.codec import encode
from django_dbaudit.traffic.facts import (
    NOWHERE,
    OTHER,
    CommitTraffic,
    EagerLoadTraffic,
    QuerySetTraffic,
    QueryTraffic,
    Traffic,
    ViewTraffic,
)

#: A dataclass of `facts`.
Kind: TypeAlias = Any

#: The table of each kind, in the order in which they are written.
TABLES: Mapping[Kind, str] = {
    ViewTraffic: "django_dbaudit_recordedview",
    QueryTraffic: "django_dbaudit_recordedquery",
    QuerySetTraffic: "django_dbaudit_recordedqueryset",
    EagerLoadTraffic: "django_dbaudit_recordedeagerload",
    CommitTraffic: "django_dbaudit_recordedcommit",
}
#: Where a view holds its records of the other kinds.
PARTS: Mapping[Kind, str] = {
    QueryTraffic: "queries",
    QuerySetTraffic: "querysets",
    EagerLoadTraffic: "eager_loads",
    CommitTraffic: "commits",
}

#: Keys under which those are counted for which a day has no room left. Eager loads have none: a
#: sum of theirs would tell nobody anything.
OTHERS: Mapping[Kind, Any] = {
    ViewTraffic: ViewTraffic(OTHER, "", ""),
    QueryTraffic: QueryTraffic(NOWHERE, NOWHERE, OTHER, "other", (), "", "", "", "", ""),
    QuerySetTraffic: QuerySetTraffic(NOWHERE, OTHER, (), "", ""),
    CommitTraffic: CommitTraffic((), is_cut=True),
}


@dataclass(slots=True)
class Row:
    """What is to be added to a row of the table; ``view`` is the id of the view's row, of the same day."""

    id: UUID
    identity: UUID
    key: dict[str, Any]
    view: UUID | None
    counters: dict[str, int]


@functools.cache
def fields(kind: Kind, *ways: str) -> tuple[str, ...]:
    """Names of the fields that become one in these ways: see `facts`."""
    return tuple(each.name for each in dataclasses.fields(kind) if each.metadata["merge"] in ways)


class Rows:
    """The rows of a day, by table and id: what comes twice under one key is added up."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.by_kind: dict[Kind, dict[UUID, Row]] = {kind: {} for kind in TABLES}

    def add(self, record: Any, view: Row | None = None) -> Row:
        kind: Kind = type(record)
        key = {name: clean(encode(getattr(record, name))) for name in fields(kind, "key")}
        identity = _hash(TABLES[kind], key, str(view.identity) if view else "")
        row = Row(
            id=_hash(str(identity), self.day.isoformat()),
            identity=identity,
            key=key,
            view=view.id if view else None,
            counters={name: getattr(record, name) for name in fields(kind, "total", "highest")},
        )
        return self.put(kind, row)

    def put(self, kind: Kind, row: Row) -> Row:
        known = self.by_kind[kind].setdefault(row.id, row)
        if known is not row:
            for name in fields(kind, "total"):
                known.counters[name] += row.counters[name]
            for name in fields(kind, "highest"):
                known.counters[name] = max(known.counters[name], row.counters[name])
        return known


def rows_of(traffic: Traffic, day: date) -> Rows:
    """All of it. A view's row comes before those of its parts."""
    rows = Rows(day)
    for view in traffic.views:
        whole = rows.add(view)
        for part in _parts(view):
            rows.add(part, whole)
    return rows


def _parts(view: ViewTraffic) -> Iterator[Any]:
    for name in PARTS.values():
        yield from getattr(view, name)


def _hash(*parts: Any) -> UUID:
    text = json.dumps(parts, sort_keys=True)
    return UUID(bytes=hashlib.blake2b(text.encode(), digest_size=16).digest())


def clean(value: Any) -> Any:
    """Without what PostgreSQL's ``jsonb`` refuses: NUL, and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "�").encode(errors="replace").decode()
    if isinstance(value, list):
        return [clean(each) for each in value]
    if isinstance(value, dict):
        return {name: clean(each) for name, each in value.items()}
    return value
