"""Which indexes ``indexreport`` shows, with what was found about them, and in which order."""

from __future__ import annotations

import dataclasses
import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.analysis.records import Records
from django_dbaudit.audit import Audit
from django_dbaudit.derived import DerivedFact
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
from django_dbaudit.finding import Finding
from django_dbaudit.management.index_list import can_go, won
from django_dbaudit.management.options import one_of
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.schema import DeclaredIndexes

#: What each --sort puts first: the larger these numbers, the further up. A table has its indexes' sums.
SORTS: Mapping[str, Callable[[Index, int], tuple[int, ...]]] = {
    "gain": lambda index, gain: (gain, index.size_bytes),
    "size": lambda index, gain: (index.size_bytes,),
    # The least read first: those are what one looks for.
    "scans": lambda index, gain: (-index.scans, index.size_bytes),
    "name": lambda index, gain: (),
}
#: More names than these would bury the message.
NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for; all that is empty leaves nothing out."""

    tables: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    unused: bool = False
    sort: str = "gain"

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.tables or self.apps or self.unused)


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--table",
        action="append",
        metavar="NAME",
        help="Show only this table, named with its schema or without; may be repeated.",
    )
    parser.add_argument(
        "--app",
        action="append",
        metavar="LABEL",
        help="Show only the tables of this app's models; may be repeated.",
    )
    parser.add_argument(
        "--unused",
        action="store_true",
        help="Show only indexes that nothing has read, or that unused-index reports.",
    )
    parser.add_argument(
        "--sort",
        default="gain",
        metavar="ORDER",
        help="Tables, and the indexes of each, by: gain (bytes to be won, most first; the default), "
        "size (largest first), scans (least read first), or name.",
    )


def parse(given: Mapping[str, Any]) -> Selection:
    return Selection(
        tables=tuple(given["table"] or ()),
        apps=tuple(given["app"] or ()),
        unused=given["unused"],
        sort=one_of("--sort", given["sort"], tuple(SORTS)),
    )


def arrange(selection: Selection, seen: Facts, outcome: Audit) -> tuple[Facts, Audit]:
    """The facts with the selected indexes alone, in order, and what was found about these."""
    _check(selection, seen)
    views = [_View(selection, each, outcome) for each in seen.aliases]
    findings = {each.alias: each for each in views}
    shown = tuple(each for each in outcome.findings if _is_shown(each, findings))
    return Facts(tuple(each.facts() for each in views), seen.code), dataclasses.replace(
        outcome, findings=shown
    )


def _is_shown(finding: Finding, views: Mapping[str, _View]) -> bool:
    view = views.get(finding.database or "")
    return view is None or view.has(finding)


class _View:
    """What is left of one alias."""

    def __init__(self, selection: Selection, facts: AliasFacts, outcome: Audit) -> None:
        self.alias = facts.database.alias
        self._facts = facts
        self._selection = selection
        self._about: dict[str, list[Finding]] = defaultdict(list)
        for finding in outcome.findings:
            if finding.database == self.alias and finding.subject.kind == "index":
                self._about[finding.subject.name].append(finding)
        known, trees = facts.get(Indexes), facts.get(IndexTrees)
        everything = known.items if isinstance(known, Indexes) else ()
        self._tables = _tables(selection, facts)
        self._trees = IndexTrees(Indexes(())) if isinstance(trees, Unavailable) else trees
        self._indexes = [each for each in everything if self._keeps(each)]
        self._names = {each.qualified_name for each in self._indexes}

    def has(self, finding: Finding) -> bool:
        if self._selection.unused:
            return finding.subject.kind == "index" and finding.subject.name in self._names
        return self._tables is None or finding.subject.table in self._tables

    def facts(self) -> AliasFacts:
        if isinstance(self._facts.get(Indexes), Unavailable):
            return self._facts
        # The sums of a tree need every part of it, be it shown or not; so does what came and went.
        made = (self._trees, self._facts.get(Declarations), self._facts.get(Records))
        derived = [each for each in made if isinstance(each, DerivedFact)]
        return self._facts.having(Indexes(tuple(self._in_order())), *derived)

    def _keeps(self, index: Index) -> bool:
        if self._tables is not None and index.qualified_table not in self._tables:
            return False
        return not self._selection.unused or not self._trees.scans(index) or self._is_flagged(index)

    def _is_flagged(self, index: Index) -> bool:
        return any(each.name == "unused-index" for each in self._about.get(index.qualified_name, ()))

    def _in_order(self) -> list[Index]:
        weights = {each.oid: self._weight(each) for each in self._indexes}
        of_table: dict[int, list[tuple[int, ...]]] = defaultdict(list)
        for index in self._indexes:
            of_table[index.table_oid].append(weights[index.oid])
        sums = {oid: _descending(map(sum, zip(*each, strict=True))) for oid, each in of_table.items()}
        return sorted(
            self._indexes,
            key=lambda each: (
                sums[each.table_oid],
                each.qualified_table,
                _descending(weights[each.oid]),
                each.name,
            ),
        )

    def _weight(self, index: Index) -> tuple[int, ...]:
        whole = self._trees.whole(index)
        found = self._about.get(index.qualified_name, ())
        gain = whole.size_bytes if can_go(found) else won(found)
        return SORTS[self._selection.sort](whole, gain)


def _descending(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(-number for number in numbers)


def _tables(selection: Selection, facts: AliasFacts) -> set[str] | None:
    """The qualified names of the tables that are asked for; None if all are."""
    if not selection.tables and not selection.apps:
        return None
    apps = _apps(facts)
    return {
        qualified
        for qualified, bare in _known_tables(facts)
        if (not selection.tables or {bare, qualified}.intersection(selection.tables))
        and (not selection.apps or not apps[bare].isdisjoint(selection.apps))
    }


def _known_tables(facts: AliasFacts) -> Iterator[tuple[str, str]]:
    """Qualified and bare names; twice the bare one for a table that only models have."""
    tables, declared = facts.get(Tables), facts.get(DeclaredIndexes)
    if not isinstance(tables, Tables):
        return
    for table in tables.items:
        yield table.qualified_name, table.name
    if isinstance(declared, DeclaredIndexes):
        for name in set(declared.tables).difference(table.name for table in tables.items):
            yield name, name


def _apps(facts: AliasFacts) -> defaultdict[str, set[str]]:
    """For each table, the apps whose models it holds: more than one if somebody maps it twice."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    declared = facts.get(DeclaredIndexes)
    if isinstance(declared, DeclaredIndexes):
        for column in declared.columns:
            found[column.table].add(column.model.partition(".")[0])
    return found


def _check(selection: Selection, seen: Facts) -> None:
    """Refuse names that nothing has, unless nothing could be looked at: then that is what to say."""
    tables = [names for each in seen.aliases for names in _known_tables(each)]
    if not tables:
        return
    known = {name for names in tables for name in names}
    for name in selection.tables:
        if name not in known:
            meant = _likely(name, known, sorted({qualified for qualified, _ in tables}))
            raise AuditError(f"Unknown table: {name!r}. {meant}")
    apps = {app for each in seen.aliases for found in _apps(each).values() for app in found}
    for label in selection.apps:
        if label not in apps:
            raise AuditError(f"Unknown app: {label!r}. Apps with models are: {', '.join(sorted(apps))}.")


def _likely(name: str, known: Iterable[str], listed: list[str]) -> str:
    """Names that may be meant; where none is alike, those that there are."""
    close = difflib.get_close_matches(name, known)
    if close:
        return f"Do you mean: {', '.join(close)}?"
    more = f" and {len(listed) - NAMES_SHOWN} more" if len(listed) > NAMES_SHOWN else ""
    return f"There are: {', '.join(listed[:NAMES_SHOWN])}{more}."
