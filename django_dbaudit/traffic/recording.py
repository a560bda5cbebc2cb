"""What happens while something is recorded: a request, or a ``with record():`` block.

All of it is counters and the keys they stand under. No queryset, request, response, parameter or row
is kept. Threads may share a recording; a count that two of them raise at once may lose one.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import weakref
from collections.abc import Iterator
from contextvars import ContextVar, Token
from typing import Any

from django_dbaudit.traffic import sql as sql_texts
from django_dbaudit.traffic import trails, units
from django_dbaudit.traffic.callsite import OTHER_PROBE, UNKNOWN, Probe, Trail, probe_of
from django_dbaudit.traffic.coroutines import awaiting_site
from django_dbaudit.traffic.lineage import Lineage, lineage_of
from django_dbaudit.traffic.params import PLAIN, are_plain
from django_dbaudit.traffic.sql import LONGEST
from django_dbaudit.traffic.units import AUTOCOMMIT, Unit, Writes

#: Of one recording: counters, querysets, executions whose parameters are compared.
MOST_TALLIES, MOST_LINEAGES, MOST_COMPARED = 5_000, 20_000, 20_000
#: Of one trail.
MOST_PROBES = 6

#: Frames from `Recording.note` to the compiler: the wrapper, ``_execute_with_wrappers``, ``execute``.
COMPILER_DEPTH = 4

_getframe = sys._getframe  # noqa: SLF001  # CPython's, and documented
_numbers = itertools.count(1)
#: The dictionary itself: a look-up of an attribute less.
_latest = trails.latest


class Tally:
    """Counters of one probe in one kind of commit unit; see `facts.QueryTraffic`. Time in seconds."""

    __slots__ = (
        "duplicates",
        "executions",
        "failures",
        "most_rows",
        "querysets",
        "rows",
        "seconds",
        "slowest",
    )  # fmt: skip

    def __init__(self) -> None:
        self.executions = self.duplicates = self.rows = self.most_rows = 0
        self.failures = self.querysets = 0
        self.seconds = self.slowest = 0.0

    def add(self, other: Tally) -> None:
        self.executions += other.executions
        self.duplicates += other.duplicates
        self.rows += other.rows
        self.seconds += other.seconds
        self.failures += other.failures
        self.querysets += other.querysets
        self.most_rows = max(self.most_rows, other.most_rows)
        self.slowest = max(self.slowest, other.slowest)


class Recording:
    """One request, or one block. It is current in the context that made it, and in its copies."""

    # Attributes of the class, and no slots: a request without queries makes one, throws it away, and pays
    # 20 ns for each bytecode on the way. So only what most requests need is set in the beginning.

    #: What it is within, if anything.
    parent: Recording | None = None
    #: Where the stack tells no phase: in a thread under ASGI, in a block.
    default_phase = ""
    #: As long as it is on its way, to see whether its view has been found.
    request: Any = None
    #: The task that serves it, weakly.
    task: weakref.ref[asyncio.Task[Any]] | None = None
    #: The answer that this recording only adds to.
    rest_of: Any = None
    #: Of a block: the `Totals` of the requests within it.
    requests: Any = None
    #: Writes so far: what is asked again after one may have another answer.
    epoch = 0
    #: Ids of the relations that were followed, and the related managers whose rows were read.
    followed: set[int] | None = None
    related_read: set[tuple[Any, str]] | None = None
    #: Objects were pickled, with all that was loaded along with them, for somebody else to use.
    has_pickled = False
    #: What was committed and rolled back, as soon as something was.
    written: Writes | None = None
    #: Of a request: when it began, in seconds, and what makes the recording before current again.
    began = 0.0
    token: Token[Recording | None] | None = None

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.is_open = True
        #: By the kind of commit unit.
        self.counted: dict[str, dict[Probe, Tally]] = {}
        #: Hashes of reads that could answer a later one.
        self.compared: set[int] | None = None
        self.lineages: list[Lineage] = []
        #: Open units by the id of their connection, which they hold.
        self.units: dict[int, Unit] = {}

    @classmethod
    def of_block(cls, parent: Recording | None, requests: Any) -> Recording:
        """Of what is done in a block, and adds up the requests within it."""
        block = cls()
        block.requests = requests
        block.default_phase = "block"
        if parent is not None:
            block.parent = parent
            # It goes on with the querysets and units of what it is in.
            block.number, block.units = parent.number, parent.units
        return block

    @property
    def is_block(self) -> bool:
        return self.requests is not None

    def note(  # noqa: C901, PLR0912, PLR0915  # one function: a call costs as much as what it would do
        self, sql: Any, params: Any, context: dict[str, Any], seconds: float, failed: bool
    ) -> None:
        """Count one execution. Called by the execute wrapper alone: depths count from here."""
        if type(sql) is not str or len(sql) > LONGEST:
            sql = sql_texts.shortened(sql)
        connection = context["connection"]
        alias = connection.alias

        # Which way it came. As the last time, as a rule: `Trail.is_here`, without the calls.
        trail = _latest.get(sql)
        if trail is not None:
            try:
                frame = _getframe(trail.depth)
                if (
                    frame.f_code is not trail.code
                    or frame.f_lasti != trail.instruction
                    or trail.alias != alias
                ):
                    trail = None
                elif trail.anchor_depth:
                    frame = _getframe(trail.anchor_depth)
                    if frame.f_code is not trail.anchor_code or (
                        trail.node_line and not trail.leads_past(frame)
                    ):
                        trail = None
            except ValueError:
                # The stack is not that deep.
                trail = None
        if trail is None:
            trail = trails.find(sql, alias) or trails.add(
                sql, alias, _getframe(1), lineage_of(_getframe(COMPILER_DEPTH), self.number)
            )
        kind = trail.kind

        # Of which queryset, and so under what it is counted.
        lineage = lineage_of(_getframe(COMPILER_DEPTH), self.number) if trail.is_orm else None
        probe = trail.probe or self._probe(trail, lineage)

        # In which commit unit.
        unit = None
        if connection.in_atomic_block:
            unit = self.units.get(id(connection)) or units.unit_of(self, connection, trail.statement)
        elif self.units or kind == "transaction" or not connection.autocommit:
            unit = units.unit_of(self, connection, trail.statement)

        # Counting. Not max(): a call takes twenty times as long as a comparison.
        unit_kind = AUTOCOMMIT if unit is None else unit.kind
        tallies = self.counted.get(unit_kind)
        tally = None if tallies is None else tallies.get(probe)
        if tally is None:
            tally = self._tally(unit_kind, probe)
        tally.executions += 1
        tally.seconds += seconds
        if seconds > tally.slowest:  # noqa: PLR1730  # as said
            tally.slowest = seconds
        if failed:
            tally.failures += 1
            if unit is not None:
                unit.has_failure = True
            return
        rows = context["cursor"].cursor.rowcount
        if rows > 0:
            tally.rows += rows
            if rows > tally.most_rows:  # noqa: PLR1730  # as said
                tally.most_rows = rows
        if lineage is not None:
            if not lineage.executions:
                tally.querysets += 1
            if rows > 0 and trail.gives_objects:
                lineage.has_rows = True
            lineage.note(trail.how, probe.phase)
        if kind == "read":
            # Plain values only: a lazy object would be evaluated, and another's __hash__ is its own code.
            if params is not None:
                if type(params) is not tuple:
                    return
                for value in params:
                    if type(value) not in PLAIN:
                        if are_plain(params):
                            break
                        return
            if lineage is not None:
                statement = trail.statement
                asked = params[statement.leading :] if params and statement.leading else params
                lineage.ask(hash((self.epoch, statement.conditions, asked)))
            question = hash((alias, sql, params))
            compared = self.compared
            if compared is None:
                self.compared = {question}
            elif question in compared:
                tally.duplicates += 1
            elif len(compared) < MOST_COMPARED:
                compared.add(question)
        elif kind == "write":
            self.compared = None
            self.epoch += 1
            if rows:
                self.writes.note(unit, probe)

    def _tally(self, unit_kind: str, probe: Probe) -> Tally:
        tallies = self.counted.setdefault(unit_kind, {})
        if len(tallies) >= MOST_TALLIES and probe not in tallies:
            probe = OTHER_PROBE
        return tallies.setdefault(probe, Tally())

    @property
    def tallies(self) -> Iterator[tuple[str, Probe, Tally]]:
        """Kind of unit, probe and counters. Of lists: threads that the view left behind may still count."""
        for kind, tallies in list(self.counted.items()):
            for probe, tally in list(tallies.items()):
                yield kind, probe, tally

    @property
    def writes(self) -> Writes:
        if self.written is None:
            self.written = Writes()
        return self.written

    def _probe(self, trail: Trail, lineage: Lineage | None) -> Probe:
        """Of a trail that does not tell all: no phase, or no line of the project."""
        phase = trail.phase or self.default_phase or self._phase()
        site = trail.site
        if site is None or not site.is_own:
            # The line that built the queryset, or that awaits the thread in which it is executed.
            built_at = None if lineage is None or not lineage.site.is_own else lineage.site
            site = built_at or awaiting_site(self.task) or site or UNKNOWN
        found = trail.probes.get((phase, site))
        if found is None:
            if len(trail.probes) >= MOST_PROBES:
                trail.probes = {}
            found = trail.probes[phase, site] = probe_of(trail, phase, site)
        return found

    def _phase(self) -> str:
        """Of a request, where the stack does not tell: a thread under ASGI, one of the view's own."""
        is_view = getattr(self.request, "resolver_match", None) is not None
        return "view" if is_view else "middleware"

    def close_units(self) -> None:
        """What is still open at the end of a block was entered before it, and is taken as committed."""
        if self.parent is None:
            for unit in self.units.values():
                self.writes.close(unit, rolled_back=unit.kind == units.MANUAL)
            self.units.clear()

    def release(self) -> None:
        """Let go of what was counted: a task or thread that the view left behind may hold this for ever."""
        self.counted, self.written = {}, None
        self.lineages, self.compared, self.units = [], None, {}
        self.followed = self.related_read = None

    def absorb(self, inner: Recording) -> None:
        """Count what a block within this one has seen as this one's own."""
        for kind, probe, tally in inner.tallies:
            self._tally(kind, probe).add(tally)
        self.lineages.extend(inner.lineages[: MOST_LINEAGES - len(self.lineages)])
        for relation in inner.followed or ():
            self.follow(relation)
        for owner, name in inner.related_read or ():
            self.read_related(owner, name)
        self.has_pickled = self.has_pickled or inner.has_pickled
        self.writes.add(inner.writes)

    def follow(self, relation: int) -> None:
        """Something followed the relation with this id."""
        if self.followed is None:
            self.followed = set()
        self.followed.add(relation)

    def read_related(self, owner: Any, name: str) -> None:
        """Rows of the related manager of this class and name were read."""
        if self.related_read is None:
            self.related_read = set()
        self.related_read.add((owner, name))


#: The recording that counts what this context does.
current: ContextVar[Recording | None] = ContextVar("django_dbaudit.traffic", default=None)


def leave(token: Token[Recording | None], recording: Recording) -> None:
    """Make current again what was before."""
    try:
        current.reset(token)
    except ValueError:
        # Another context than the one it was set in: a fixture or a stream that is closed elsewhere.
        if current.get() is recording:
            current.set(recording.parent)
