"""How to put a partial index in the place of a whole one: first the new one, then the old one goes."""

from __future__ import annotations

from django_dbaudit.analysis import declaration
from django_dbaudit.analysis.index_names import index_name
from django_dbaudit.analysis.statements import drop_statement
from django_dbaudit.finding import Fix
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.project.schema import DeclaredIndex

#: What the names of partial indexes end with.
PARTIAL, LIKE = "part", "like"


def replacement(
    index: Index,
    declared: DeclaredIndex | None,
    companion: Index | None,
    *,
    predicate: str,
    condition: str,
) -> Fix:
    """``predicate`` is the new index's WHERE, ``condition`` the same for Django.

    ``companion`` is the other index of the same text field, which is to be replaced with it.
    """
    if declared is None:
        return Fix("sql", f"{_create(index, predicate)}\n{drop_statement(index)}")
    if declared.is_third_party or declared.kind in ("through", "bookkeeping"):
        return declaration.drop(index, declared)
    if declared.kind not in ("db_index", "foreign_key", "like"):
        return Fix(
            "migration",
            f"Give it, in {declared.source}, another name and condition={condition}; in the migration, "
            "with atomic = False, put AddIndexConcurrently before RemoveIndexConcurrently.",
        )
    both = [each for each in (index, companion) if each is not None]
    entries = "\n".join(_entry(each, declared, condition) for each in both)
    return Fix(
        "migration",
        f"Put this into Meta.indexes, with AddIndexConcurrently, in a migration with atomic = False:\n"
        f"{entries}\nSet db_index=False on {declared.source} in the migration after it.",
    )


def _create(index: Index, predicate: str) -> str:
    # The name may itself hold " ON "; it is at least as long in the definition as it is.
    begin = index.definition.find(" ON ", len("CREATE INDEX ") + len(index.name))
    concurrently = "" if index.is_partitioned else " CONCURRENTLY"
    return f"CREATE INDEX{concurrently}{index.definition[begin:]} WHERE {predicate};"


def _entry(index: Index, declared: DeclaredIndex, condition: str) -> str:
    opclass = index.keys[0].opclass.rpartition(".")[2]
    is_like = opclass.endswith("_pattern_ops")
    opclasses = f'opclasses=["{opclass}"], ' if is_like else ""
    name = index_name(index.table, declared.columns, LIKE if is_like else PARTIAL)
    return f'models.Index(fields=["{declared.field}"], {opclasses}name="{name}", condition={condition})'
