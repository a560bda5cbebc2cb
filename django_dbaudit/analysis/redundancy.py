"""Which index can take over another's work, and which of a table's indexes are superfluous."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.derived import DerivedFact
from django_dbaudit.postgres.indexes import Index, IndexKey

#: Access methods whose storage parameters decide what a scan finds, and how exactly.
PARAMETERS_MATTER = frozenset({"brin", "bloom"})


@dataclass(frozen=True, slots=True)
class Superfluous:
    """``index`` may go, because ``kept`` serves all its queries."""

    index: Index
    kept: Index
    #: The same keys, and no fewer columns: a duplicate rather than a prefix.
    is_duplicate: bool


def protection(index: Index) -> str | None:
    """Why an index must stay whatever reads it; None if only its readers could miss it."""
    if index.is_primary:
        return "primary key"
    if index.is_exclusion:
        return "exclusion constraint"
    if index.constraints:
        own = index.name in index.constraints
        return "unique constraint" if own else f"needed by {index.constraints[0]}"
    if index.is_replica_identity:
        return "replica identity"
    if index.is_clustered:
        return "CLUSTER order"
    if index.parent_oid is not None:
        return "part of a partitioned index"
    if index.extension is not None:
        return f"extension {index.extension}"
    return None


class SuperfluousIndexes(DerivedFact):
    """All indexes that another one of their table makes superfluous.

    Whatever is dropped of them, and in whatever order, each query keeps an index: ``kept`` is
    never itself among the superfluous. Both have the sizes and counters of their partitions.
    """

    def __init__(self, trees: IndexTrees) -> None:
        self.items = superfluous(map(trees.whole, trees.items))
        self.oids = frozenset(each.index.oid for each in self.items)


def superfluous(indexes: Iterable[Index]) -> tuple[Superfluous, ...]:
    """As `SuperfluousIndexes`, of indexes that have their partitions' sizes already."""
    groups: dict[tuple[object, ...], list[Index]] = defaultdict(list)
    for index in indexes:
        if index.is_usable:
            # What differs in any of these never replaces one another, and need not be compared.
            first = index.keys[0].signature
            groups[index.table_oid, index.access_method, index.predicate, first].append(index)
    found = [each for group in groups.values() if len(group) > 1 for each in _of_group(group)]
    return tuple(found)


def _of_group(group: list[Index]) -> Iterable[Superfluous]:
    covers = {
        each.oid: [other for other in group if other is not each and _takes_over(other, each)]
        for each in group
    }
    for index in group:
        if covers[index.oid]:
            kept = _last_cover(index, covers)
            yield Superfluous(index, kept, is_duplicate=_same_columns(kept, index))


def _last_cover(index: Index, covers: dict[int, list[Index]]) -> Index:
    """The smallest index, itself not superfluous, that takes over."""
    # There is one, because what replaces a replacement replaces the first one as well.
    lasting = [each for each in covers[index.oid] if not covers[each.oid]]
    twins = [each for each in lasting if _same_columns(each, index)]
    return min(twins or lasting, key=lambda each: (each.size_bytes, _keep_first(each)))


def _takes_over(stays: Index, goes: Index) -> bool:
    """Whether ``goes`` may be dropped for ``stays``; of two equals only the one to drop."""
    if not replaces(stays, goes):
        return False
    return not replaces(goes, stays) or _keep_first(stays) < _keep_first(goes)


def _keep_first(index: Index) -> tuple[bool, bool, bool, int]:
    """Sort key among equals: the clustered, the constrained, the unique, then the older one stays."""
    return (not index.is_clustered, protection(index) is None, not index.is_unique, index.oid)


def replaces(stays: Index, goes: Index) -> bool:
    """Whether every query, and every promise, that ``goes`` serves is served by ``stays``."""
    return (
        stays.is_usable
        and goes.is_usable
        and (protection(goes) is None or _is_spare_constraint(stays, goes))
        and stays.table_oid == goes.table_oid
        and stays.access_method == goes.access_method
        and stays.predicate == goes.predicate
        and _keys_serve(stays, goes)
        and set(goes.include) <= {*stays.include, *(key.column for key in stays.keys)}
        and (not goes.is_unique or _as_unique(stays, goes))
    )


def _is_spare_constraint(stays: Index, goes: Index) -> bool:
    """Whether a unique constraint promises what another one does, and nothing but itself needs it.

    A foreign key depends on the very index that it was made for.
    """
    return (
        goes.constraints == (goes.name,)
        and bool(stays.constraints)
        and set(stays.include) == set(goes.include)
        and not (stays.is_primary or goes.is_primary or goes.is_exclusion)
        and not (goes.is_replica_identity or goes.is_clustered)
        and goes.parent_oid is None
        and goes.extension is None
    )


def _keys_serve(stays: Index, goes: Index) -> bool:
    wide, narrow = stays.keys, goes.keys
    if [key.signature for key in wide[: len(narrow)]] != [key.signature for key in narrow]:
        return False
    # Of two that are in one order the plain one serves LIKE too; the other serves no ORDER BY.
    pairs = zip(wide, narrow, strict=False)
    if any(mine.is_pattern and not other.is_pattern for mine, other in pairs):
        return False
    if stays.access_method != "btree":
        same = len(wide) == len(narrow) and _directions(wide) == _directions(narrow)
        if stays.access_method in PARAMETERS_MATTER:
            return same and stays.storage_parameters == goes.storage_parameters
        return same
    if _directions(wide[: len(narrow)]) == _directions(narrow):
        return True
    # Read backwards, an index is its own mirror: every key the other way round, NULLs too.
    mirror = [(not descending, not nulls_first) for descending, nulls_first in _directions(narrow)]
    return _directions(wide[: len(narrow)]) == mirror


def _directions(keys: tuple[IndexKey, ...]) -> list[tuple[bool, bool]]:
    return [key.direction for key in keys]


def _as_unique(stays: Index, goes: Index) -> bool:
    # UNIQUE (a) says more than UNIQUE (a, b); a deferrable one is no arbiter of ON CONFLICT.
    return (
        stays.is_unique
        and len(stays.keys) == len(goes.keys)
        and stays.nulls_not_distinct == goes.nulls_not_distinct
        and stays.is_immediate == goes.is_immediate
    )


def _same_columns(first: Index, second: Index) -> bool:
    return len(first.keys) == len(second.keys) and set(first.include) == set(second.include)
