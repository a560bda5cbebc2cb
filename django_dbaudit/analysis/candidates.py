"""Indexes that there might be, for the way in which a statement gets at a table."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from django_dbaudit.postgres.plans import Candidate, CandidateKey, Restriction
from django_dbaudit.postgres.queried import Column, QueriedTable
from django_dbaudit.sql.access import Access, SortKey
from django_dbaudit.sql.conditions import Condition, Kind, Term

#: Keys of one index. What a fourth would narrow down further is hardly worth its place.
MOST_KEYS = 3
#: Distinct values, of all keys that are compared for equality together, below which an index is of no help.
FEWEST_VALUES = 10
#: Share of the rows that a partial index may have: with more, it is hardly smaller than a whole one.
PARTIAL_SHARE = 0.2
#: Of one access; those that come first promise most.
MOST = 10

_RESTRICTIONS = {
    Kind.NULL: "null",
    Kind.NOT_NULL: "not null",
    Kind.TRUE: "true",
    Kind.FALSE: "false",
}


def of(access: Access, table: QueriedTable, rows: int, *, has_trigrams: bool) -> list[Candidate]:
    """Candidates for one access, best first, without a look at what indexes there are."""
    wanted = _Wanted(access, table, rows)
    found: dict[Candidate, None] = {}
    for keys in wanted.key_lists():
        for predicate in wanted.predicates():
            found[_candidate(table, "btree", keys, predicate)] = None
    for each in access.conditions:
        for candidate in _of_other_methods(each, table, has_trigrams=has_trigrams):
            found[candidate] = None
    return list(found)[:MOST]


class _Wanted:
    def __init__(self, access: Access, table: QueriedTable, rows: int) -> None:
        self._table = table
        self._rows = max(rows, 1)
        self._access = access
        self._equal = self._keys(Kind.EQUAL, Kind.JOIN)
        self._range = self._keys(Kind.RANGE)
        self._restrictions = tuple(self._restriction(each) for each in access.conditions)

    def _keys(self, *kinds: Kind) -> list[tuple[CandidateKey, float]]:
        """Sortable keys of these conditions with their numbers of values, most values first."""
        found: dict[CandidateKey, float] = {}
        for each in self._access.conditions:
            column = self._table.columns[each.term.column]
            key = key_of(each.term, column) if each.kind in kinds else None
            if key is not None and column.is_sortable:
                found[key] = self._distinct(column)
        return sorted(found.items(), key=lambda item: -item[1])

    def _distinct(self, column: Column) -> float:
        known = column.values.distinct
        return -known * self._rows if known < 0 else known or self._rows

    def key_lists(self) -> Iterator[tuple[CandidateKey, ...]]:
        equal = [key for key, _ in self._equal]
        sort = self._sort()
        ranges = [key for key, _ in self._range if key not in equal]
        for size in range(1, min(len(equal), MOST_KEYS) + 1):
            for chosen in itertools.combinations(self._equal, size):
                keys = tuple(key for key, _ in chosen)
                is_selective = _product(number for _, number in chosen) >= FEWEST_VALUES
                if is_selective:
                    yield keys
                room = MOST_KEYS - len(keys)
                if sort and room >= len(sort) and not set(sort) & set(keys):
                    yield (*keys, *sort)
                if ranges and room:
                    yield (*keys, ranges[0])
        for key in ranges:
            yield (key,)
        if sort and self._access.has_limit and not self._is_filtered():
            yield sort
        if self._partial() and not equal and not ranges and not sort:
            # Nothing to look for but what the predicate says.
            yield (CandidateKey(self._partial()[0].column),)

    def _is_filtered(self) -> bool:
        """Whether an index in the wanted order would have to be read on and on for rows that will do.

        The planner believes that they lie evenly in it, and where they do not, it is badly wrong.
        """
        found = {each.kind for each in self._access.conditions}
        return self._access.others_are_filtered or not found <= {Kind.JOIN, *_RESTRICTIONS}

    def _sort(self) -> tuple[CandidateKey, ...]:
        keys = [_sort_key(each, self._table) for each in self._access.sort]
        sure = [key for key in keys if key is not None]
        if len(sure) < len(keys) or len(keys) > MOST_KEYS:
            return ()
        if all(key.descending and not key.nulls_moved for key in sure):
            # Read backwards, it is the same; and the plain one serves others, too.
            return tuple(CandidateKey(key.column, key.function) for key in sure)
        return tuple(sure)

    def predicates(self) -> Iterator[tuple[Restriction, ...]]:
        partial = self._partial()
        if partial:
            yield partial
        # Where hardly any row is meant, the whole index would be full of others.
        if not partial or self._equal or self._range:
            yield ()

    def _partial(self) -> tuple[Restriction, ...]:
        few = [each for each, share in filter(None, self._restrictions) if share <= PARTIAL_SHARE]
        return tuple(dict.fromkeys(sorted(few, key=lambda each: each.sql)))

    def _restriction(self, condition: Condition) -> tuple[Restriction, float] | None:
        word = _RESTRICTIONS.get(condition.kind)
        if word is None or condition.term.function or condition.term.as_text:
            return None
        column = self._table.columns[condition.term.column]
        return Restriction(column.name, word), _share(word, column)


def _share(word: str, column: Column) -> float:
    """Of the rows, how many a restriction lets pass; all of them where nobody knows."""
    values = column.values
    if not values.distinct and not values.null_fraction:
        return 1
    if word in ("null", "not null"):
        return values.null_fraction if word == "null" else 1 - values.null_fraction
    fractions = dict(zip(values.common_values, values.common_fractions, strict=False))
    return fractions.get("t" if word == "true" else "f", 0.0)


def _product(numbers: Iterable[float]) -> float:
    product = 1.0
    for number in numbers:
        product *= number
    return product


def key_of(term: Term, column: Column) -> CandidateKey | None:
    """The key that finds what a term is compared with; None where no index can be made of it."""
    is_text = column.category == "S"
    if term.as_text and not is_text:
        return None
    if term.function in ("lower", "upper") and not is_text:
        return None
    if term.function == "date" and column.type == "date":
        return CandidateKey(column.name)
    # With a time zone a day begins when the session's says, and what varies cannot be indexed.
    if term.function and not is_text and column.type != "timestamp":
        return None
    return CandidateKey(column.name, term.function)


def _sort_key(sort: SortKey, table: QueriedTable) -> CandidateKey | None:
    column = table.columns[sort.term.column]
    key = key_of(sort.term, column)
    if key is None or not column.is_sortable:
        return None
    # Where there are no NULLs it does not matter where they would go.
    moved = sort.nulls_first != sort.descending and not column.is_not_null
    return CandidateKey(key.column, key.function, descending=sort.descending, nulls_moved=moved)


def _of_other_methods(
    condition: Condition, table: QueriedTable, *, has_trigrams: bool
) -> Iterator[Candidate]:
    column = table.columns[condition.term.column]
    key = key_of(condition.term, column)
    if key is None:
        return
    if (condition.kind is Kind.CONTAINS and column.type == "jsonb") or (
        condition.kind is Kind.CONTAINS and column.category == "A"
    ):
        yield _candidate(table, "gin", (CandidateKey(column.name),))
    elif condition.kind is Kind.PATTERN and column.category == "S":
        if condition.is_prefix is not True and has_trigrams:
            opclass = "gin_trgm_ops"
            yield _candidate(table, "gin", (CandidateKey(key.column, key.function, opclass),))
        elif condition.is_prefix is not False:
            opclass = "" if column.is_c_collated else _pattern_ops(column, key)
            keys = (CandidateKey(key.column, key.function, opclass),)
            yield _candidate(table, "btree", keys, prefixes_only=condition.is_prefix is None)


def _pattern_ops(column: Column, key: CandidateKey) -> str:
    # A function of a varchar is text.
    if key.function or column.type == "text":
        return "text_pattern_ops"
    return {"varchar": "varchar_pattern_ops", "bpchar": "bpchar_pattern_ops"}.get(column.type, "")


def _candidate(
    table: QueriedTable,
    method: str,
    keys: Sequence[CandidateKey],
    predicate: tuple[Restriction, ...] = (),
    *,
    prefixes_only: bool = False,
) -> Candidate:
    return Candidate(
        schema=table.schema,
        table=table.name,
        table_oid=table.oid,
        is_partitioned=table.is_partitioned,
        access_method=method,
        keys=tuple(keys),
        predicate=predicate,
        serves_prefixes_only=prefixes_only,
    )


def concerns(candidate: Candidate, access: Access, table: QueriedTable) -> bool:
    """Whether a candidate that another statement brought up may serve this access as well."""
    if candidate.table_oid != table.oid:
        return False
    asked = {
        Restriction(each.term.column, _RESTRICTIONS[each.kind])
        for each in access.conditions
        if each.kind in _RESTRICTIONS
    }
    if not asked.issuperset(candidate.predicate):
        return False
    first = candidate.keys[0]
    terms = [each.term for each in access.conditions if each.kind not in _RESTRICTIONS]
    terms += [each.term for each in access.sort[:1]]
    return any((term.column, term.function) == (first.column, first.function) for term in terms)
