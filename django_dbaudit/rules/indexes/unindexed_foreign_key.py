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

from collections import defaultdict
from collections.abc import Container, Iterator

from django_dbaudit import words
from django_dbaudit.analysis.declaration import Columns
from django_dbaudit.analysis.foreign_key_support import supports
from django_dbaudit.analysis.index_names import index_name
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity, Subject
from django_dbaudit.postgres.foreign_keys import ForeignKey, ForeignKeys
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndex, DeclaredIndexes
from django_dbaudit.rule import Rule

rule = Rule(code="IDX005", severity=Severity.WARNING, since="0.1")


@rule.check
def unindexed_foreign_key(
    foreign_keys: ForeignKeys,
    indexes: Indexes,
    tables: Tables,
    declared: DeclaredIndexes,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    schema = _Schema(indexes, tables)
    columns = Columns(declared)
    wanted = {(each.table, each.columns): each for each in declared.items if _is_whole(each)}
    taken = {each.name for each in indexes.items}.union(*(each.names for each in declared.items))
    for foreign_key in foreign_keys.items:
        if foreign_key.is_inherited or not foreign_key.is_enforced or foreign_key.has_period:
            continue
        unread = schema.unread(foreign_key, foreign_key.table_oid)
        if unread is not None:
            yield rule.not_run(f"{unread.table} is locked, and nobody knows what {unread.name} leaves out")
        if not schema.is_served(foreign_key, foreign_key.table_oid):
            names = tuple(column.name for column in foreign_key.columns)
            field = columns.of(foreign_key.schema, foreign_key.table, names[0])
            asked = wanted.get((foreign_key.table, names))
            fix = _fix(foreign_key, names, field, asked, schema, taken)
            yield _finding(foreign_key, schema, field, fix, thresholds)


def _is_whole(declared: DeclaredIndex) -> bool:
    """Whether it would hold every row, so that it served the key if it were there."""
    return declared.kind != "like" and not (declared.structure and declared.structure.predicate)


class _Schema:
    """The indexes of each table, and the partitions of each partitioned one."""

    def __init__(self, indexes: Indexes, tables: Tables) -> None:
        self.tables = {table.oid: table for table in tables.items}
        self._partitions: dict[int, list[Table]] = defaultdict(list)
        for table in tables.items:
            if table.parent_oid is not None:
                self._partitions[table.parent_oid].append(table)
        self._indexes: dict[int, list[Index]] = defaultdict(list)
        for index in indexes.items:
            self._indexes[index.table_oid].append(index)

    def is_served(self, foreign_key: ForeignKey, table: int) -> bool:
        if any(supports(index, foreign_key, table) for index in self._indexes[table]):
            return True
        partitions = self._partitions[table]
        return bool(partitions) and all(self.is_served(foreign_key, each.oid) for each in partitions)

    def unread(self, foreign_key: ForeignKey, table: int) -> Index | None:
        """An index that serves the key only if its predicate, which could not be read, lets it."""
        serving = [each for each in self._indexes[table] if supports(each, foreign_key, table)]
        if serving:
            known = any(each.is_deparsed or each.predicate is None for each in serving)
            return None if known else serving[0]
        parts = (self.unread(foreign_key, each.oid) for each in self._partitions[table])
        return next((each for each in parts if each is not None), None)

    def rows(self, table: int) -> int:
        known = self.tables.get(table)
        own = known.rows if known and not known.is_partitioned else 0
        return own + sum(self.rows(each.oid) for each in self._partitions[table])


def _finding(
    foreign_key: ForeignKey,
    schema: _Schema,
    field: DeclaredColumn | None,
    fix: Fix,
    thresholds: Thresholds,
) -> Finding:
    names = [column.name for column in foreign_key.columns]
    rows = schema.rows(foreign_key.table_oid)
    parent = schema.tables.get(foreign_key.referenced_table_oid)
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
    schema: _Schema,
    taken: Container[str],
) -> Fix:
    table = schema.tables.get(foreign_key.table_oid)
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
