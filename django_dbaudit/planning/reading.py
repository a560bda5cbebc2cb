"""What follows from the text of a statement and the tables it names, before any planner is asked."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django_dbaudit.analysis import candidates, typical_values
from django_dbaudit.analysis.served import is_served
from django_dbaudit.postgres import queried
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.plans import Candidate
from django_dbaudit.postgres.queried import QueriedTable
from django_dbaudit.postgres.source import ProjectSource
from django_dbaudit.postgres.statements import Statement
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.sql import access, grammar, marks
from django_dbaudit.sql.access import Reading
from django_dbaudit.sql.grammar import Query, TableName, UnreadableError

#: Rows below which a table is read whole in no time, so that no candidate is thought up.
FEWEST_ROWS = 1000
_CALL = re.compile(r"(\w+)\s*\(")
#: Marks in places where no column tells what fits there.
_INTERVAL = re.compile(r"\b(?:interval|make_interval)\s*\(?'\$(\d+)'", re.IGNORECASE)
_ZONE = re.compile(r"\bat time zone\s+'\$(\d+)'", re.IGNORECASE)
_UNIT = re.compile(r"\b(?:date_trunc|extract|date_part)\s*\(\s*'\$(\d+)'", re.IGNORECASE)
_SAID = ((_INTERVAL, "'1 day'"), (_ZONE, "'UTC'"), (_UNIT, "'day'"))
_CAST = re.compile(r"'\$(\d+)'::(?:pg_catalog\.)?(\w+)")
_CONFIGURATION = re.compile(r"'(\w+)'::regconfig")


@dataclass(slots=True)
class Work:
    """One statement on its way."""

    statement: Statement
    query: Query | None = None
    problem: str | None = None
    reading: Reading | None = None
    #: Complete, to be explained: first as it most likely is, then with bare numbers.
    texts: tuple[str, ...] = ()
    own: dict[Candidate, None] = field(default_factory=dict)


def parsed(statement: Statement) -> Work:
    work = Work(statement)
    try:
        work.query = grammar.parse(statement.text)
    except UnreadableError as error:
        work.problem = str(error)
    return work


Catalog = Mapping[TableName, QueriedTable]


def catalog(source: ProjectSource, works: Iterable[Work]) -> Catalog:
    names = {name for work in works if work.query for name in work.query.tables}
    found = queried.read(source, {(name.schema, name.name) for name in names}) if names else {}
    return {TableName(*called): table for table in found.values() for called in table.known_as}


class Reader:
    """Fills in what follows from a statement's text and the tables that it names."""

    def __init__(
        self,
        known: Catalog,
        tables: Tables,
        indexes: Indexes,
        folding: frozenset[str],
        *,
        has_trigrams: bool,
    ) -> None:
        self._known = known
        self._columns = {name: table.columns for name, table in known.items()}
        self._rows = _row_counts(tables)
        self._indexes: dict[int, list[Index]] = defaultdict(list)
        for index in indexes.items:
            self._indexes[index.table_oid].append(index)
        self._folding = folding
        self._has_trigrams = has_trigrams

    def read(self, work: Work) -> None:
        query = work.query
        if query is None:
            return
        if not query.tables & self._known.keys():
            # Of other databases' tables, or of views alone.
            work.query = None
            return
        called = {name.lower() for name in _CALL.findall(query.text)} & self._folding
        if called:
            work.problem = f"it calls {min(called)}(), which planning it would run"
            return
        try:
            work.reading = access.read(query, self._columns)
        except Exception:  # noqa: BLE001  # of a parser that changes every few weeks, and need not be right
            work.problem = grammar.NOT_UNDERSTOOD
            return
        work.texts = tuple(dict.fromkeys(self._bound(work, query, work.reading)))
        for each in work.reading.accesses:
            work.own.update(dict.fromkeys(self._candidates(each)))

    def _bound(self, work: Work, query: Query, reading: Reading) -> Iterator[str]:
        said = {int(mark): value for known, value in _SAID for mark in known.findall(query.text)}
        said |= dict(self._cast(query))
        every = {int(mark) for mark in re.findall(r"'\$(\d+)'", query.text)}
        share = self._share(work, reading)
        # A string is whatever it is compared with, a number is what sum() takes: one of them will do.
        for bare, anything in (
            (False, marks.literal(typical_values.ANYTHING)),
            (True, typical_values.ANYTHING),
        ):
            values = typical_values.bindings(reading, self._known, share, bare=bare)
            yield marks.bind(query.text, dict.fromkeys(every, anything) | values | said)

    def _cast(self, query: Query) -> Iterator[tuple[int, str]]:
        """What fits the type that a statement casts its constants to."""
        for mark, type_ in _CAST.findall(query.text):
            if type_.lower() == "regconfig":
                # An index of a search vector serves its own configuration alone.
                oids = {self._known[name].oid for name in query.tables & self._known.keys()}
                texts = [index.definition for oid in oids for index in self._indexes[oid]]
                found = [each for text in sorted(texts) for each in _CONFIGURATION.findall(text)]
                yield int(mark), marks.literal(found[0] if found else "simple")
            elif type_.lower() in typical_values.OF_CAST:
                yield int(mark), marks.literal(typical_values.OF_CAST[type_.lower()])

    def _share(self, work: Work, reading: Reading) -> float | None:
        """Of its one table, what the statement returns on average; None where its rows do not tell."""
        if not reading.returns_what_it_finds or len(reading.accesses) != 1:
            return None
        (only,) = reading.accesses
        rows = self._rows.get(self._known[only.table].oid, 0)
        if len(only.conditions) != 1 or not rows:
            return None
        return min(1.0, work.statement.rows / work.statement.calls / rows)

    def _candidates(self, each: access.Access) -> Iterator[Candidate]:
        table = self._known[each.table]
        rows = self._rows.get(table.oid, 0)
        if rows < FEWEST_ROWS:
            return
        for candidate in candidates.of(each, table, rows, has_trigrams=self._has_trigrams):
            if not is_served(candidate, self._indexes[table.oid]):
                yield candidate


def _row_counts(tables: Tables) -> dict[int, int]:
    """Rows by the table's oid, a partitioned one's being those of its partitions."""
    rows = {table.oid: 0 if table.is_partitioned else table.rows for table in tables.items}
    parents = {table.oid: table.parent_oid for table in tables.items}
    for table in tables.items:
        parent = table.parent_oid
        while parent is not None and not table.is_partitioned:
            rows[parent] = rows.get(parent, 0) + table.rows
            parent = parents.get(parent)
    return rows
