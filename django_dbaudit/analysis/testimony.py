"""What requests to a view were seen to commit: what reading its code says is held against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django_dbaudit import words
from django_dbaudit.analysis.commits import BOOKKEEPING, Pieces, in_pieces
from django_dbaudit.derived import DerivedFact
from django_dbaudit.finding import Evidence
from django_dbaudit.project.views import View
from django_dbaudit.traffic.facts import CommitTraffic, Traffic, ViewTraffic, WriteUnit

#: Phases of a request that are no view's: what a middleware writes, and what runs once all is sent.
ELSEWHERE = frozenset({"middleware", "after-response"})
CONFIRMED, NOT_SEEN, NEVER_REQUESTED = "confirmed", "not-seen", "never-requested"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one view was seen to do when asked by one method, all its routes together."""

    requests: int = 0
    #: Ways in which it committed in more than one piece, the most tables first.
    ways: tuple[Pieces, ...] = ()
    #: Every unit that it committed, bookkeeping left out.
    units: tuple[WriteUnit, ...] = ()

    @property
    def requests_in_pieces(self) -> int:
        return sum(each.shape.requests for each in self.ways)

    @property
    def last_day(self) -> str:
        """The last day, in UTC, on which it committed in pieces; empty where no day was kept."""
        return max((each.shape.last_day for each in self.ways), default="")

    @property
    def tables(self) -> tuple[str, ...]:
        """Those that it wrote in pieces."""
        return tuple(dict.fromkeys(table for each in self.ways for table in each.tables))

    @property
    def word(self) -> str:
        """What it says to the claim that the view commits in pieces."""
        if self.ways:
            return CONFIRMED
        return NOT_SEEN if self.requests else NEVER_REQUESTED

    @property
    def sentence(self) -> str:
        """The same for a reader, with the numbers."""
        if self.word == NEVER_REQUESTED:
            return "It was never requested while traffic was recorded."
        if self.word == NOT_SEEN:
            return f"Not seen in {words.count(self.requests, 'recorded request')}."
        last = f", last on {self.last_day}" if self.last_day else ""
        return (
            f"Confirmed: seen in {self.requests_in_pieces:,} of "
            f"{words.count(self.requests, 'recorded request')}{last} ({', '.join(self.tables)})."
        )

    @property
    def evidence(self) -> Evidence:
        return {
            "traffic": self.word,
            "traffic_requests": self.requests,
            "traffic_requests_in_pieces": self.requests_in_pieces,
            "traffic_last_day": self.last_day or None,
            "traffic_tables": list(self.tables),
        }


class Testimony(DerivedFact):
    """Traffic by view and method, as the code's views are named."""

    def __init__(self, traffic: Traffic) -> None:
        self._by_name: defaultdict[tuple[str, str], list[ViewTraffic]] = defaultdict(list)
        for each in traffic.views:
            self._by_name[each.view, each.method].append(each)

    def about(self, view: View) -> Seen | None:
        """The same, to be told; None where nothing at all was recorded, and nothing is said of any view."""
        return self.of(view) if self._by_name else None

    def of(self, view: View) -> Seen:
        """What is known of this view and method."""
        several = [*self._by_name.get((view.name, view.method), ())]
        if view.method == "GET":
            # Django answers HEAD by what answers GET, and a view of which that is not so is rare.
            several += self._by_name.get((view.name, "HEAD"), ())
        ways = [pieces for each in several for pieces in in_pieces(each)]
        return Seen(
            sum(each.requests for each in several),
            tuple(sorted(ways, key=lambda each: (-len(each.tables), -each.shape.requests))),
            tuple(dict.fromkeys(_units(shape for each in several for shape in each.commits))),
        )


def _units(shapes: Iterable[CommitTraffic]) -> Iterator[WriteUnit]:
    for shape in shapes:
        for unit in shape.units:
            if unit.phase not in ELSEWHERE and not BOOKKEEPING.issuperset(unit.tables):
                yield unit
