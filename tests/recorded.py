"""What a test asks of recorded traffic."""

from __future__ import annotations

import inspect
from typing import Any

from django_dbaudit.traffic.facts import (
    BLOCK,
    CommitTraffic,
    QuerySetTraffic,
    QueryTraffic,
    Traffic,
    ViewTraffic,
    WriteUnit,
)
from django_dbaudit.traffic.recorder import Recorded


def here(offset: int = 0) -> int:
    """The line that calls this, or the one that many lines below."""
    frame = inspect.currentframe()
    assert frame
    assert frame.f_back
    return frame.f_back.f_lineno + offset


def view(recorded: Recorded | Traffic, name: str = BLOCK) -> ViewTraffic:
    """The one view of this name."""
    traffic = recorded.facts if isinstance(recorded, Recorded) else recorded
    (found,) = (each for each in traffic.views if each.view == name)
    return found


def queries(recorded: Recorded | ViewTraffic, **fields: Any) -> list[QueryTraffic]:
    """Those that have all of these."""
    found = recorded if isinstance(recorded, ViewTraffic) else view(recorded)
    return [each for each in found.queries if all(getattr(each, k) == v for k, v in fields.items())]


def query(recorded: Recorded | ViewTraffic, **fields: Any) -> QueryTraffic:
    """The only one that has all of these."""
    found = queries(recorded, **fields)
    assert len(found) == 1, found
    return found[0]


def querysets(recorded: Recorded | ViewTraffic) -> list[QuerySetTraffic]:
    found = recorded if isinstance(recorded, ViewTraffic) else view(recorded)
    return list(found.querysets)


def queryset(recorded: Recorded | ViewTraffic) -> QuerySetTraffic:
    (found,) = querysets(recorded)
    return found


def commits(recorded: Recorded | ViewTraffic) -> CommitTraffic:
    found = recorded if isinstance(recorded, ViewTraffic) else view(recorded)
    (only,) = found.commits
    return only


def units(recorded: Recorded | ViewTraffic) -> tuple[WriteUnit, ...]:
    """What was committed."""
    found = recorded if isinstance(recorded, ViewTraffic) else view(recorded)
    return commits(found).units if found.commits else ()


def kinds(recorded: Recorded | ViewTraffic) -> list[str]:
    return [unit.kind for unit in units(recorded)]
