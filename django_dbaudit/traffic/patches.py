"""The methods of Django's that we replace, all of them here: what they tell, no public hook does.

- ``sql.Query.__init__`` hangs a `Lineage` in the query, ``get_compiler`` and ``combine`` mark it as used:
  nothing else tells which execution belongs to which queryset.
- ``Atomic.__enter__`` and ``__exit__`` tell where commit units begin and end. One ``Atomic`` object can be
  entered many times, and within a ``TestCase`` the database sees no COMMIT.
- The methods of ``QuerySet`` that hand out rows, ``FieldCacheMixin.get_cached_value`` and
  ``Model.__getstate__`` tell whether rows, and relations loaded along with them, were used at all.
- ``BaseDatabaseWrapper.commit`` and ``rollback`` do so where autocommit is switched off.

Each calls the original, first or last, with what it was given; what it raises passes. While nothing is
recorded they cost one look at a ContextVar. `uninstall` puts the originals back, unless somebody has
replaced them anew in the meantime: then ours stay below, idle.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.fields.mixins import FieldCacheMixin
from django.db.models.query import QuerySet
from django.db.models.sql.query import Query
from django.db.transaction import Atomic, get_connection

from django_dbaudit.traffic import eager, trouble, units
from django_dbaudit.traffic.lineage import ATTRIBUTE, Lineage
from django_dbaudit.traffic.recording import MOST_LINEAGES, Recording, current

#: Rows of a queryset that are looked at for what was loaded along with them.
LOOKED_AT = 20

_getframe = sys._getframe  # noqa: SLF001  # CPython's, and documented

query_init: Any = Query.__init__
query_get_compiler: Any = Query.get_compiler
query_combine: Any = Query.combine
queryset_prefetch: Any = QuerySet.__dict__["_prefetch_related_objects"]
cached_value: Any = FieldCacheMixin.get_cached_value
model_getstate: Any = Model.__getstate__
atomic_enter: Any = Atomic.__enter__
atomic_exit: Any = Atomic.__exit__
connection_commit: Any = BaseDatabaseWrapper.commit
connection_rollback: Any = BaseDatabaseWrapper.rollback


@functools.wraps(query_init)
def _query_init(self: Query, *args: Any, **kwargs: Any) -> None:
    query_init(self, *args, **kwargs)
    if type(self) is not Query or self.model is None:
        return
    recording = current.get()
    if recording is None or not recording.is_open:
        return
    try:
        if len(recording.lineages) < MOST_LINEAGES:
            lineage = Lineage(recording.number, self.model, _getframe(1))
            # An attribute, and not an entry of __dict__, which would unshare the instance's keys.
            self._dbaudit_lineage = lineage  # type: ignore[attr-defined]  # ours
            recording.lineages.append(lineage)
    except RecursionError:
        pass  # a full stack: see trouble.tell
    except Exception:  # noqa: BLE001  # whatever goes wrong with us, the query is made
        trouble.tell()


@functools.wraps(query_get_compiler)
def _query_get_compiler(self: Query, *args: Any, **kwargs: Any) -> Any:
    lineage = self._dbaudit_lineage  # type: ignore[attr-defined]  # ours
    if lineage is not None:
        lineage.is_used = True
    return query_get_compiler(self, *args, **kwargs)


@functools.wraps(query_combine)
def _query_combine(self: Query, rhs: Query, connector: str) -> Any:
    lineage = getattr(rhs, ATTRIBUTE)
    if lineage is not None:
        lineage.is_used = True
    return query_combine(self, rhs, connector)


@functools.wraps(atomic_enter)
def _atomic_enter(self: Any) -> Any:
    result = atomic_enter(self)
    recording = current.get()
    if recording is not None and recording.is_open:
        try:
            units.entered(recording, get_connection(self.using), self, _getframe(1))
        except RecursionError:
            pass  # a full stack: see trouble.tell
        except Exception:  # noqa: BLE001  # as above
            trouble.tell()
    return result


@functools.wraps(atomic_exit)
def _atomic_exit(
    self: Any,
    exc_type: type[BaseException] | None,
    exc_value: BaseException | None,
    traceback: TracebackType | None,
) -> Any:
    recording = current.get()
    if recording is None or not recording.is_open:
        return atomic_exit(self, exc_type, exc_value, traceback)
    leaving = _Leaving(recording, self.using, has_error=exc_type is not None)
    try:
        result = atomic_exit(self, exc_type, exc_value, traceback)
    except BaseException:
        leaving.is_over(rolled_back=True)
        raise
    leaving.is_over()
    return result


class _Leaving:
    """What is known of an atomic block just before it is left, when the connection still tells."""

    __slots__ = ("connection", "level", "recording", "rolled_back")

    def __init__(self, recording: Recording, alias: str | None, *, has_error: bool) -> None:
        self.recording = recording
        try:
            connection = self.connection = get_connection(alias)
            self.level = len(connection.atomic_blocks)
            self.rolled_back = has_error or connection.needs_rollback
            unit = recording.units.get(id(connection))
            if unit is not None and unit.has_failure and self.level == unit.level:
                self.rolled_back = self.rolled_back or units.is_broken(connection)
        except RecursionError:
            self.connection = None
        except Exception:  # noqa: BLE001  # as above
            self.connection = None
            trouble.tell()

    def is_over(self, *, rolled_back: bool = False) -> None:
        if self.connection is None:
            return
        try:
            units.exited(
                self.recording, self.connection, self.level, rolled_back=rolled_back or self.rolled_back
            )
        except RecursionError:
            pass  # a full stack: see trouble.tell
        except Exception:  # noqa: BLE001  # as above
            trouble.tell()


@functools.wraps(connection_commit)
def _commit(self: BaseDatabaseWrapper) -> Any:
    recording = current.get()
    if recording is None or not recording.units:
        return connection_commit(self)
    unit = recording.units.get(id(self))
    rolled_back = unit is not None and unit.has_failure and units.is_broken(self)
    result = connection_commit(self)
    _end(recording, self, rolled_back=rolled_back)
    return result


@functools.wraps(connection_rollback)
def _rollback(self: BaseDatabaseWrapper) -> Any:
    recording = current.get()
    if recording is not None and recording.units:
        _end(recording, self, rolled_back=True)
    return connection_rollback(self)


def _end(recording: Recording, connection: BaseDatabaseWrapper, *, rolled_back: bool) -> None:
    try:
        units.ended(recording, connection, rolled_back=rolled_back)
    except RecursionError:
        pass  # a full stack: see trouble.tell
    except Exception:  # noqa: BLE001  # as above
        trouble.tell()


def _handing_out(name: str, *, rows: bool) -> tuple[Any, Any]:
    """A method of ``QuerySet``, and what stands in its place: one that hands out rows, or tells of them."""
    original: Any = QuerySet.__dict__[name]

    @functools.wraps(original)
    def ours(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Of a subclass that keeps its query elsewhere we know nothing.
        lineage = getattr(self.__dict__.get("_query"), ATTRIBUTE, None)
        if lineage is None:
            return original(self, *args, **kwargs)
        if rows:
            lineage.is_read = True
        # Rows that it never asked for itself: prefetch_related put them there.
        if lineage.relation_name and not lineage.executions and self._result_cache is not None:
            recording = current.get()
            if recording is not None:
                recording.read_related(lineage.owner, lineage.relation_name)
        result = original(self, *args, **kwargs)
        if lineage.selected is not None and lineage.absent is None and self._result_cache:
            _look_for_absent(lineage, self._result_cache[:LOOKED_AT])
        return result

    return original, ours


def _look_for_absent(lineage: Lineage, rows: list[Any]) -> None:
    if not isinstance(lineage.selected, dict) or not isinstance(rows[0], Model):
        return
    try:
        lineage.absent = eager.absent(rows, lineage.selected)
    except RecursionError:
        pass  # a full stack: see trouble.tell
    except Exception:  # noqa: BLE001  # as above
        trouble.tell()


@functools.wraps(queryset_prefetch)
def _prefetch_related_objects(self: Any) -> Any:
    recording = current.get()
    if recording is None or not self._result_cache:
        return queryset_prefetch(self)
    prefetching = None
    try:
        prefetching = eager.Prefetching(self, recording)
    except RecursionError:
        pass  # a full stack: see trouble.tell
    except Exception:  # noqa: BLE001  # as above
        trouble.tell()
    result = queryset_prefetch(self)
    if prefetching is not None:
        try:
            prefetching.is_over()
        except RecursionError:
            pass  # a full stack: see trouble.tell
        except Exception:  # noqa: BLE001  # as above
            trouble.tell()
    return result


@functools.wraps(cached_value)
def _get_cached_value(self: Any, *args: Any, **kwargs: Any) -> Any:
    recording = current.get()
    if recording is not None:
        # `Recording.follow` without the call: each access to a relation comes by. And by id, because the
        # hash of a field is worked out anew each time.
        if recording.followed is None:
            recording.followed = set()
        recording.followed.add(id(self))
    return cached_value(self, *args, **kwargs)


@functools.wraps(model_getstate)
def _getstate(self: Model) -> Any:
    recording = current.get()
    if recording is not None:
        recording.has_pickled = True
    return model_getstate(self)


_HANDING_OUT = {
    **{
        name: _handing_out(name, rows=True) for name in ("__iter__", "__aiter__", "__getitem__", "contains")
    },
    **{name: _handing_out(name, rows=False) for name in ("__len__", "__bool__", "count", "exists")},
}

_PATCHES: tuple[tuple[Any, str, Callable[..., Any], Callable[..., Any]], ...] = (
    (Query, "__init__", query_init, _query_init),
    (Query, "get_compiler", query_get_compiler, _query_get_compiler),
    (Query, "combine", query_combine, _query_combine),
    *((QuerySet, name, original, ours) for name, (original, ours) in _HANDING_OUT.items()),
    (QuerySet, "_prefetch_related_objects", queryset_prefetch, _prefetch_related_objects),
    (FieldCacheMixin, "get_cached_value", cached_value, _get_cached_value),
    (Model, "__getstate__", model_getstate, _getstate),
    (Atomic, "__enter__", atomic_enter, _atomic_enter),
    (Atomic, "__exit__", atomic_exit, _atomic_exit),
    (BaseDatabaseWrapper, "commit", connection_commit, _commit),
    (BaseDatabaseWrapper, "rollback", connection_rollback, _rollback),
)


def install() -> None:
    # Of queries that are built while nothing is recorded.
    setattr(Query, ATTRIBUTE, None)
    for owner, name, original, ours in _PATCHES:
        if owner.__dict__[name] is original:
            setattr(owner, name, ours)


def uninstall() -> None:
    for owner, name, original, ours in _PATCHES:
        if owner.__dict__[name] is ours:
            setattr(owner, name, original)
