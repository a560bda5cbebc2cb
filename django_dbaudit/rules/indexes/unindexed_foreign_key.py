"""A foreign key without an index: deleting what it refers to reads the whole table.

To delete a row, or to change its key, PostgreSQL looks for rows that refer to it. Without an index
that begins with the foreign key's columns, each look reads the referring table from end to end, once
for each deleted row, while locks are held. Joins from the referenced side suffer likewise.

**What counts as an index.** A usable btree, hash, GiST or SP-GiST index whose first keys are the foreign
key's columns *in any order*, with the column's collation and an operator class that knows the key's
equality. A partial one counts only with ``WHERE fk IS NOT NULL``. Primary keys, unique and exclusion
constraints count. For a partitioned table an index on each partition will do. Where the column has to be
cast to the type of the one that it refers to, an ``integer`` to ``numeric``, no index on it counts.

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

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence

from django_dbaudit import words
from django_dbaudit.analysis.declared_columns import Columns
from django_dbaudit.analysis.foreign_key_support import ForeignKeySupport
from django_dbaudit.analysis.index_names import index_name
from django_dbaudit.analysis.partitions import TableTrees
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity, Subject
from django_dbaudit.postgres.foreign_keys import ForeignKey, ForeignKeys
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndex, DeclaredIndexes
from django_dbaudit.rule import Rule

rule = Rule(code="IDX005", severity=Severity.WARNING, since="0.1")


@rule.check
def unindexed_foreign_key(
    foreign_keys: ForeignKeys,
    support: ForeignKeySupport,
    tables: TableTrees,
    indexes: Indexes,
    columns: Columns,
    declared: DeclaredIndexes,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    wanted = {(each.table, each.columns): each for each in declared.items if _is_whole(each)}
    taken = {each.name for each in indexes.items}.union(*(each.names for each in declared.items))
    # One index serves all keys on the same columns, whatever they refer to: it lacks once.
    unserved: dict[tuple[int, frozenset[str]], list[ForeignKey]] = defaultdict(list)
    for foreign_key in foreign_keys.items:
        if foreign_key.is_inherited or not foreign_key.is_enforced or foreign_key.has_period:
            continue
        unread = support.unread(foreign_key)
        if unread is not None:
            yield rule.not_run(f"{unread.table} is locked, and nobody knows what {unread.name} leaves out")
        if not support.is_served(foreign_key):
            same = frozenset(column.name for column in foreign_key.columns)
            unserved[foreign_key.table_oid, same].append(foreign_key)
    for foreign_key, *others in unserved.values():
        names = tuple(column.name for column in foreign_key.columns)
        field = columns.of(foreign_key.schema, foreign_key.table, names[0])
        in_vain = support.is_indexed_in_vain(foreign_key)
        declared_index = wanted.get((foreign_key.table, names))
        fix = _recast(names) if in_vain else _fix(foreign_key, names, field, declared_index, tables, taken)
        yield _finding(foreign_key, others, tables, field, fix, thresholds, in_vain=in_vain)


def _is_whole(declared: DeclaredIndex) -> bool:
    """Whether it would hold every row, so that it served the key if it were there."""
    return declared.kind != "like" and not (declared.structure and declared.structure.predicate)


def _finding(
    foreign_key: ForeignKey,
    others: Sequence[ForeignKey],
    tables: TableTrees,
    field: DeclaredColumn | None,
    fix: Fix,
    thresholds: Thresholds,
    *,
    in_vain: bool,
) -> Finding:
    names = [column.name for column in foreign_key.columns]
    rows = tables.rows(foreign_key.table_oid)
    referenced = {each.referenced_table_oid: each.referenced_table for each in (foreign_key, *others)}
    parents = [tables.by_oid[oid] for oid in referenced if oid in tables.by_oid]
    why = f"no index begins with {', '.join(names)}"
    if in_vain:
        why = f"no index serves {', '.join(names)} cast to the type in {foreign_key.referenced_table}"
    few = rows < thresholds.unindexed_foreign_key_rows
    return rule.finding(
        Subject(
            "foreign_key",
            f"{foreign_key.qualified_table}.{','.join(names)}",
            foreign_key.qualified_table,
        ),
        f"Deleting from {' or '.join(referenced.values())} reads all of {foreign_key.table} "
        f"({words.count(rows, 'row')}): {why}.",
        severity=Severity.INFO if few else None,
        evidence={
            "constraint": foreign_key.name,
            "on_delete": foreign_key.on_delete,
            "referenced_table": f"{foreign_key.referenced_schema}.{foreign_key.referenced_table}",
            "rows": rows,
            "rows_deleted_from_referenced": sum(parent.rows_deleted for parent in parents),
        },
        location=field.location if field and not field.is_third_party else None,
        fix=fix,
    )


def _recast(names: tuple[str, ...]) -> Fix:
    return Fix("text", f"Give {', '.join(names)} the type of what it refers to; its index will serve then.")


def _fix(
    foreign_key: ForeignKey,
    names: tuple[str, ...],
    field: DeclaredColumn | None,
    wanted: DeclaredIndex | None,
    tables: TableTrees,
    taken: Container[str],
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
    short = index_name(foreign_key.table, names, taken=taken)
    return Fix(
        "migration",
        f"Remove db_index=False from {field.model}.{field.field}; on a large table rather add "
        f"to its Meta.indexes, in a migration with atomic = False:\n"
        "from django.contrib.postgres.operations import AddIndexConcurrently\n"
        f'AddIndexConcurrently("{model}", models.Index(fields=["{field.field}"], name="{short}"))',
    )
