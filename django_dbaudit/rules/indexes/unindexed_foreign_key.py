"""A foreign key without an index: deleting what it refers to reads the whole table.

To delete a row, or to change its key, PostgreSQL looks for rows that refer to it. Without an index
that begins with the foreign key's columns, each look reads the referring table from end to end, once
for each deleted row, while locks are held. Joins from the referenced side suffer likewise.

**What counts as an index.** A usable btree or hash index whose first keys are the foreign key's
columns *in any order*, with the column's collation and an operator class that knows the key's
equality. A partial one counts only with ``WHERE fk IS NOT NULL``. Primary keys and unique
constraints count. For a partitioned table an index on each partition will do.

**What is never reported.** The copies of a foreign key on partitions; NOT ENFORCED and temporal
(PERIOD) foreign keys.

**When to leave it alone.** When rows of the referenced table are never deleted, their keys never
change, and nobody asks for the rows of one parent. Below ``UNINDEXED_FOREIGN_KEY_ROWS`` rows (1,000
by default) the finding is only an information.

**How to fix it.** Django indexes every ``ForeignKey`` unless told ``db_index=False``. Remove that, or
add an index that begins with the foreign key to ``Meta.indexes``, with ``AddIndexConcurrently``.

*Source:* `Foreign keys <https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK>`__;
which indexes serve the lookup was verified with EXPLAIN.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis.foreign_key_support import ForeignKeySupport
from django_dbaudit.analysis.partitions import TableTrees
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity, Subject
from django_dbaudit.postgres.foreign_keys import ForeignKey, ForeignKeys
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndex, DeclaredIndexes
from django_dbaudit.rule import Rule

rule = Rule(code="IDX005", severity=Severity.WARNING, since="0.1")


@rule.check
def unindexed_foreign_key(
    foreign_keys: ForeignKeys,
    support: ForeignKeySupport,
    tables: TableTrees,
    declared: DeclaredIndexes,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    columns = {(each.table, each.column): each for each in declared.columns}
    wanted = {(each.table, each.columns): each for each in declared.items if each.kind != "like"}
    for foreign_key in foreign_keys.items:
        if foreign_key.is_inherited or not foreign_key.is_enforced or foreign_key.has_period:
            continue
        if not support.is_served(foreign_key):
            names = tuple(column.name for column in foreign_key.columns)
            field = columns.get((foreign_key.table, names[0]))
            fix = _fix(foreign_key, names, field, wanted.get((foreign_key.table, names)), tables)
            yield _finding(foreign_key, tables, field, fix, thresholds)


def _finding(
    foreign_key: ForeignKey,
    tables: TableTrees,
    field: DeclaredColumn | None,
    fix: Fix,
    thresholds: Thresholds,
) -> Finding:
    names = [column.name for column in foreign_key.columns]
    rows = tables.rows(foreign_key.table_oid)
    parent = tables.by_oid.get(foreign_key.referenced_table_oid)
    deletes = parent.rows_deleted if parent else 0
    few = rows < thresholds.unindexed_foreign_key_rows
    return rule.finding(
        Subject(
            "foreign_key",
            f"{foreign_key.qualified_table}.{','.join(names)}",
            foreign_key.qualified_table,
        ),
        f"Deleting from {foreign_key.referenced_table} reads all of {foreign_key.table} "
        f"({words.count(rows, 'row')}): no index begins with {', '.join(names)}.",
        severity=Severity.INFO if few else None,
        evidence={
            "constraint": foreign_key.name,
            "on_delete": foreign_key.on_delete,
            "referenced_table": f"{foreign_key.referenced_schema}.{foreign_key.referenced_table}",
            "rows": rows,
            "rows_deleted_from_referenced": deletes,
        },
        location=field.location if field and not field.is_third_party else None,
        fix=fix,
    )


def _fix(
    foreign_key: ForeignKey,
    names: tuple[str, ...],
    field: DeclaredColumn | None,
    wanted: DeclaredIndex | None,
    tables: TableTrees,
) -> Fix:
    table = tables.by_oid.get(foreign_key.table_oid)
    concurrently = "" if table and table.is_partitioned else "CONCURRENTLY "
    name = f"{words.quote(wanted.names[0])} " if wanted else ""
    columns = ", ".join(words.quote(each) for each in names)
    statement = (
        f"CREATE INDEX {concurrently}{name}ON {words.quote(foreign_key.schema, foreign_key.table)} "
        f"({columns});"
    )
    if wanted:
        return Fix("text", f"{wanted.source} asks for one, which the database lacks:\n{statement}")
    if field is None or field.is_third_party or len(names) > 1:
        return Fix("sql", statement)
    model = field.model.rpartition(".")[2].lower()
    short = f"{foreign_key.table[:20]}_{names[0]}"[:26].rstrip("_") + "_idx"
    return Fix(
        "migration",
        f"Remove db_index=False from {field.model}.{field.field}; on a large table rather add "
        f"to its Meta.indexes, in a migration with atomic = False:\n"
        "from django.contrib.postgres.operations import AddIndexConcurrently\n"
        f'AddIndexConcurrently("{model}", models.Index(fields=["{field.field}"], name="{short}"))',
    )
