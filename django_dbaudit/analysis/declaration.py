"""From an index in the database to the model that asks for it, and to the edit that drops it."""

from __future__ import annotations

from django_dbaudit.finding import Fix, Location, Related, Severity, Subject
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from django_dbaudit.words import quote


class Declarations:
    """Looks up what declares an index, by its name and, where names have moved on, by its columns."""

    def __init__(self, declared: DeclaredIndexes) -> None:
        self._by_name: dict[tuple[str, str], DeclaredIndex] = {}
        self._by_columns: dict[tuple[str, tuple[str | None, ...], bool, bool], DeclaredIndex] = {}
        for each in declared.items:
            for name in each.names:
                self._by_name[each.table, name] = each
            if each.field:
                key = each.table, each.columns, each.is_unique, each.kind == "like"
                self._by_columns.setdefault(key, each)

    def of(self, index: Index) -> DeclaredIndex | None:
        named = self._by_name.get((index.table, index.name))
        if named is not None or index.predicate is not None or index.include:
            return named
        is_like = index.keys[-1].opclass.endswith("_pattern_ops")
        key = index.table, index.columns, index.is_unique, is_like
        found = self._by_columns.get(key)
        # A second index on the columns of a field is not the field's own if that one is there too.
        return found if found and self._is_ours_by_name(index, found) else None

    @staticmethod
    def _is_ours_by_name(index: Index, declared: DeclaredIndex) -> bool:
        """Whether the name is one that Django makes up: the table's or an older one's, and a hash."""
        suffix = {"like": "_like", "unique": "_uniq"}.get(declared.kind, "")
        stem = index.name.removesuffix(suffix) if suffix else index.name
        digits = stem.rpartition("_")[2]
        return len(digits) == 8 and all(digit in "0123456789abcdef" for digit in digits)


def subject(index: Index) -> Subject:
    return Subject("index", index.qualified_name, index.qualified_table)


def related(index: Index, declarations: Declarations) -> Related:
    return Related("index", index.qualified_name, location(declarations.of(index)))


def location(declared: DeclaredIndex | None) -> Location | None:
    return declared.location if declared else None


def severity(declared: DeclaredIndex | None, otherwise: Severity) -> Severity:
    """Less where the project's models cannot say it otherwise."""
    if declared is not None and (declared.is_third_party or declared.kind == "through"):
        return Severity.INFO
    return otherwise


def drop(index: Index, declared: DeclaredIndex | None) -> Fix:
    """How to be rid of an index for good: where it is declared first, else it will come back."""
    if declared is None:
        return Fix("sql", drop_statement(index))
    if declared.is_third_party or declared.kind == "through":
        why = "not this project's code" if declared.is_third_party else "made by Django"
        return Fix(
            "migration",
            f"It is {why} ({declared.source}): leave it, or drop it with RunSQL in a migration:\n"
            f"{drop_statement(index)}",
        )
    if declared.kind == "meta_index":
        app, _, model = declared.model.rpartition(".")
        concurrently = "" if index.is_partitioned else "Concurrently"
        return Fix(
            "migration",
            f"Remove it from {declared.source}, and in a migration of {app}"
            f"{' with atomic = False' if concurrently else ''}:\n"
            f'RemoveIndex{concurrently}("{model.lower()}", "{index.name}")',
        )
    return Fix("migration", f"{_EDITS[declared.kind].format(declared.source)}, then makemigrations.")


_EDITS = {
    "db_index": "Remove db_index=True from {}",
    "foreign_key": "Set db_index=False on {}",
    "like": "It is the _like companion of {}: replace db_index=True by an entry in Meta.indexes",
    "unique": "Remove unique=True from {}",
    "primary_key": "It belongs to the primary key {}",
    "constraint": "Remove it from {}",
    "unique_together": "Remove it from {}",
}


def drop_statement(index: Index) -> str:
    # PostgreSQL refuses to drop a partitioned index concurrently.
    concurrently = "" if index.is_partitioned or index.parent_oid else "CONCURRENTLY "
    return f"DROP INDEX {concurrently}{quote(index.schema, index.name)};"
