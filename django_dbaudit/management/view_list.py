"""What ``transactionreport`` shows beside findings: every view and method, with its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_dbaudit.analysis import verdicts
from django_dbaudit.analysis.testimony import CONFIRMED, Seen, Testimony
from django_dbaudit.analysis.verdicts import Verdict, Verdicts
from django_dbaudit.codec import encode
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.management import view_paths
from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.facts import ViewEffects
from django_dbaudit.project.effects.tree import Call, Write
from django_dbaudit.reports.document import Column, Row, Table

COLUMNS = (
    Column("View"),
    Column("Method"),
    Column("Units", is_number=True),
    Column("Writes"),
    Column("Unresolved", is_number=True),
    Column("Verdict"),
)
#: In how many of the recorded requests a view committed in pieces; only where some were recorded.
TRAFFIC = Column("In pieces")
STEPS = (Column("Step"), Column("At"))
#: Tables that a row names.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """A view and what became of it."""

    effects: ViewEffects
    verdict: Verdict
    #: None where no traffic was recorded at all.
    seen: Seen | None = None

    @property
    def rank(self) -> tuple[int, bool, int, float, str, str]:
        """Worst first: in pieces, seen to be, and over many tables before the rest."""
        word = verdicts.VERDICTS.index(self.verdict.word)
        most = float("inf") if self.verdict.max_units is None else self.verdict.max_units
        view = self.effects.view
        is_doubtful = self.seen is None or self.seen.word != CONFIRMED
        return (word, is_doubtful, -len(self.verdict.tables), -most, view.name, view.method)


def worst_first(known: Verdicts, testimony: Testimony) -> list[Judged]:
    """Every view, with what traffic says of it."""
    judged = [Judged(each, verdict, testimony.about(each.view)) for each, verdict in known.items]
    return sorted(judged, key=lambda each: each.rank)


def tables(judged: Sequence[Judged], findings: Iterable[Finding]) -> Iterator[Table]:
    """The project's own views, and those of installed packages apart."""
    worst: dict[tuple[str, str | None], Severity] = {}
    for finding in findings:
        if finding.subject.kind == "view":
            key = (finding.subject.name, finding.subject.method)
            worst[key] = max(worst.get(key, finding.severity), finding.severity)
    own = [each for each in judged if not each.effects.view.is_third_party]
    packaged = [each for each in judged if each.effects.view.is_third_party]
    for title, several in (("The project's views", own), ("Views of installed packages", packaged)):
        if several:
            columns = (*COLUMNS[:-1], TRAFFIC, COLUMNS[-1]) if several[0].seen else COLUMNS
            yield Table(
                f"{title}; {summary(several)}", columns, tuple(_row(each, worst) for each in several)
            )


def paths(judged: Judged) -> Iterator[Table]:
    """The steps from one view to its writes."""
    view = judged.effects.view
    rows = tuple(Row(cells) for cells in view_paths.lines(judged.effects.body))
    if rows:
        yield Table(f"{view.name} ({view.method}): {judged.verdict.word}", STEPS, rows)


def summary(judged: Sequence[Judged]) -> str:
    """``12 split, 3 mixed, 40 reads-only``."""
    counts = {word: sum(each.verdict.word == word for each in judged) for word in verdicts.VERDICTS}
    return ", ".join(f"{number:,} {word}" for word, number in counts.items() if number)


def _row(judged: Judged, worst: Mapping[tuple[str, str | None], Severity]) -> Row:
    view, verdict = judged.effects.view, judged.verdict
    names = verdict.tables or tuple(dict.fromkeys(each.table or each.model for each in verdict.writes))
    named = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    cells = (
        view.name,
        view.method,
        "loop" if verdict.max_units is None else str(verdict.max_units),
        named,
        str(len(verdict.unresolved) or ""),
        *([_witnessed(judged.seen)] if judged.seen else []),
        verdict.word,
    )
    return Row(cells, worst.get((view.name, view.method)))


def _witnessed(seen: Seen) -> str:
    if not seen.requests:
        return "never requested"
    return f"seen in {seen.requests_in_pieces:,} of {seen.requests:,}"


def as_json(judged: Judged) -> dict[str, Any]:
    """All that is known of a view, its tree left out."""
    view, verdict = judged.effects.view, judged.verdict
    return {
        "view": view.name,
        "method": view.method,
        "kind": view.kind,
        "routes": list(view.routes),
        "location": encode(view.location) if view.location else None,
        "is_third_party": view.is_third_party,
        "is_async": view.is_async,
        "atomic_requests": list(view.atomic_requests),
        "non_atomic_requests": list(view.non_atomic_requests),
        "verdict": verdict.word,
        "max_units": verdict.max_units,
        "tables": list(verdict.tables),
        "units": [
            {
                "tables": list(unit.tables),
                "database": unit.alias,
                "guard": unit.guard or None,
                "repeats": unit.repeats,
                "when": unit.when or "view",
            }
            for unit in verdict.way.units
        ],
        "writes": [_write_json(judged, way, write) for way, write in _writes(judged.effects.body, ())],
        "unresolved_calls": [
            {"call": each.call, "reason": each.reason, "location": encode(each.location)}
            for each in verdict.unresolved
        ],
        "traffic": judged.seen
        and {
            "word": judged.seen.word,
            "requests": judged.seen.requests,
            "requests_in_pieces": judged.seen.requests_in_pieces,
            "last_day": judged.seen.last_day or None,
            "tables": list(judged.seen.tables),
        },
    }


def _write_json(judged: Judged, way: tuple[Call, ...], write: Write) -> dict[str, Any]:
    return {
        "model": write.model or None,
        "table": write.table or None,
        "database": write.alias,
        "statement": write.statement,
        "how": write.how,
        "location": encode(write.location),
        "path": [{"name": call.name, "location": encode(call.location)} for call in way],
    }


def _writes(node: tree.Node, way: tuple[Call, ...]) -> Iterator[tuple[tuple[Call, ...], Write]]:
    """Every write with the calls that lead to it."""
    if isinstance(node, Write):
        yield way, node
        return
    below = (*way, node) if isinstance(node, Call) else way
    for child in tree.children(node):
        yield from _writes(child, below)
