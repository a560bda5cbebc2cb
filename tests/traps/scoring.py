"""What an audit said of a trap, against what it has to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django_dbaudit.finding import Finding
from traps.database import Laid
from traps.trap import Trap, Verdict

#: From good to bad: nothing amiss; the right rule, with something wrong in what it says; nothing
#: said where something had to be; something said where nothing had to be.
RIGHT, WRONG, MISSED, FALSE_ALARM = "right", "wrong", "missed", "false alarm"


@dataclass(frozen=True, slots=True)
class Mistake:
    kind: str
    thing: str
    why: str

    def __str__(self) -> str:
        return f"{self.thing}: {self.kind}: {self.why}"


def mistakes(laid: Laid, trap: Trap) -> list[Mistake]:
    """All that an audit got wrong about a trap."""
    found = laid.found(trap)
    return [
        mistake
        for thing in sorted({*trap.expect, *found})
        for mistake in _compared(thing, trap.verdicts(thing), found.get(thing, []))
    ]


def _compared(thing: str, verdicts: tuple[Verdict, ...], found: list[Finding]) -> Iterator[Mistake]:
    left = list(found)
    for verdict in verdicts:
        finding = next((each for each in left if each.name in {verdict.rule, verdict.or_rule}), None)
        if finding is not None:
            left.remove(finding)
            yield from (Mistake(WRONG, thing, why) for why in _wrong(verdict, finding))
        elif not verdict.optional:
            yield Mistake(MISSED, thing, f"{verdict.rule} had to be said")
    for finding in left:
        yield Mistake(FALSE_ALARM, thing, f"{finding.name}: {finding.message}")


def _wrong(verdict: Verdict, finding: Finding) -> Iterator[str]:
    if finding.severity is not verdict.severity:
        yield f"{finding.name} is of severity {finding.severity.value}, not {verdict.severity.value}"
    names = [related.name for related in finding.related]
    if verdict.beside and not any(name.endswith(f".{verdict.beside}") for name in names):
        yield f"{finding.name} has to name {verdict.beside}, and names {names}"
    text = finding.message + (finding.fix.text if finding.fix else "")
    if verdict.says not in text:
        yield f"{finding.name} has to say {verdict.says!r}, and says {text!r}"
