"""How much a day may hold: a project whose SQL is never twice the same must not fill our tables."""

from __future__ import annotations

from uuid import UUID

from django_dbaudit.store.connection import Transaction
from django_dbaudit.store.traffic.rows import OTHERS, TABLES, Kind, Row, Rows

#: Rows of a day in each table. What finds no room is counted in a row of its view named `facts.OTHER`.
MOST_ROWS = 20_000


class Room:
    """What one process knows of the rows that are there already; it asks only about others."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self.most_rows = most_rows
        self._known: set[UUID] = set()

    def fit(self, transaction: Transaction, rows: Rows) -> Rows:
        """The rows as they may be written: with some of them in `facts.OTHER`, where it is full."""
        fitting = Rows(rows.day)
        views: dict[UUID | None, Row] = {}
        for kind in TABLES:
            full = self._without_room(transaction, kind, rows)
            for row in rows.by_kind[kind].values():
                self._put(fitting, kind, row, views, fits=row.id not in full)
        self._remember(fitting)
        return fitting

    def _put(
        self, fitting: Rows, kind: Kind, row: Row, views: dict[UUID | None, Row], *, fits: bool
    ) -> None:
        view = views.get(row.view)
        if fits and (view is None or view.id == row.view):
            placed = fitting.put(kind, row)
        elif kind in OTHERS:
            placed = fitting.add(OTHERS[kind], view)
            # As put() does it for a row of the same id.
            fitting.put(kind, Row(placed.id, placed.identity, placed.key, placed.view, row.counters))
        else:
            return
        if row.view is None:
            views[row.id] = placed

    def _without_room(self, transaction: Transaction, kind: Kind, rows: Rows) -> set[UUID]:
        unknown = rows.by_kind[kind].keys() - self._known
        if not unknown:
            return set()
        ids, day = list(map(str, unknown)), rows.day.isoformat()
        found = transaction.rows("traffic_there", TABLES[kind], ids=ids, day=day)
        there = {UUID(each["id"]) for each in found if each["id"]}
        taken = found[0]["taken"]
        new = sorted(unknown - there)
        return set(new[max(0, self.most_rows - taken) :])

    def _remember(self, rows: Rows) -> None:
        ids = {each for kind in rows.by_kind.values() for each in kind}
        if len(self._known | ids) > self.most_rows * len(TABLES):
            self._known.clear()
        self._known |= ids
