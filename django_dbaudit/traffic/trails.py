"""The ways that texts came by, kept so that the next execution need not walk up the stack."""

from __future__ import annotations

import sys
from types import FrameType

from django_dbaudit.traffic import callsite, frames
from django_dbaudit.traffic.budget import Budget
from django_dbaudit.traffic.callsite import Trail, walk
from django_dbaudit.traffic.lineage import Lineage
from django_dbaudit.traffic.sql import parse

#: Ways that are kept of one text. To look whether it is one of them takes a tenth of a microsecond each,
#: a walk takes five.
MOST_TRAILS = 12
#: What a trail takes, and a text with what was read from it, besides the characters.
TRAIL_BYTES, TEXT_BYTES = 450, 500

#: By text: the way it came by the last time, and all that are kept. Those of a text have one `Statement`.
latest: dict[str, Trail] = {}
_known: dict[str, tuple[Trail, ...]] = {}
budget = Budget(2_000_000, latest, _known)


def find(sql: str, alias: str) -> Trail | None:
    """The way by which the text comes now, if it is known.

    Called by `Recording.note`, from which depths count.
    """
    for trail in _known.get(sql, ()):
        if trail.is_here(alias):
            latest[sql] = trail
            return trail
    return None


def add(sql: str, alias: str, frame: FrameType, lineage: Lineage | None) -> Trail:
    """Walk up from ``frame``, which is at depth 1, and keep what is found."""
    others = _known.get(sql, ())
    statement = others[0].statement if others else parse(sql)
    trail = walk(frame, alias, statement, lineage.relation if lineage is not None else "")
    size = TRAIL_BYTES if len(others) < MOST_TRAILS else 0
    if not others:
        size += TEXT_BYTES + sys.getsizeof(sql) + sys.getsizeof(statement.fingerprint)
    budget.spend(size)
    latest[sql] = trail
    _known[sql] = (trail, *others[: MOST_TRAILS - 1])
    return trail


def forget() -> None:
    """Look anew at every way: the setting of what is the project's has changed."""
    frames.forget()
    callsite.forget()
    budget.clear()
