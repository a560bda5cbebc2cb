"""A table without a primary key, and without anything that would do as one.

Two rows of such a table can be equal, and then nothing tells them apart: one of them can be neither
changed nor deleted alone. Logical replication refuses its UPDATEs and DELETEs, tools that repack or
copy tables will not take it, and a Django model on it changes more rows than it means to.

**What counts as a key.** A primary key; or a unique index, not deferrable, without predicate and
without expressions, over columns that are all NOT NULL or with NULLS NOT DISTINCT. A partitioned
table is judged as a whole: a key on each of its partitions will do.

**What is never reported.** Partitions on their own, materialized views, temporary tables, and tables
that belong to an extension.

**When to leave it alone.** A table that is only appended to and read whole, such as a staging area for
imports. An empty table is only an information, as is one of an installed package.

**How to fix it.** Where a model declares a primary key that the table lacks, the database was changed
behind the migrations, or the model is unmanaged: add the key that it believes in. Else make a column
that is unique and never NULL the key, or add one.

*Source:* `Primary keys
<https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-PRIMARY-KEYS>`__,
`Replica identity
<https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-REPLICA-IDENTITY>`__.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.finding import Finding, Fix, NotRun, Severity, Subject
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.tables import Table, Tables
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from django_dbaudit.rule import Rule

rule = Rule(code="IDX008", severity=Severity.WARNING, since="0.1")


@rule.check
def missing_primary_key(
    tables: Tables, indexes: Indexes, declared: DeclaredIndexes
) -> Iterator[Finding | NotRun]:
    schema = _Schema(tables, indexes)
    keys = {each.table: each for each in declared.items if each.is_primary}
    for table in tables.items:
        if table.parent_oid is not None or table.is_materialized_view or table.extension is not None:
            continue
        if not schema.is_keyed(table):
            yield _finding(table, schema.rows(table), keys.get(table.name))


def _tells_rows_apart(index: Index) -> bool:
    if index.is_primary:
        return True
    return (
        index.is_unique
        and index.is_usable
        and index.is_immediate
        and index.predicate is None
        and None not in index.columns
        and (index.nulls_not_distinct or all(key.is_not_null for key in index.keys))
    )


class _Schema:
    """Which tables have a key of their own, and what their partitions add to that."""

    def __init__(self, tables: Tables, indexes: Indexes) -> None:
        self._keyed = {each.table_oid for each in indexes.items if _tells_rows_apart(each)}
        self._partitions: dict[int, list[Table]] = defaultdict(list)
        for table in tables.items:
            if table.parent_oid is not None:
                self._partitions[table.parent_oid].append(table)

    def is_keyed(self, table: Table) -> bool:
        if table.oid in self._keyed:
            return True
        partitions = self._partitions[table.oid]
        return bool(partitions) and all(self.is_keyed(each) for each in partitions)

    def rows(self, table: Table) -> int:
        own = 0 if table.is_partitioned else table.rows
        return own + sum(self.rows(each) for each in self._partitions[table.oid])


def _finding(table: Table, rows: int, key: DeclaredIndex | None) -> Finding:
    mild = rows == 0 or (key is not None and key.is_third_party)
    though = f", though {key.source} is declared as one" if key else ""
    return rule.finding(
        Subject("table", table.qualified_name, table.qualified_name),
        f"{table.name} ({words.count(rows, 'row')}) has no primary key{though}.",
        severity=Severity.INFO if mild else None,
        evidence={
            "rows": rows,
            "rows_updated": table.rows_updated,
            "rows_deleted": table.rows_deleted,
            "declared_by": key.source if key else None,
        },
        location=key.location if key and not key.is_third_party else None,
        fix=_fix(table, key),
    )


def _fix(table: Table, key: DeclaredIndex | None) -> Fix:
    name = words.quote(table.schema, table.name)
    if key:
        columns = ", ".join(words.quote(column) for column in key.columns)
        return Fix("sql", f"ALTER TABLE {name} ADD PRIMARY KEY ({columns});")
    if table.is_partitioned:
        return Fix("text", "Add a primary key that holds the columns of the partition key.")
    return Fix(
        "text",
        "Make columns that are unique and never NULL the key: "
        f"ALTER TABLE {name} ADD PRIMARY KEY (…);\n"
        "or add a column, which rewrites the table under a lock: "
        f"ALTER TABLE {name} ADD COLUMN … bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY;",
    )
