"""Which parameters may be hashed, to tell whether two executions had the same, without touching them."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

#: Types whose hash is nobody else's code; those of the driver are added when they are first seen.
PLAIN: set[type] = {
    bool, bytes, dt.date, dt.datetime, dt.time, dt.timedelta, decimal.Decimal, float, int, str, type(None),
    uuid.UUID,
}  # fmt: skip
#: psycopg's own numbers, such as ``Int4``; told by where they are from, without importing psycopg.
_DRIVER = "psycopg."


def are_plain(values: tuple[Any, ...]) -> bool:
    """Of values of which some have a type that is not in `PLAIN` yet."""
    for kind in map(type, values):
        if kind not in PLAIN:
            if not (kind.__module__.startswith(_DRIVER) and issubclass(kind, (int, float, str))):
                return False
            PLAIN.add(kind)
    return True
