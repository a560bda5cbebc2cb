"""Relations that were loaded along with the rows of a queryset, and whether they were then followed.

No mark is left on an object, so an access costs next to nothing: a recording keeps which relations
were followed at all, on whatever object. A relation that one list loaded in vain and another needed
passes for used, which is the side to err on. What leaves no trace is not judged: ``to_attr``, a
queryset or ``Prefetch`` built before the recording began, a request in which objects were pickled,
relations whose descriptor is not Django's own. Neither is what found nothing that could be followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models.query import Prefetch

from django_dbaudit.traffic.callsite import Site
from django_dbaudit.traffic.lineage import Lineage, Prefetched, lineage_of_queryset
from django_dbaudit.traffic.recording import Recording


class EagerKey(NamedTuple):
    """What is counted as one; see `facts.EagerLoadTraffic`."""

    site: Site
    model: Any
    method: str
    lookup: str


def loads_of(recording: Recording) -> Iterator[tuple[EagerKey, bool]]:
    """Each relation that was loaded along, and whether it was followed."""
    if recording.has_pickled:
        return
    for lineage in list(recording.lineages):
        if lineage.has_rows and isinstance(lineage.selected, dict):
            yield from _selected(recording, lineage, lineage.model, lineage.selected, "")
        for prefetched in lineage.prefetched:
            yield from _prefetched(recording, lineage, prefetched)


def _selected(
    recording: Recording, lineage: Lineage, model: Any, selected: dict[str, Any], before: str
) -> Iterator[tuple[EagerKey, bool]]:
    for name, deeper in selected.items():
        relation = _field(model, name)
        if relation is None:
            continue
        lookup = f"{before}{name}"
        is_used = id(relation) in (recording.followed or ())
        if not is_used and lineage.absent is not None and lookup in lineage.absent:
            continue
        yield EagerKey(lineage.site, lineage.model, "select_related", lookup), is_used
        # Of a relation that nobody followed, the next step is no news.
        if is_used and deeper:
            yield from _selected(recording, lineage, relation.related_model, deeper, f"{lookup}__")


def _field(model: Any, name: str) -> Any:
    for field in model._meta.get_fields(include_hidden=True):
        if field.is_relation and field.name == name:
            return field
    return None


def _prefetched(
    recording: Recording, lineage: Lineage, prefetched: Prefetched
) -> Iterator[tuple[EagerKey, bool]]:
    model, lookup = lineage.model, ""
    steps = prefetched.lookup.split("__")
    for position, name in enumerate(steps, start=1):
        descriptor = _descriptor(model, name)
        if descriptor is None or not type(descriptor).__module__.startswith("django."):
            return
        target = _target(descriptor)
        lookup = f"{lookup}__{name}" if lookup else name
        is_last = position == len(steps)
        is_used = (
            _is_followed(recording, descriptor)
            or _is_read(recording, model, name)
            or (is_last and prefetched.by is not None and prefetched.by.is_read)
        )
        has_found = target in prefetched.found if target is not None else bool(prefetched.found)
        if not (is_used or has_found):
            return
        yield EagerKey(lineage.site, lineage.model, "prefetch_related", lookup), is_used
        if not is_used:
            return
        model = target


def _descriptor(model: Any, name: str) -> Any:
    # Not getattr: a descriptor may be anybody's code.
    return next((vars(each)[name] for each in getattr(model, "__mro__", ()) if name in vars(each)), None)


def _is_followed(recording: Recording, descriptor: Any) -> bool:
    relation = getattr(descriptor, "field", None) or descriptor
    either = {id(relation), id(getattr(descriptor, "related", None)), id(descriptor)}
    return not either.isdisjoint(recording.followed or ())


def _is_read(recording: Recording, model: Any, name: str) -> bool:
    return any(
        each == name and (issubclass(owner, model) or issubclass(model, owner))
        for owner, each in recording.related_read or ()
    )


def _target(descriptor: Any) -> Any:
    """The model at the other end; None where it is not one."""
    rel = getattr(descriptor, "rel", None) or getattr(descriptor, "related", None)
    if rel is not None:
        # A many-to-many relation's descriptor stands at both ends, a GenericRelation's at the near one.
        is_near = not getattr(descriptor, "reverse", True) or rel.field.one_to_many
        return rel.model if is_near else rel.related_model
    return getattr(getattr(descriptor, "field", None), "related_model", None)


def absent(rows: list[Any], selected: dict[str, Any], before: str = "") -> frozenset[str]:
    """The lookups of ``select_related`` that found nothing for any of these rows."""
    found: set[str] = set()
    for name, deeper in selected.items():
        related = [row._state.fields_cache.get(name) for row in rows]  # noqa: SLF001  # nothing public tells
        if not any(each is not None for each in related):
            found.add(f"{before}{name}")
        elif deeper:
            others = [each for each in related if each is not None]
            found |= absent(others, deeper, f"{before}{name}__")
    return frozenset(found)


class Prefetching:
    """What is about to be loaded along with the rows of a queryset."""

    __slots__ = ("_first", "_lineage", "_lookups", "_recording")

    def __init__(self, queryset: Any, recording: Recording) -> None:
        self._lineage = lineage_of_queryset(queryset)
        self._recording = recording
        self._first = len(recording.lineages)
        self._lookups: list[tuple[str, Lineage | None, bool]] = []
        for lookup, inner in lookups_of(queryset):
            by = lineage_of_queryset(inner)
            if inner is None or by is not None:
                self._lookups.append((lookup, by, by is not None and by.is_read))

    def is_over(self) -> None:
        """Keep what there is to follow. That Django went through the rows to load them is no reading."""
        found = {each.model for each in self._recording.lineages[self._first :] if each.has_rows}
        for _, by, was_read in self._lookups:
            if by is not None:
                by.is_read = was_read
                if by.has_rows:
                    found.add(by.model)
        if self._lineage is not None:
            self._lineage.prefetched = tuple(
                Prefetched(lookup, by, frozenset(found)) for lookup, by, _ in self._lookups
            )


def lookups_of(queryset: Any) -> Iterator[tuple[str, Any]]:
    """The lookups of ``prefetch_related`` that can be judged, each with its own queryset, if it has one."""
    for lookup in queryset._prefetch_related_lookups:  # noqa: SLF001  # nothing public tells
        if not isinstance(lookup, Prefetch):
            yield lookup, None
        elif lookup.prefetch_to == lookup.prefetch_through:
            yield lookup.prefetch_through, lookup.queryset
