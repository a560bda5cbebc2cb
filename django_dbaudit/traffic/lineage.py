"""Which queryset an execution belongs to: one small object that all clones of a queryset share.

It hangs in the ``__dict__`` of ``sql.Query``, which ``Query.clone()`` copies. It knows the line that
built the queryset, which is also the only line to be had where the ORM is used asynchronously: the
query then runs in a thread on whose stack the project is not. See `patches` for how it gets there.
"""

from __future__ import annotations

from types import CodeType, FrameType
from typing import Any, NamedTuple

from django.db.models.sql.compiler import SQLCompiler

from django_dbaudit.traffic import frames
from django_dbaudit.traffic.callsite import UNKNOWN, Site, is_site, site_of, site_of_node
from django_dbaudit.traffic.frames import Owner
from django_dbaudit.traffic.how import EXECUTING

#: Of a query, and for those without one of the class.
ATTRIBUTE = "_dbaudit_lineage"
#: Executions of one queryset whose ways are told.
MOST_HOWS = 4
#: Frames that a walk goes up at most.
HIGHEST = 60

_EXECUTE_SQL: CodeType = SQLCompiler.execute_sql.__code__


class Prefetched(NamedTuple):
    """One lookup of ``prefetch_related``; ``by`` is that of the queryset in a ``Prefetch`` object."""

    lookup: str
    by: Lineage | None
    #: The models of which something was found, for this lookup or one beside it.
    found: frozenset[Any]


class Lineage:
    """What became of one queryset, its clones included."""

    __slots__ = (
        "absent", "asked", "executions", "has_rows", "hows", "is_own", "is_read", "is_used", "library",
        "model", "owner", "phase", "prefetched", "recording", "relation_name", "repeats", "selected",
        "site",
    )  # fmt: skip

    def __init__(self, recording: int, model: Any, frame: FrameType) -> None:
        #: Number of the recording it was built in; executions in another are that one's affair.
        self.recording = recording
        self.model = model
        self.site = UNKNOWN
        #: Where a package built it on behalf of that line.
        self.library: Site | None = None
        #: Built by a line that means to have a queryset, and not on the way to something else.
        self.is_own = False
        #: Compiled, be it as a part of another query or to find that the answer is empty.
        self.is_used = False
        self.executions = 0
        self.hows: tuple[str, ...] = ()
        #: Hashes of what was asked, and how often one of them was asked again.
        self.asked: tuple[int, ...] = ()
        self.repeats = 0
        #: Its rows, or those of a clone, were iterated or indexed.
        self.is_read = False
        #: It returned rows that became objects; of a server-side cursor nobody knows.
        self.has_rows = False
        #: Lookups of ``select_related`` that found nothing for the rows looked at; None: none were.
        self.absent: frozenset[str] | None = None
        #: What ``select_related`` and ``prefetch_related`` asked to be loaded along.
        self.selected: Any = None
        self.prefetched: tuple[Prefetched, ...] = ()
        self.phase = ""
        #: The class and attribute of the related manager that it comes from.
        self.owner: Any = None
        self.relation_name = ""
        self._trace(frame)

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickled queryset, in a cache say, holds None, which any process can read.
        return type(None), ()

    def __deepcopy__(self, memo: object) -> Lineage:
        return self

    @property
    def relation(self) -> str:
        return relation_label(self.owner, self.relation_name)

    def note(self, how: str, phase: str) -> None:
        """Count an execution."""
        self.executions += 1
        if self.executions == 1:
            self.phase = phase
        if len(self.hows) < MOST_HOWS:
            self.hows = (*self.hows, how)

    def ask(self, question: int) -> None:
        """Notice whether it is asked what it was asked before, with no write in between."""
        if question in self.asked:
            self.repeats += 1
        elif len(self.asked) < MOST_HOWS:
            self.asked = (*self.asked, question)

    def _trace(self, frame: FrameType) -> None:
        """Find the line that builds; ``frame`` is the one that makes the query."""
        walker: FrameType | None = frame
        library: Site | None = None
        executing, height = False, 0
        while walker is not None and height < HIGHEST:
            height += 1
            info = frames.info_of(walker.f_code)
            if info.how or (info.is_manager_method and walker.f_locals.get("name", "") in EXECUTING):
                executing = True
            if info.is_get_queryset and info.is_related:
                self._ask(walker.f_locals.get("self"))
            if is_site(info, walker) or info.is_template_node:
                node = walker.f_locals.get("self") if info.is_template_node else None
                self.site = site_of(walker, "code") if node is None else site_of_node(node)
                self.is_own = not executing and library is None
                self.library = library
                return
            if library is None and info.owner is Owner.LIBRARY:
                library = site_of(walker, "library")
            if info.is_boundary or (info.phase and info.phase != "template"):
                break
            walker = walker.f_back
        self.site = library or UNKNOWN

    def _ask(self, manager: Any) -> None:
        """Which relation a related manager stands for; its instance is looked at, not touched."""
        instance = getattr(manager, "instance", None)
        if instance is None:
            # The descriptor of a relation to one, whose get_queryset has the same name.
            return
        remote = getattr(getattr(manager, "field", None), "remote_field", None)
        name = getattr(manager, "prefetch_cache_name", "") or (remote.get_accessor_name() if remote else "")
        if name:
            self.owner, self.relation_name = type(instance), name


def relation_label(owner: Any, name: str) -> str:
    """``app.Model.attribute`` of a related manager; empty if there is none."""
    if owner is None:
        return ""
    for related in owner._meta.related_objects:
        # The manager of a many-to-many relation, seen from its other end, knows the query's name only.
        if related.many_to_many and related.field.related_query_name() == name:
            name = related.get_accessor_name()
    return f"{owner._meta.label}.{name}"


def lineage_of_queryset(queryset: Any) -> Lineage | None:
    # Not .query, which would apply a related manager's filters.
    found: Lineage | None = None
    if queryset is not None:
        found = getattr(queryset.__dict__.get("_query"), ATTRIBUTE, None)
    return found


def lineage_of(frame: FrameType, recording: int) -> Lineage | None:
    """Of the query that is executed; ``frame`` is the compiler's, if it is the ORM that executes."""
    if frame.f_code is not _EXECUTE_SQL:
        # With DEBUG there is one cursor wrapper more.
        outer = frame.f_back
        if outer is None or outer.f_code is not _EXECUTE_SQL:
            return None
        frame = outer
    query = frame.f_locals["self"].query
    # What count() and aggregate() make of a complicated query has the query inside.
    found: Lineage | None = getattr(query, ATTRIBUTE, None)
    if found is None:
        found = getattr(getattr(query, "inner_query", None), ATTRIBUTE, None)
    if found is None or found.recording != recording:
        return None
    # FOR UPDATE locks what is joined, which is a use of it.
    if query.select_related and found.selected is None and not query.select_for_update:
        found.selected = query.select_related
    return found
