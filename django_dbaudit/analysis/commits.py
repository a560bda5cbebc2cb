"""In which pieces the requests to a view committed what they wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django_dbaudit import words
from django_dbaudit.analysis import call_sites
from django_dbaudit.finding import Severity
from django_dbaudit.traffic.facts import CommitTraffic, ViewTraffic, WriteUnit

#: Django's own bookkeeping: no request is in two minds because its session was saved apart.
BOOKKEEPING = frozenset({"django_session", "django_admin_log", "django_content_type", "django_migrations"})


@dataclass(frozen=True, slots=True)
class Pieces:
    """One way in which requests to a view committed in more than one piece."""

    view: ViewTraffic
    shape: CommitTraffic
    #: Those that hold more than bookkeeping, in order; a repeated one stands once.
    units: tuple[WriteUnit, ...]

    @property
    def tables(self) -> list[str]:
        return sorted({table for unit in self.units for table in unit.tables if table not in BOOKKEEPING})

    @property
    def is_all_bare(self) -> bool:
        """Each piece is one statement in autocommit."""
        return all(unit.kind == "autocommit" for unit in self.units)


def in_pieces(view: ViewTraffic) -> Iterator[Pieces]:
    """The ways in which requests to the view committed twice or more, most tables first."""
    found = []
    for shape in view.commits:
        counted = [each for each in shape.units if _counts(each)]
        # No transaction spans two databases: one piece in each is as few as there can be.
        split = {each.alias for each in counted if _is_split(each.alias, counted)}
        units = tuple(each for each in counted if each.alias in split)
        if units:
            found.append(Pieces(view, shape, units))
    yield from sorted(found, key=lambda each: (-len(each.tables), -each.shape.requests))


def _is_split(alias: str, units: list[WriteUnit]) -> bool:
    pieces = [each for each in units if each.alias == alias]
    return len(pieces) > 1 or any(each.is_repeated for each in pieces)


def _counts(unit: WriteUnit) -> bool:
    # What a middleware writes, a session or a visit, is never in the view's transaction.
    return unit.phase != "middleware" and bool(set(unit.tables) - BOOKKEEPING)


def message(ways: list[Pieces], how: str) -> str:
    """One sentence for a view, by the way that touches most tables."""
    worst, view = ways[0], ways[0].view
    pieces = max(each.shape.most_units for each in ways)
    lines = [
        f"{', '.join(unit.tables)} at {call_sites.where(unit.site)}{' in a loop' * unit.is_repeated}"
        for unit in worst.units
    ]
    return (
        f"{call_sites.name_of(view)} commits in {words.count(pieces, 'piece')}, {how}, "
        f"{call_sites.seen_in(_requests(ways), view)}: {'; then '.join(lines)}."
    )


def details(ways: list[Pieces]) -> Mapping[str, Any]:
    """What every finding about pieces has: the first write of each; a warning from two tables on."""
    worst = ways[0]
    return {
        "severity": Severity.WARNING if len(worst.tables) > 1 else Severity.INFO,
        "evidence": {
            "requests": _requests(ways),
            "view_requests": worst.view.requests,
            "most_units": max(each.shape.most_units for each in ways),
            "tables": worst.tables,
            "rolled_back": sum(each.shape.rolled_back for each in ways),
            "failed_requests": sum(each.shape.failed_requests for each in ways),
        },
        "location": call_sites.location(worst.units[0].site),
        "related": [line for unit in worst.units for line in call_sites.related(unit.site)],
    }


def _requests(ways: list[Pieces]) -> int:
    return sum(each.shape.requests for each in ways)
