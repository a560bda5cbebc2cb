"""What a view commits at once: the units on each way through it, and which way has the most.

A bare statement in autocommit is a unit; everything within the outermost atomic block is one, also
where Django opens it. See ``project/effects/tree.py`` for the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django_dbaudit.finding import Location
from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.tree import Node, Write

#: Units of one way that are kept; what has more is no different for it.
LONGEST = 64


@dataclass(frozen=True, slots=True)
class Unit:
    """What the database commits at once."""

    writes: tuple[Write, ...]
    #: What holds it together: nothing for a bare statement, else the origin of its `tree.Atomic`.
    guard: str
    alias: str | None
    location: Location
    #: In a loop, each time anew.
    repeats: bool = False
    #: After the view's own: on_commit, streaming, rendering or thread; empty for the view's own.
    when: str = ""

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(write.table for write in self.writes))


@dataclass(frozen=True, slots=True)
class Way:
    """The units on one way through a view, in their order."""

    units: tuple[Unit, ...] = ()
    #: Whether something that may fail comes after the last of them.
    is_open: bool = False
    #: The most units of any way that ends as this one does; infinite where one repeats.
    most: float = 0

    @property
    def rank(self) -> tuple[float, int, float]:
        """Worse ways are higher: in pieces at all, over more tables, in more pieces."""
        tables = {table for unit in self.units for table in unit.tables}
        pieces = count(self.units)
        return (min(pieces, 2), len(tables), pieces)


Ends = dict[str, Way]
NEXT, RETURN, RAISE = "next", "return", "raise"


def count(units: Iterable[Unit]) -> float:
    """How many there are; infinite where one repeats."""
    number = 0.0
    for unit in units:
        number += float("inf") if unit.repeats else 1
    return number


def worst_way(node: Node) -> Way:
    """The way through the tree that commits in the most pieces, over the most tables."""
    ends = _ends(node)
    worst = max(ends.values(), key=lambda way: way.rank, default=Way())
    return replace(worst, most=max((way.most for way in ends.values()), default=0))


def _ends(node: Node) -> Ends:
    """The worst way to each of the ends that the node has: next, return, raise, break, continue."""
    handler = HANDLERS.get(type(node))
    return handler(node) if handler is not None else {NEXT: Way()}


def _of_branch(node: tree.Branch) -> Ends:
    return _either(map(_ends, node.alternatives))


def _of_write(node: Write) -> Ends:
    return {NEXT: Way((Unit((node,), "", node.alias, node.location),), most=1)}


def _of_block(node: tree.Atomic) -> Ends:
    return {end: _held(way, node, fails=end == RAISE) for end, way in _ends(node.body).items()}


def _of_call(node: tree.Call) -> Ends:
    ends = _ends(node.body)
    returned = ends.pop(RETURN, None)
    return _either([ends, {NEXT: returned}] if returned else [ends])


def _of_later(node: tree.OnCommit | tree.Later) -> Ends:
    when = node.when if isinstance(node, tree.Later) else "on_commit"
    worst = _worst_of(_ends(node.body))
    units = tuple(replace(unit, when=unit.when or when) for unit in worst.units)
    return {NEXT: Way(units, most=worst.most)}


def _of_risk(node: tree.SideEffect | tree.Unresolved) -> Ends:
    return {NEXT: Way(is_open=True)}


def _of_sequence(node: tree.Sequence) -> Ends:
    found: Ends = {}
    so_far = Way()
    for step in node.steps:
        ends = _ends(step)
        onward = ends.pop(NEXT, None)
        found = _either([found, {end: _after(so_far, way) for end, way in ends.items()}])
        if onward is None:
            return found
        so_far = _after(so_far, onward)
    return _either([found, {NEXT: so_far}])


def _after(first: Way, then: Way) -> Way:
    if not then.units:
        return replace(first, is_open=first.is_open or then.is_open, most=first.most + then.most)
    return Way((*first.units, *then.units)[:LONGEST], then.is_open, first.most + then.most)


def _either(several: Iterable[Ends]) -> Ends:
    found: Ends = {}
    for ends in several:
        for end, way in ends.items():
            other = found.get(end)
            if other is None:
                found[end] = way
                continue
            worse = way if way.rank > other.rank else other
            is_open = way.is_open or other.is_open
            found[end] = replace(worse, most=max(way.most, other.most), is_open=is_open)
    return found


def _worst_of(ends: Ends) -> Way:
    (worst,) = _either([{NEXT: way} for way in ends.values()]).values() or (Way(),)
    return worst


def _held(way: Way, block: tree.Atomic, *, fails: bool) -> Way:
    """The block makes one unit of what it holds, and none if it is left by an exception."""
    held = [unit for unit in way.units if not unit.when and _is_on(unit, block)]
    rest = tuple(unit for unit in way.units if unit not in held)
    # A block around a generator or a coroutine ends before any of it runs.
    if block.wraps or not held:
        return way
    if fails:
        rest = tuple(unit for unit in rest if unit.when != "on_commit")
        return Way(rest, way.is_open, count(rest))
    writes = tuple(write for unit in held for write in unit.writes)
    one = Unit(writes, block.origin, block.alias, block.location)
    units = (one, *rest)
    # What other ways hold is one unit too: only what stays outside adds to it.
    return Way(units, way.is_open, count(units))


def _is_on(unit: Unit, block: tree.Atomic) -> bool:
    return unit.alias == block.alias or unit.alias is None or block.alias is None


def _of_loop(node: tree.Loop) -> Ends:
    ends = _ends(node.body)
    again = _either([{NEXT: ends.pop(each)} for each in (NEXT, "continue") if each in ends])
    rounds = again.get(NEXT, Way())
    if rounds.units:
        repeated = tuple(replace(unit, repeats=True) for unit in rounds.units)
        rounds = Way(repeated, rounds.is_open, float("inf"))
    broken = ends.pop("break", None)
    left = _either([{NEXT: rounds}, {NEXT: _after(rounds, broken)} if broken else {}, {NEXT: Way()}])
    return _either([left, {end: _after(rounds, way) for end, way in ends.items()}])


def _of_try(node: tree.Try) -> Ends:
    ends = _ends(node.body)
    stopped = _interrupted(ends)
    raised = ends.pop(RAISE, None)
    found: list[Ends] = []
    if NEXT in ends:
        so_far = ends.pop(NEXT)
        found.append({end: _after(so_far, way) for end, way in _ends(node.otherwise).items()})
    found.append(ends)
    found += [
        {end: _after(stopped, way) for end, way in _ends(handler.body).items()} for handler in node.handlers
    ]
    if raised is not None:
        found.append({RAISE: raised})
    final = _ends(node.final)
    all_ends = _either(found)
    if node.final == tree.NOTHING:
        return all_ends
    onward = final.pop(NEXT, Way())
    return _either([{end: _after(way, onward) for end, way in all_ends.items()}, final])


def _interrupted(ends: Ends) -> Way:
    """What is committed when an exception leaves the body: the statement that fails is not."""
    ways = []
    for end, way in ends.items():
        if end == RAISE or way.is_open or not way.units:
            ways.append(way)
        else:
            shorter = way.units[:-1]
            ways.append(Way(shorter, most=count(shorter)))
    return _worst_of({str(place): way for place, way in enumerate(ways)}) if ways else Way()


HANDLERS: dict[type, Callable[..., Ends]] = {
    tree.Sequence: _of_sequence,
    tree.Branch: _of_branch,
    tree.Write: _of_write,
    tree.Atomic: _of_block,
    tree.Loop: _of_loop,
    tree.Try: _of_try,
    tree.Call: _of_call,
    tree.OnCommit: _of_later,
    tree.Later: _of_later,
    tree.SideEffect: _of_risk,
    tree.Unresolved: _of_risk,
    tree.Return: lambda _: {RETURN: Way()},
    tree.Raise: lambda _: {RAISE: Way()},
    tree.Leave: lambda node: {node.statement: Way()},
}
