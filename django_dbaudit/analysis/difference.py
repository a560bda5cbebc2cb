"""In what an index of the database differs from the one that a model declares.

Only what is certain counts: storage parameters and tablespaces are tuning, a btree that is the other's
mirror image serves the same queries, and of conditions and expressions `sql_text` says what can be told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django_dbaudit.analysis import sql_text
from django_dbaudit.postgres.indexes import Index, IndexKey
from django_dbaudit.project.schema import DeclaredIndex
from django_dbaudit.project.structure import DeclaredKey, Structure


def differences(index: Index, declared: DeclaredIndex, columns: Collection[str]) -> list[str]:
    """What the index has otherwise, in words that follow its name; ``columns`` are its table's."""
    # The primary key of a partitioned table has to have the partition key in it.
    if declared.is_primary:
        return []
    found = list(_of_uniqueness(index, declared))
    if declared.structure is not None:
        return [*_of_structure(index, declared.structure, columns), *found]
    if declared.columns and index.columns != declared.columns:
        found.insert(0, _on(index))
    return found


def _of_uniqueness(index: Index, declared: DeclaredIndex) -> Iterator[str]:
    if index.is_unique != declared.is_unique and not index.is_exclusion:
        yield "which is unique" if index.is_unique else "which is not unique"


def _of_structure(index: Index, wanted: Structure, columns: Collection[str]) -> Iterator[str]:
    if index.access_method != wanted.access_method:
        yield f"by {index.access_method} and not {wanted.access_method}"
    if not _are_same_keys(index, wanted, columns):
        yield _on(index)
    if set(index.include) != set(wanted.include):
        yield f"including {', '.join(index.include)}" if index.include else "without INCLUDE"
    yield from _of_predicate(index, wanted, columns)
    if index.is_unique and index.nulls_not_distinct != wanted.nulls_not_distinct:
        yield "with NULLS NOT DISTINCT" if index.nulls_not_distinct else "with NULLS DISTINCT"
    if index.constraints and index.is_immediate == wanted.is_deferrable:
        yield "not deferrable" if index.is_immediate else "deferrable"


def _of_predicate(index: Index, wanted: Structure, columns: Collection[str]) -> Iterator[str]:
    has, wants = index.predicate, wanted.predicate
    if wants is None and has is not None:
        yield f"WHERE {has}" if index.is_deparsed else "over a part of the rows"
    elif has is None and wants is not None:
        yield "over all rows"
    elif has and wants and index.is_deparsed and sql_text.differ(wants, has, columns):
        yield f"WHERE {has}"


def _are_same_keys(index: Index, wanted: Structure, columns: Collection[str]) -> bool:
    if len(index.keys) != len(wanted.keys):
        return False
    pairs = list(zip(index.keys, wanted.keys, strict=True))
    if not all(_is_same_key(has, wants, index, columns) for has, wants in pairs):
        return False
    if index.access_method != "btree":
        return True
    turned = {
        (has.descending != wants.descending, has.nulls_first != wants.nulls_first) for has, wants in pairs
    }
    # All alike, or all the other way round: an index is read backwards as well.
    return turned in ({(False, False)}, {(True, True)})


def _is_same_key(has: IndexKey, wants: DeclaredKey, index: Index, columns: Collection[str]) -> bool:
    if has.column != wants.column:
        return False
    if (
        has.column is None
        and index.is_deparsed
        and sql_text.differ(wants.definition, has.definition, columns)
    ):
        return False
    if wants.opclass:
        return wants.opclass.rpartition(".")[2].lower() == has.opclass.rpartition(".")[2]
    return has.is_default_opclass is not False


def _on(index: Index) -> str:
    """The keys, with all that makes them differ from plain ones."""
    return f"on ({', '.join(_key(each) for each in index.keys)})"


def _key(key: IndexKey) -> str:
    opclass = f" {key.opclass.rpartition('.')[2]}" if key.is_default_opclass is False else ""
    nulls = " NULLS FIRST" if key.nulls_first else " NULLS LAST"
    return key.definition + opclass + " DESC" * key.descending + nulls * (key.nulls_first != key.descending)
