"""The statements that drop an index, make it again, or give it another name."""

from __future__ import annotations

from django_dbaudit.postgres.indexes import Index
from django_dbaudit.words import quote


def drop_statement(index: Index, *, if_exists: bool = False, in_migration: bool = False) -> str:
    """``in_migration`` leaves the schema to the search path, as Django's own operations do."""
    condition = "IF EXISTS " * if_exists
    name = quote(index.name) if in_migration else quote(index.schema, index.name)
    return f"DROP INDEX {_concurrently(index)}{condition}{name};"


def drop_constraint(index: Index) -> str:
    """Drop the constraint that the index belongs to, and the index with it."""
    return f"ALTER TABLE {quote(index.schema, index.table)} DROP CONSTRAINT {quote(index.name)};"


def create_statement(index: Index, *, in_migration: bool = False) -> str:
    """The statement that makes the index again, in the tablespace where it was."""
    # Deparsed, that of a partitioned index is ON ONLY the root, and it would stay invalid without those
    # of the partitions.
    definition = index.definition.replace(" ON ONLY ", " ON ", 1)
    if in_migration:
        # The beginning is as long as the names, or longer where they need quotes.
        least = len("CREATE INDEX ON ") + len(index.name) + len(index.schema) + len(index.table)
        rest = definition[definition.index(" USING ", least) :]
        head = f"CREATE {'UNIQUE ' * index.is_unique}INDEX"
        definition = f"{head} {quote(index.name)} ON {quote(index.table)}{rest}"
    definition = definition.replace(" INDEX ", f" INDEX {_concurrently(index)}", 1)
    return f"{_with_tablespace(definition, index)};"


def _with_tablespace(definition: str, index: Index) -> str:
    """``pg_get_indexdef`` leaves the tablespace out, which comes before WHERE."""
    if index.tablespace is None:
        return definition
    where = f" WHERE {index.predicate}" if index.predicate else ""
    return f"{definition.removesuffix(where)} TABLESPACE {quote(index.tablespace)}{where}"


def rename_statements(index: Index, name: str, *, in_migration: bool = False) -> tuple[str, str]:
    """There and back; nobody who reads or writes has to wait for it."""
    path = () if in_migration else (index.schema,)
    return (
        f"ALTER INDEX {quote(*path, index.name)} RENAME TO {quote(name)};",
        f"ALTER INDEX {quote(*path, name)} RENAME TO {quote(index.name)};",
    )


def _concurrently(index: Index) -> str:
    # PostgreSQL refuses it for a partitioned index, and for one of its parts.
    return "" if index.is_partitioned or index.parent_oid else "CONCURRENTLY "
