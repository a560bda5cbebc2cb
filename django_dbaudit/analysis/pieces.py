"""Views that commit in pieces, and which rule says it best: each view and method is told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django_dbaudit.analysis import atomic_fix, verdicts
from django_dbaudit.analysis.commit_units import Unit, Way, count, worst_way
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.analysis.testimony import Seen, Testimony
from django_dbaudit.analysis.verdicts import Verdict, Verdicts
from django_dbaudit.derived import DerivedFact
from django_dbaudit.finding import Related, Severity, Subject
from django_dbaudit.project.effects.facts import ViewEffects
from django_dbaudit.project.effects.tree import Call, Write
from django_dbaudit.project.views import View

#: Pieces that a message names; the rest is in ``related``.
NAMED = 4
#: Methods of rows, forms and serializers that a reader takes for one write.
SAVERS = frozenset({"save", "create", "update", "delete", "save_m2m", "save_model", "save_related"})

Ways = Mapping[int, Sequence[tuple[Call, ...]]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A view that commits in pieces on its worst way."""

    effects: ViewEffects
    verdict: Verdict
    #: The units that hold more than the bookkeeping of frameworks.
    own: tuple[Unit, ...]
    #: The name of the rule that tells it.
    rule: str
    #: What its requests were seen to do; None where nothing was recorded.
    seen: Seen | None = None

    @property
    def name(self) -> str:
        return f"{self.effects.view.name} ({self.effects.view.method})"

    @property
    def subject(self) -> Subject:
        return Subject("view", self.effects.view.name, method=self.effects.view.method)

    @property
    def number(self) -> str:
        """``3 pieces``."""
        if self.verdict.max_units is None:
            return "as many pieces as a loop has rounds"
        return f"{self.verdict.max_units} pieces"

    @property
    def named(self) -> str:
        """``insert orders_order, then update stock_item (in a loop)``."""
        units = self.verdict.way.units
        names = [_named(unit) for unit in units[:NAMED]]
        return ", then ".join(names) + (", and more" if len(units) > NAMED else "")

    def told(self, text: str) -> str:
        """The text, and what traffic says to it."""
        return f"{text} {self.seen.sentence}" if self.seen else text

    def details(self) -> Mapping[str, Any]:
        """What every finding about pieces has; a warning from two tables of the project's on."""
        view, units = self.effects.view, self.verdict.way.units
        is_over_several = len(self.own) > 1 and len(self.verdict.tables) > 1
        return {
            "severity": Severity.WARNING if is_over_several else Severity.INFO,
            "evidence": {
                "max_units": self.verdict.max_units,
                "tables": list(self.verdict.tables),
                "routes": list(view.routes),
                "unresolved_calls": len(self.verdict.unresolved),
                **(self.seen.evidence if self.seen else {}),
            },
            "location": view.location,
            "related": [related(unit) for unit in units],
            "fix": atomic_fix.fix(self.effects, self.own if len(self.own) > 1 else units),
        }


def _named(unit: Unit) -> str:
    first = unit.writes[0]
    more = f" and {len(unit.tables) - 1} more" if len(unit.tables) > 1 else ""
    table = first.table or "a table that is not known"
    return f"{first.statement} {table}{more}{' (in a loop)' * unit.repeats}"


def related(unit: Unit) -> Related:
    """The first write of a unit."""
    first = unit.writes[0]
    return Related("write", f"{first.how} of {first.model or first.table}", first.location)


class ViewPieces(DerivedFact):
    """Every view that commits in pieces."""

    __slots__ = ("items",)

    def __init__(self, steps: ViewSteps, judged: Verdicts, testimony: Testimony) -> None:
        self.items = tuple(_of_all(steps, judged, testimony))

    def told_by(self, rule: str) -> Iterator[Pieces]:
        """Those that this rule tells."""
        return (each for each in self.items if each.rule == rule)


def _of_all(steps: ViewSteps, judged: Verdicts, testimony: Testimony) -> Iterator[Pieces]:
    for (effects, found), (_, whole) in zip(steps.items, judged.items, strict=True):
        verdict = _of_actions(whole, found) if _is_changelist(effects.view) else whole
        if verdict.word not in (verdicts.SPLIT, verdicts.MIXED):
            continue
        own = tuple(unit for unit in verdict.way.units if verdicts.own_tables(unit))
        # What a streamed response writes is told by a rule of its own, and no block could hold it.
        held = tuple(unit for unit in own if unit.when != "streaming")
        if not held or verdicts.count_of(verdict, without="streaming") < 2:
            continue
        ways: dict[int, list[tuple[Call, ...]]] = {}
        for step in found:
            if isinstance(step.node, Write):
                ways.setdefault(id(step.node), []).append(step.calls)
        rule = _rule(effects, verdict, held, ways)
        if rule and _is_ours(effects, held, ways):
            yield Pieces(effects, verdict, held, rule, testimony.about(effects.view))


def _is_changelist(view: View) -> bool:
    return view.kind == "admin" and view.name.endswith(".changelist_view")


def _of_actions(verdict: Verdict, steps: Iterable[Step]) -> Verdict:
    """The worst of the project's own actions; of Django's, only entries in the admin's log stand apart."""
    own = [
        step.node
        for step in steps
        if isinstance(step.node, Call)
        and step.node.origin == "project"
        and not step.blocks
        and not any(call.origin == "project" for call in step.calls)
    ]
    way = max(map(worst_way, own), key=lambda way: way.rank, default=Way())
    most = max(way.most, count(way.units))
    return replace(
        verdict,
        way=way,
        word=verdicts.SPLIT if count(unit for unit in way.units if verdicts.own_tables(unit)) > 1 else "",
        max_units=None if most == float("inf") else int(most),
    )


def _is_ours(effects: ViewEffects, units: Sequence[Unit], ways: Ways) -> bool:
    """Whether code of the project's takes part; the class of an admin is ours, its pages are mostly not."""
    if not effects.view.is_third_party and effects.view.kind != "admin":
        return True
    return any(
        call.origin == "project"
        for unit in units
        for way in ways.get(id(unit.writes[0]), ())
        for call in way
    ) or any(write.origin == "project" for unit in units for write in unit.writes)


def _rule(effects: ViewEffects, verdict: Verdict, own: tuple[Unit, ...], ways: Ways) -> str:
    view = effects.view
    if view.is_async:
        return "async-view-writes"
    if verdict.word == verdicts.MIXED:
        return "partly-covered-view"
    if _is_changelist(view):
        return "admin-action-not-atomic"
    if all(unit.repeats for unit in own):
        return "write-loop"
    if _is_multi_table_update(own):
        return "multi-table-update"
    if len(own) > 1 and sum(not _is_received(unit, ways) for unit in own) <= 1:
        return "receiver-writes"
    if len(own) > 1 and _is_hidden(effects, own, ways):
        return "hidden-second-write"
    return "split-writes"


def _is_multi_table_update(own: Sequence[Unit]) -> bool:
    writes = [write for unit in own for write in unit.writes]
    return (
        len(writes) > 1
        and all(write.how == "QuerySet.update" for write in writes)
        and len({write.location for write in writes}) == 1
        and len({write.table for write in writes}) == len(writes)
    )


def _is_received(unit: Unit, ways: Ways) -> bool:
    return all(any(call.receives for call in way) for way in ways.get(id(unit.writes[0]), ((),)))


def _is_hidden(effects: ViewEffects, own: Sequence[Unit], ways: Ways) -> bool:
    """Whether the view reads as if it wrote once: all pieces come from one ``save()`` or its like."""
    found = [ways.get(id(unit.writes[0]), ((),))[0] for unit in own]
    shared = verdicts.shared_calls(found)
    is_one_line = len({unit.writes[0].location for unit in own}) == 1
    if is_one_line and all(len(way) == len(shared) for way in found):
        return True
    if not shared:
        return False
    owner, _, method = shared[-1].name.rpartition(".")
    # The view itself, or its handler, is there to be read.
    is_view = effects.view.name.partition("#")[0] in (owner, shared[-1].name)
    return method in SAVERS and not is_view
