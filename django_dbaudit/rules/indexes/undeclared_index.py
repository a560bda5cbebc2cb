"""An index on a model's table that no model declares.

Whoever reads the model does not know of it, and nothing in the project drops or renames it with its
column. One that was made by hand is in this database alone: the next one, or the one of the tests, is
slower without it.

**What counts.** Usable indexes on tables of managed models that no field and no ``Meta`` asks for,
under any name that Django or PostgreSQL may have given it. Where a migration's ``RunSQL`` creates it,
the finding says which: no migration is run for that, and the database is not asked.

**What is never reported.** Indexes of constraints and of extensions; replica identity; indexes of
partitions, whose business is their partitioned table; tables without a model, and those of models with
``managed = False``.

**When to leave it alone.** When Django cannot say it: a ``RunSQL`` migration is then its right place.

**How to fix it.** Declare it in ``Meta.indexes`` under the name that it has, and let a migration with
``SeparateDatabaseAndState`` tell only Django's state of it. Or drop it, if nothing reads it.

*Source:* `SeparateDatabaseAndState
<https://docs.djangoproject.com/en/stable/ref/migration-operations/#separatedatabaseandstate>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import declaration
from django_dbaudit.analysis.correspondence import Correspondence
from django_dbaudit.analysis.declared_columns import Columns
from django_dbaudit.analysis.redundancy import protection
from django_dbaudit.analysis.statements import drop_statement
from django_dbaudit.finding import Finding, Fix, NotRun, Severity
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.project.migrations import MigrationIndex, MigrationIndexes
from django_dbaudit.rule import Rule

rule = Rule(code="IDX014", severity=Severity.INFO, since="0.1")


@rule.check
def undeclared_index(
    correspondence: Correspondence, columns: Columns, migrations: MigrationIndexes
) -> Iterator[Finding | NotRun]:
    made = {each.name: each for each in migrations.items}
    for index in correspondence.undeclared:
        if index.is_usable and protection(index) in (None, "CLUSTER order"):
            made_for = columns.of_table(index.schema, index.table)
            yield _finding(index, made_for.model if made_for else "", made.get(index.name))


def _finding(index: Index, model: str, made: MigrationIndex | None) -> Finding:
    by = f"RunSQL in {made.migration} makes it" if made else "no migration's RunSQL names it"
    text = (
        f"Declare it in {model} Meta.indexes under its name, and tell only Django's state of it:\n"
        "migrations.SeparateDatabaseAndState(state_operations=[migrations.AddIndex(…)])"
    )
    if not made:
        text += f"\n-- or, if nobody needs it:\n{drop_statement(index)}"
    return rule.finding(
        declaration.subject(index),
        f"{index.name} ({words.size(index.size_bytes)}) on {index.table} is declared by no model; {by}.",
        evidence={
            "migration": made.migration if made else None,
            "definition": index.definition,
            "size_bytes": index.size_bytes,
            "scans": index.scans,
        },
        location=made.location if made else None,
        fix=Fix("text", text),
    )
