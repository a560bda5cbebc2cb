"""How a view stands with its transactions, in one word, and how much would be lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django_dbaudit.analysis.commit_units import Unit, Way, count, worst_way
from django_dbaudit.derived import DerivedFact
from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.facts import Effects, ViewEffects
from django_dbaudit.project.effects.tree import Call, Node, Unresolved, Write

#: Blocks that somebody wrote, or asked for by a setting; Django's own hold one call alone.
WRITTEN = ("project", "package", "request")

#: Rows that the frameworks keep for themselves: half of them is no harm.
BOOKKEEPING_MODELS = frozenset({"sessions.Session", "admin.LogEntry", "contenttypes.ContentType"})
BOOKKEEPING_APPS = frozenset(
    {"axes", "silk", "easyaudit", "auditlog", "defender", "simple_history", "reversion"}
)

READS_ONLY, ONE_UNIT, PROTECTED = "reads-only", "one-unit", "protected"
SPLIT, MIXED, UNRESOLVED = "split", "mixed", "unresolved"
VERDICTS = (SPLIT, MIXED, UNRESOLVED, PROTECTED, ONE_UNIT, READS_ONLY)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one view and method."""

    word: str
    #: The most units of any way through it; None where a loop makes them.
    max_units: int | None
    #: The worst way.
    way: Way
    writes: tuple[Write, ...]
    #: Calls that may write, for all we know: those outside every block.
    unresolved: tuple[Unresolved, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables in different units of the worst way, bookkeeping left out."""
        return tuple(dict.fromkeys(table for unit in self.way.units for table in own_tables(unit)))


class Verdicts(DerivedFact):
    """The verdict on each view and method, in their order."""

    __slots__ = ("items",)

    def __init__(self, effects: Effects) -> None:
        self.items = tuple((each, judge(each)) for each in effects.items)


def judge(view: ViewEffects) -> Verdict:
    """Judge one view by its tree."""
    writes = tuple(each for each in tree.walk(view.body) if isinstance(each, Write))
    unresolved = tuple(dict.fromkeys(_outside(view.body)))
    way = worst_way(view.body)
    most = max(way.most, count(way.units))
    max_units = None if most == float("inf") else int(most)
    return Verdict(_word(view.body, way, writes, unresolved), max_units, way, writes, unresolved)


def _word(body: Node, way: Way, writes: tuple[Write, ...], unresolved: tuple[Unresolved, ...]) -> str:
    if most_on_one_alias(way) > 1:
        guards = {unit.guard in WRITTEN for unit in way.units}
        return SPLIT if guards == {False} else MIXED
    if unresolved:
        return UNRESOLVED
    if not writes:
        return READS_ONLY
    return PROTECTED if _all_in_blocks(body) else ONE_UNIT


def count_of(verdict: Verdict, without: str) -> float:
    """The units of the worst way but for those that run at this time."""
    return count(unit for unit in verdict.way.units if unit.when != without)


def most_on_one_alias(way: Way) -> float:
    """Units on different aliases cannot be made one: each alias counts for itself."""
    aliases: set[str | None] = {unit.alias for unit in way.units if unit.alias is not None}
    return max(
        count(unit for unit in way.units if unit.alias in (alias, None)) for alias in aliases or {None}
    )


def _outside(node: Node) -> Iterator[Unresolved]:
    """Unresolved calls that no written block holds together with the rest."""
    if isinstance(node, Unresolved):
        yield node
    elif not (isinstance(node, tree.Atomic) and node.origin in WRITTEN and not node.wraps):
        for child in tree.children(node):
            yield from _outside(child)


def _all_in_blocks(node: Node) -> bool:
    if isinstance(node, Write):
        return False
    if isinstance(node, tree.Atomic) and node.origin in WRITTEN and not node.wraps:
        return True
    return all(_all_in_blocks(child) for child in tree.children(node))


def is_bookkeeping(write: Write) -> bool:
    """Whether it writes what a framework keeps for itself: sessions, the admin's log, last_login."""
    return (
        write.model in BOOKKEEPING_MODELS
        or write.model.partition(".")[0] in BOOKKEEPING_APPS
        or write.fields == ("last_login",)
        or write.how.startswith(("cache.", "session."))
    )


def own_tables(unit: Unit) -> tuple[str, ...]:
    """The tables that the unit writes to for the project's sake."""
    found = (write.table or write.model for write in unit.writes if not is_bookkeeping(write))
    return tuple(dict.fromkeys(found))


def way_to(body: Node, write: Write) -> tuple[Call, ...]:
    """The calls from the view down to a write; empty if it stands in none."""
    return _way_to(body, write) or ()


def shared_calls(ways: Iterable[Sequence[Call]]) -> tuple[Call, ...]:
    """The calls that all ways begin with."""
    shared: list[Call] = []
    for calls in zip(*ways, strict=False):
        if any(each is not calls[0] for each in calls):
            break
        shared.append(calls[0])
    return tuple(shared)


def _way_to(node: Node, write: Write) -> tuple[Call, ...] | None:
    if node is write:
        return ()
    for child in tree.children(node):
        found = _way_to(child, write)
        if found is not None:
            return (node, *found) if isinstance(node, Call) else found
    return None
