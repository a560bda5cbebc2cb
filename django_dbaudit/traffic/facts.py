"""What requests did, added up by view: the facts that rules judge and reports show.

Each field says by its metadata how two of its kind become one: what tells records apart (``key``),
what is added (``total``), of what the larger one stays (``highest``, and ``latest`` of days), and what is
merged in turn (``parts``). Numbers are whole, times are in microseconds, so that adding up in any order,
in any number of processes or in a database, gives the same.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django_dbaudit.finding import Location

T = TypeVar("T")

#: In place of the name of a view, a path or a fingerprint: what found no room among the counted.
OTHER = "(other)"
#: In place of the name of a view: a request that was answered before a view was found.
NO_VIEW = "(no view)"
#: In place of the name of a view: what ran in a ``with record():`` block, outside of any request.
BLOCK = "(block)"


def key() -> Any:
    return dataclasses.field(metadata={"merge": "key"})


def total() -> Any:
    return dataclasses.field(default=0, metadata={"merge": "total"})


def highest() -> Any:
    return dataclasses.field(default=0, metadata={"merge": "highest"})


def latest() -> Any:
    """A day in ISO format, which the store keeps for all that it holds."""
    return dataclasses.field(default="", metadata={"merge": "latest"})


def parts() -> Any:
    return dataclasses.field(default=(), metadata={"merge": "parts"})


@dataclass(frozen=True, slots=True, order=True)
class CallSite:
    """The line that asked.

    ``kind`` is ``code`` for a line of the project, ``template`` for one of a Django template (its path
    is the template's), ``library`` where none of either was on the stack: then it is the line of the
    package that asked Django's ORM; ``nowhere`` is no line at all.
    """

    kind: str
    path: str
    line: int
    #: The function's qualified name (its bare name on Python 3.10); empty in a template.
    function: str = ""

    @property
    def location(self) -> Location | None:
        return Location(self.path, self.line) if self.line else None


NOWHERE = CallSite("nowhere", "", 0)


@dataclass(frozen=True, slots=True)
class QueryTraffic:
    """One statement as one line asks for it, in one phase and one kind of commit unit."""

    site: CallSite = key()  # noqa: RUF009  # a field, as dataclasses.field() is
    #: The template line beneath which ``site``, a line of code, was called; or nowhere.
    rendered_at: CallSite = key()  # noqa: RUF009  # as above
    #: The SQL with literals as ``?``, lists of values folded.
    fingerprint: str = key()
    #: ``read``, ``write``, ``lock`` (SELECT … FOR UPDATE and its like, LOCK TABLE), ``transaction``
    #: (BEGIN, SAVEPOINT …), ``ddl``, ``other``.
    kind: str = key()
    #: Tables it writes, as the SQL names them, unquoted.
    tables: tuple[str, ...] = key()
    #: ``middleware``, ``view``, ``template``, ``renderer`` (of a response, other than a template),
    #: ``streaming``, ``after-response``, ``on-commit``, or ``block`` (of ``record()``).
    phase: str = key()
    #: What the line did: ``iteration``, ``slice``, ``index``, ``len``, ``bool``, ``count``, ``exists``,
    #: ``get``, ``first``, ``relation``, ``deferred-field``, ``prefetch``, ``prefetch_related_objects``
    #: (called for one object), ``save``, ``cursor`` …: see how.py.
    how: str = key()
    #: The relation that was followed, or the field that was loaded, where Django's descriptors tell:
    #: ``flavors.Flavor.category``.
    relation: str = key()
    alias: str = key()
    #: The commit unit: ``autocommit`` (a bare statement), ``request`` (ATOMIC_REQUESTS), ``atomic`` (the
    #: project's block), ``library`` (a package's), ``django`` (one inside Django itself), ``manual``
    #: (autocommit switched off, or a BEGIN of one's own).
    unit: str = key()
    #: Requests in which it was seen, and those with that many executions or more.
    requests: int = total()
    requests_with_2: int = total()
    requests_with_3: int = total()
    requests_with_5: int = total()
    requests_with_10: int = total()
    executions: int = total()
    #: How many different querysets were executed so for the first time; raw SQL and INSERTs have none.
    querysets: int = total()
    #: In one request.
    most_executions: int = highest()
    #: Executions of the same text with the same parameters, in one request, on one alias, that an
    #: earlier one could have answered: no write came between.
    duplicates: int = total()
    #: Rows returned, or written; of a server-side cursor they are not known, and not counted.
    rows: int = total()
    most_rows: int = highest()
    microseconds: int = total()
    slowest_microseconds: int = highest()
    #: Executions that raised.
    failures: int = total()


@dataclass(frozen=True, slots=True)
class QuerySetTraffic:
    """Querysets built by one line, by what became of them. A chain of clones is one queryset."""

    #: The line that built it; not a manager's ``get_queryset``, but who called that. A package's line, if
    #: it did so on its own account, whichever line of the project it was called by.
    site: CallSite = key()  # noqa: RUF009  # a field, as dataclasses.field() is
    #: Label of the model.
    model: str = key()
    #: How it was executed, the first four times, as in `QueryTraffic.how`; empty: never.
    hows: tuple[str, ...] = key()
    #: The phase of the first execution; empty: never executed.
    phase: str = key()
    #: The model and field of the related manager that built it, as in `QueryTraffic.relation`.
    relation: str = key()
    requests: int = total()
    built: int = total()
    #: Of all of them together; ``executions - built`` is how often one was executed again.
    executions: int = total()
    #: Of one of them.
    most_executions: int = highest()
    #: Executions that asked what one before had asked, with no write in between.
    repeats: int = total()
    #: Querysets that fetched rows and kept them, one row or more, for whoever iterates or indexes them; and
    #: those among them whose rows nobody looked at.
    fetched: int = total()
    unread: int = total()

    @property
    def is_executed(self) -> bool:
        return bool(self.hows)


@dataclass(frozen=True, slots=True)
class EagerLoadTraffic:
    """A relation that querysets loaded along, by whether anything of it was ever read."""

    #: The line that built the queryset.
    site: CallSite = key()  # noqa: RUF009  # a field, as dataclasses.field() is
    #: Label of the queryset's model.
    model: str = key()
    #: ``select_related`` or ``prefetch_related``.
    method: str = key()
    #: The lookup that was given, ``author__publisher``.
    lookup: str = key()
    #: Requests that were answered with 2xx, and in which it was loaded for a row.
    requests: int = total()
    #: Querysets that loaded it and had a row to load it for.
    loads: int = total()
    #: Those among them of which a row's relation was read.
    reads: int = total()


@dataclass(frozen=True, slots=True, order=True)
class WriteUnit:
    """Writes that the database committed at once. Those without effect (no row) do not count."""

    #: As in `QueryTraffic.unit`.
    kind: str
    alias: str
    phase: str
    tables: tuple[str, ...]
    #: The line of the first write.
    site: CallSite
    #: Several like this one, in a row: a loop.
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class CommitTraffic:
    """Requests of a view that committed in the same pieces, in the same order."""

    units: tuple[WriteUnit, ...] = key()
    #: More units than are kept here were committed.
    is_cut: bool = key()
    requests: int = total()
    #: Of one request, with each unit of a loop counted.
    most_units: int = highest()
    #: Units with writes that were rolled back in these requests: they committed nothing.
    rolled_back: int = total()
    #: Requests among them that answered with 400 or above, or raised.
    failed_requests: int = total()
    #: The last day, in UTC and as 2026-11-22, on which it was seen; empty where no days are kept.
    last_day: str = latest()


@dataclass(frozen=True, slots=True)
class ViewTraffic:
    """All requests to a view by one method and one route."""

    #: ``module.qualname``, ``module.qualname#action`` of a viewset; or one of the names in brackets above.
    view: str = key()
    method: str = key()
    route: str = key()
    requests: int = total()
    #: Answered with 500 or above, or raised.
    failed_requests: int = total()
    #: Executions of statements, transaction control left out.
    executions: int = total()
    most_executions: int = highest()
    writes: int = total()
    #: From the middleware's first line to the response; streaming not included.
    microseconds: int = total()
    slowest_microseconds: int = highest()
    query_microseconds: int = total()
    queries: tuple[QueryTraffic, ...] = parts()
    querysets: tuple[QuerySetTraffic, ...] = parts()
    eager_loads: tuple[EagerLoadTraffic, ...] = parts()
    commits: tuple[CommitTraffic, ...] = parts()


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was recorded, view by view."""

    views: tuple[ViewTraffic, ...] = parts()

    @property
    def requests(self) -> int:
        return sum(view.requests for view in self.views)


def merge(*traffic: Traffic) -> Traffic:
    """All of it as one. The order makes no difference, and neither does what was merged before."""
    return Traffic(_merged_parts(view for each in traffic for view in each.views))


def _merged_parts(records: Iterable[T]) -> tuple[T, ...]:
    """One record of each key, in the order of the keys."""
    alike: dict[tuple[Any, ...], list[T]] = {}
    for record in records:
        alike.setdefault(_key(record), []).append(record)
    return tuple(_merged(alike[each]) for each in sorted(alike))


def _merged(records: list[T]) -> T:
    merged = {}
    kind: Any = type(records[0])
    for name, way in _ways(kind):
        values = [getattr(record, name) for record in records]
        if way == "key":
            merged[name] = values[0]
        elif way == "parts":
            merged[name] = _merged_parts(part for value in values for part in value)
        else:
            merged[name] = sum(values) if way == "total" else max(values)
    return cast("T", kind(**merged))


def _key(record: object) -> tuple[Any, ...]:
    kind: Any = type(record)
    return tuple(getattr(record, name) for name, way in _ways(kind) if way == "key")


@functools.cache
def _ways(cls: Hashable) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.metadata["merge"]) for each in dataclasses.fields(cast("Any", cls)))
