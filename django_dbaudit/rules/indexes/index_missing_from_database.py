"""An index, or a table, that a model declares and the database does not have.

The model promises what is not there: queries read the whole table, and where the index belongs to a
unique constraint nothing keeps duplicates out. A migration that removes or alters it will fail.

**What counts as there.** An index of any name that Django or PostgreSQL may have given it; the one that
a renamed field, table or constraint left behind; an index of another name that is the same otherwise.
An index that has the name but is another one is reported, and in what: columns, their order and
directions, operator classes, access method, INCLUDE, whether it is unique, deferrable, or partial, NULLS
NOT DISTINCT. Of conditions and expressions, which PostgreSQL writes in its own way, it is the columns,
constants, NULL tests and common functions in them that are compared; where that leaves a doubt, nothing
is said. Of a table that is missing altogether only that is said, once.

**What is never reported.** Storage parameters and tablespaces, which are tuning; a btree that is the
mirror image of the one declared and serves the same queries; models with ``managed = False``, swapped
ones, and those that a database router keeps off this alias; our own tables, which only ``indexreport
--snapshot`` needs; ``_like`` companions on columns with a collation of their own, for which Django may
make none. Without the table ``django_migrations`` this rule is *not run*: Django's models are then not
what this database is made from.

**When to leave it alone.** While a deployment is under way: new code, old schema. A view or a foreign
table in the table's place is no table either: such a model wants ``managed = False``. A ``_like`` index
that is missing is only an information, because Django itself makes none when an indexed field
becomes a ``CharField``.

**How to fix it.** ``manage.py migrate``, in most cases. If every migration is applied, somebody dropped
the index by hand: create it again, or take it out of the model as well.

*Source:* `Migrations <https://docs.djangoproject.com/en/stable/topics/migrations/>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import declaration
from django_dbaudit.analysis.correspondence import Correspondence, Lacking
from django_dbaudit.analysis.declared_columns import Columns
from django_dbaudit.finding import Finding, Fix, NotRun, Severity, Subject
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.schema import DeclaredColumn
from django_dbaudit.project.structure import DeclaredKey, Structure
from django_dbaudit.rule import Rule

#: Django's own table, there since the first migration.
RECORDER = "django_migrations"

rule = Rule(code="IDX013", severity=Severity.WARNING, since="0.1")


@rule.check
def index_missing_from_database(
    tables: Tables, columns: Columns, found: Correspondence
) -> Iterator[Finding | NotRun]:
    if all(table.name != RECORDER for table in tables.items):
        yield rule.not_run(f"there is no table {RECORDER}: no migration was ever applied here")
        return
    for name in found.tables:
        schema, _, table = name.rpartition(".")
        yield _table(name, columns.of_table(schema, table))
    for each in found.lacking:
        yield _index(each)


def _table(name: str, column: DeclaredColumn | None) -> Finding:
    model = column.model if column else name
    app = model.partition(".")[0]
    return rule.finding(
        Subject("table", name, name),
        f"{name}, the table of {model}, is not in the database.",
        evidence={"model": model},
        location=column.location if column and not column.is_third_party else None,
        fix=Fix("text", f"A migration of {app} is not applied: run manage.py migrate {app}."),
    )


def _index(lacking: Lacking) -> Finding:
    declared, table, instead = lacking.declared, lacking.table, lacking.instead
    on = f" ({', '.join(declared.columns)})" if declared.columns else ""
    unique = "a unique index" if declared.is_unique else "an index"
    if instead is not None:
        on = _wanted(declared.structure) or on
        rest = f"and the database has {instead.name} {', '.join(lacking.differences)}."
    else:
        rest = "which the database does not have."
    return rule.finding(
        Subject("index", f"{table.schema}.{declared.names[0]}", table.qualified_name),
        f"{declared.source} asks for {unique} on {declared.table}{on}, {rest}",
        severity=Severity.INFO if declared.kind == "like" else None,
        evidence={
            "names": list(declared.names),
            "columns": list(declared.columns),
            "definition": instead.definition if instead else None,
            "differences": list(lacking.differences),
            "rows": table.rows,
            **declaration.evidence(declared),
        },
        location=declaration.location(declared),
        fix=_fix(lacking),
    )


def _wanted(structure: Structure | None) -> str:
    """All that is asked for, where something of it is otherwise."""
    if structure is None:
        return ""
    using = f" using {structure.access_method}" if structure.access_method != "btree" else ""
    keys = ", ".join(_key(each) for each in structure.keys)
    include = f" including {', '.join(structure.include)}" if structure.include else ""
    where = f" WHERE {structure.predicate}" if structure.predicate else ""
    return f"{using} ({keys}){include}{where}"


def _key(key: DeclaredKey) -> str:
    opclass = f" {key.opclass}" if key.opclass else ""
    return key.definition + opclass + " DESC" * key.descending


def _fix(lacking: Lacking) -> Fix:
    declared, table = lacking.declared, lacking.table
    app = declared.model.partition(".")[0]
    text = (
        f"Mostly a migration is not applied yet: look with manage.py showmigrations {app}, and migrate. "
        "If all are applied, somebody changed the database by hand; "
    )
    if declared.kind not in ("db_index", "foreign_key") or lacking.instead:
        return Fix("text", f"{text}then create it as the model has it, or take it out of the model too.")
    concurrently = "" if table.is_partitioned else "CONCURRENTLY "
    name, columns = words.quote(declared.names[0]), ", ".join(map(words.quote, declared.columns))
    statement = f"CREATE INDEX {concurrently}{name} ON {words.quote(table.schema, table.name)} ({columns});"
    # The statement on a line of its own, to be copied.
    return Fix("text", f"{text}then create it again:\n{statement}")
