"""An index that there is not yet, as Django would have it declared, or as SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django_dbaudit.analysis.index_names import index_name
from django_dbaudit.finding import Fix
from django_dbaudit.postgres.plans import Candidate, CandidateKey, Restriction
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndexes
from django_dbaudit.words import quote

Fields = Mapping[tuple[str, str], DeclaredColumn]

_FUNCTIONS = {"lower": "Lower", "upper": "Upper"}
_IMPORTS = {
    "AddIndexConcurrently": "from django.contrib.postgres.operations import AddIndexConcurrently",
    "GinIndex(": "from django.contrib.postgres.indexes import GinIndex",
    "OpClass(": "from django.contrib.postgres.indexes import OpClass",
    "Cast(": "from django.db.models.functions import Cast",
    "Lower(": "from django.db.models.functions import Lower",
    "Trunc(": "from django.db.models.functions import Trunc",
    "Upper(": "from django.db.models.functions import Upper",
}


def fields_of(declared: DeclaredIndexes) -> Fields:
    """The fields of all models by table and column."""
    return {(each.table, each.column): each for each in declared.columns}


def owner(candidate: Candidate, fields: Fields) -> DeclaredColumn | None:
    """The field of its first key, whose model is to be edited; None where no model has all its columns."""
    columns = [*(key.column for key in candidate.keys), *(each.column for each in candidate.predicate)]
    if any((candidate.table, column) not in fields for column in columns):
        return None
    return fields[candidate.table, columns[0]]


def identity(candidate: Candidate) -> tuple[str, str]:
    """What tells it from others, whatever it will be called: its table, and what comes after USING."""
    return candidate.qualified_table, candidate.target.partition(" USING ")[2]


def name_of(candidate: Candidate, taken: Collection[str]) -> str:
    """At most 30 characters, as Django wants them, and no index' name yet."""
    # Several candidates of one column differ in what comes with it.
    columns = [key.column for key in candidate.keys]
    words = [key.function.partition(":")[0] for key in candidate.keys if key.function]
    words += [each.word.replace(" ", "_") for each in candidate.predicate]
    suffix = {"btree": "idx", "gin": "gin"}[candidate.access_method]
    if any(key.opclass.endswith("_pattern_ops") for key in candidate.keys):
        suffix = "like"
    return index_name(candidate.table, [*columns, *words], suffix, taken)


def fix(candidate: Candidate, fields: Fields, taken: Collection[str]) -> Fix:
    """The entry of ``Meta.indexes`` and the migration; for tables of nobody's models the statement."""
    name = name_of(candidate, taken)
    field = owner(candidate, fields)
    if field is None:
        return Fix("sql", statement(candidate, name))
    if field.is_third_party:
        return Fix(
            "text",
            f"{field.model} is not this project's code: make the index in a migration of an app of yours, "
            f"with atomic = False:\nmigrations.RunSQL(\n    {statement(candidate, name)!r},\n"
            f"    {_drop(candidate, name)!r},\n)",
        )
    return Fix("migration", _migration(candidate, field, entry(candidate, fields, name)))


def _migration(candidate: Candidate, field: DeclaredColumn, entry: str) -> str:
    app, _, model = field.model.rpartition(".")
    if candidate.is_partitioned:
        # PostgreSQL refuses to make a partitioned index concurrently.
        where, operation = f"in a migration of {app}", f'migrations.AddIndex("{model.lower()}", {entry})'
    else:
        where = f"in a migration of {app} with atomic = False"
        operation = f'AddIndexConcurrently("{model.lower()}", {entry})'
    imports = [line for word, line in _IMPORTS.items() if word in operation or word + "(" in operation]
    lines = "".join(f"{line}\n" for line in imports)
    return f"Put this into Meta.indexes of {field.model}:\n{entry}\nand {where}:\n{lines}{operation}"


def statement(candidate: Candidate, name: str) -> str:
    concurrently = "" if candidate.is_partitioned else "CONCURRENTLY "
    return f"CREATE INDEX {concurrently}{quote(name)} ON {candidate.target};"


def _drop(candidate: Candidate, name: str) -> str:
    concurrently = "" if candidate.is_partitioned else "CONCURRENTLY "
    return f"DROP INDEX {concurrently}{quote(candidate.schema, name)};"


def entry(candidate: Candidate, fields: Fields, name: str) -> str:
    """An element of ``Meta.indexes``."""
    kind = "GinIndex" if candidate.access_method == "gin" else "models.Index"
    words = [*_keys(candidate, fields), f'name="{name}"', *_condition(candidate, fields)]
    return f"{kind}({', '.join(words)})"


def _keys(candidate: Candidate, fields: Fields) -> list[str]:
    keys = candidate.keys
    names = [fields[candidate.table, key.column].field for key in keys]
    if not any(key.function or key.nulls_moved for key in keys):
        listed = ", ".join(f'"{"-" * key.descending}{name}"' for key, name in zip(keys, names, strict=True))
        opclasses = [key.opclass for key in keys if key.opclass]
        found = f", opclasses={opclasses!r}".replace("'", '"') if opclasses else ""
        return [f"fields=[{listed}]{found}"]
    return [_expression(key, name) for key, name in zip(keys, names, strict=True)]


def _expression(key: CandidateKey, name: str) -> str:
    function, _, unit = key.function.partition(":")
    if function == "date":
        text = f'Cast("{name}", models.DateField())'
    elif unit:
        text = f'Trunc("{name}", "{unit}")'
    elif function:
        text = f'{_FUNCTIONS[function]}("{name}")'
    else:
        text = f'models.F("{name}")'
    if key.descending or key.nulls_moved:
        nulls = ("nulls_last=True" if key.descending else "nulls_first=True") * key.nulls_moved
        text += f".{'desc' if key.descending else 'asc'}({nulls})"
    return f'OpClass({text}, name="{key.opclass}")' if key.opclass else text


def _condition(candidate: Candidate, fields: Fields) -> list[str]:
    if not candidate.predicate:
        return []
    parts = ", ".join(
        _lookup(each, fields[candidate.table, each.column].field) for each in candidate.predicate
    )
    return [f"condition=models.Q({parts})"]


def _lookup(restriction: Restriction, field: str) -> str:
    return {
        "null": f"{field}__isnull=True",
        "not null": f"{field}__isnull=False",
        "true": f"{field}=True",
        "false": f"{field}=False",
    }[restriction.word]
