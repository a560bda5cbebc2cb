"""Whether an index that there is already does what a candidate would do."""

from __future__ import annotations

from collections.abc import Iterable

from django_dbaudit.postgres.indexes import Index, IndexKey
from django_dbaudit.postgres.plans import Candidate, CandidateKey


def is_served(candidate: Candidate, indexes: Iterable[Index]) -> bool:
    """An invalid index counts: it is to be built again, which another rule says, and not made twice."""
    return any(serves(index, candidate) for index in indexes if index.table_oid == candidate.table_oid)


def serves(index: Index, candidate: Candidate) -> bool:
    if candidate.access_method == "gin":
        return (
            index.access_method in ("gin", "gist")
            and index.predicate is None
            and any(_is_same(key, candidate.keys[0]) for key in index.keys)
        )
    if index.access_method not in ("btree", "hash"):
        return False
    if index.predicate is not None and index.predicate != predicate_of(candidate):
        return False
    wanted = candidate.keys
    if index.is_unique and index.predicate is None and _begins_with(index, candidate):
        # Whatever comes after, there is but one such row.
        return True
    if len(index.keys) < len(wanted) or not all(map(_is_same, index.keys, wanted)):
        return False
    theirs = [(key.descending, key.nulls_first) for key in index.keys[: len(wanted)]]
    ours = [(key.descending, key.descending != key.nulls_moved) for key in wanted]
    mirror = [(not descending, not nulls_first) for descending, nulls_first in ours]
    # Of equalities alone the direction does not matter; the candidate then has none.
    return theirs in (ours, mirror) or not any(descending or moved for descending, moved in _turns(wanted))


def _begins_with(index: Index, candidate: Candidate) -> bool:
    first = candidate.keys[: len(index.keys)]
    return {key.column for key in first if not key.function} == set(index.columns)


def _turns(keys: Iterable[CandidateKey]) -> list[tuple[bool, bool]]:
    return [(key.descending, key.nulls_moved) for key in keys]


def _is_same(key: IndexKey, wanted: CandidateKey) -> bool:
    opclass = key.opclass.rpartition(".")[2]
    if wanted.opclass:
        if opclass != wanted.opclass and (wanted.opclass, opclass) not in _ALIKE:
            return False
    elif opclass.endswith("_pattern_ops") and not wanted.opclass:
        # It finds equal values, but neither ranges nor an order; a plain one would be put beside it.
        return False
    if not wanted.function:
        return key.column == wanted.column
    return key.column is None and _bare(key.definition) == _bare(wanted.sql.replace(wanted.opclass, ""))


_ALIKE = frozenset(
    {
        ("text_pattern_ops", "varchar_pattern_ops"),
        ("varchar_pattern_ops", "text_pattern_ops"),
        ("gin_trgm_ops", "gist_trgm_ops"),
    }
)


def _bare(expression: str) -> str:
    """An expression without what deparsing adds: casts to text, parentheses, quotes."""
    for noise in ("::text", "(", ")", '"', " DESC", " NULLS LAST", " NULLS FIRST", " "):
        expression = expression.replace(noise, "")
    return expression


def predicate_of(candidate: Candidate) -> str:
    """As PostgreSQL would deparse it, for names that need no quotes."""
    parts = []
    for each in candidate.predicate:
        column = each.column
        parts.append(
            {
                "null": f"({column} IS NULL)",
                "not null": f"({column} IS NOT NULL)",
                "true": column,
                "false": f"(NOT {column})",
            }[each.word]
        )
    return parts[0] if len(parts) == 1 else f"({' AND '.join(parts)})"
