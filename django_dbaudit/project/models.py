"""Every index that the project's models make, under the name the database has it, with file:line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import connections, models, router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from django_dbaudit.project import bookkeeping, source_lines, structure
from django_dbaudit.project.naming import as_kept, bare, made_up, of_server, schema_of
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndex, DeclaredIndexes

OUR_MODELS = "django_dbaudit.models"

#: Kinds that are a btree over their columns and nothing else.
OF_COLUMNS = frozenset({"unique", "db_index", "foreign_key", "unique_together"})


def read(alias: str) -> DeclaredIndexes:
    """Walk the model registry; the database is not asked.

    An index is traced to its model on every alias, also where migrate makes no table of it: the
    alias of a read replica is such a one.
    """
    editor = connections[alias].schema_editor()
    indexes = [
        replace(each, is_managed=_is_managed(model, alias))
        for model in _models()
        for each in _of_model(model, editor)
    ]
    return DeclaredIndexes(
        (*indexes, *bookkeeping.read()),
        tuple([each for model in _models() for each in _columns(model)]),
        tuple(sorted({_table(model) for model in _models() if _is_wanted(model, alias)})),
    )


def _is_wanted(model: type[models.Model], alias: str) -> bool:
    # Our own tables are only for those who keep records in them.
    return model.__module__ != OUR_MODELS and _is_managed(model, alias)


def _is_managed(model: type[models.Model], alias: str) -> bool:
    """Whether migrate makes its table here: a router or the model itself may be against it."""
    return bool(router.allow_migrate_model(alias, model) and model._meta.can_migrate(connections[alias]))


def _table(model: type[models.Model]) -> str:
    """The table as `DeclaredIndexes` lists it."""
    schema, table = schema_of(model._meta.db_table), bare(model._meta.db_table)
    return f"{schema}.{table}" if schema else table


def _models() -> Iterator[type[models.Model]]:
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy and not model._meta.swapped:
            yield model


def _of_model(model: type[models.Model], editor: BaseDatabaseSchemaEditor) -> Iterator[DeclaredIndex]:
    for field in model._meta.local_fields:
        yield from _of_field(model, field, editor)
    if len(model._meta.pk_fields) > 1:
        yield _declared(
            model,
            (f"{bare(model._meta.db_table)}_pkey",),
            [str(field.column) for field in model._meta.pk_fields],
            kind="primary_key",
            is_unique=True,
            field=model._meta.pk.name,
        )
    for position, index in enumerate(model._meta.indexes):
        columns = _spatial(model, _named(model, [name for name, _ in index.fields_orders]))
        place = _Place(model, "indexes", index.name, position)
        found = _declared(model, (index.name,), columns, kind="meta_index", place=place)
        yield replace(found, structure=structure.read(index, model, editor))
    for position, constraint in enumerate(model._meta.constraints):
        known = structure.read(constraint, model, editor)
        for found in _of_constraint(model, constraint, position):
            yield replace(found, structure=known)
    for position, names in enumerate(model._meta.unique_together):
        columns = _named(model, names)
        place = _Place(model, "unique_together", None, position)
        yield _declared(
            model,
            (made_up(editor, model, columns, "_uniq"),),
            columns,
            kind="unique_together",
            is_unique=True,
            place=place,
        )


def _of_field(
    model: type[models.Model], field: Any, editor: BaseDatabaseSchemaEditor
) -> Iterator[DeclaredIndex]:
    if field.column is None:
        return
    kind = ""
    table, columns = bare(model._meta.db_table), [field.column]
    if field.primary_key:
        kind = "primary_key"
        names: tuple[str, ...] = (of_server(table, "", "pkey"),)
        yield _declared(model, names, columns, kind=kind, is_unique=True, field=field.name)
    elif field.unique:
        kind = "unique"
        # Created with its table it has the server's name, added later it has Django's.
        names = (
            of_server(table, field.column, "key"),
            made_up(editor, model, columns, "_uniq"),
        )
        yield _declared(model, names, columns, kind=kind, is_unique=True, field=field.name)
    elif field.db_index:
        kind = "foreign_key" if field.remote_field else "db_index"
        names = (made_up(editor, model, columns, ""),)
        yield _declared(model, names, columns, kind=kind, field=field.name)
    if (field.db_index or field.unique) and _is_text(field, editor):
        names = (made_up(editor, model, columns, "_like"),)
        yield replace(_declared(model, names, columns, kind="like", field=field.name), beside=kind)
    if getattr(field, "spatial_index", False):
        # GeoDjango's: a gist index, which its own schema editor names.
        names = (made_up(editor, model, columns, "_id"),)
        yield _declared(model, names, _spatial(model, columns), kind="spatial_index", field=field.name)


def _named(model: type[models.Model], fields: Iterable[str]) -> list[str]:
    """The columns of these fields."""
    found: list[Any] = [model._meta.get_field(name) for name in fields]
    return [field.column for field in found]


def _spatial(model: type[models.Model], columns: list[str]) -> list[str]:
    """The columns, unless GeoDjango puts an expression in the place of the only one: a raster's hull."""
    fields = {field.column: field for field in model._meta.local_concrete_fields}
    only = fields.get(columns[0]) if len(columns) == 1 else None
    return [] if getattr(only, "geom_type", "") == "RASTER" else columns


def _columns(model: type[models.Model]) -> Iterator[DeclaredColumn]:
    for field in model._meta.local_fields:
        if field.column is None:
            continue
        owner, name = _owner(model, field.name)
        name = name or field.name
        yield DeclaredColumn(
            table=bare(model._meta.db_table),
            column=field.column,
            model=owner._meta.label,
            field=name,
            # A project's own user model has Django's fields: what counts is who wrote the field.
            is_third_party=source_lines.is_installed(source_lines.declaring_class(owner, name)),
            location=source_lines.field_location(owner, name),
            schema=schema_of(model._meta.db_table),
        )


def _is_text(field: models.Field[Any, Any], editor: BaseDatabaseSchemaEditor) -> bool:
    """Whether Django adds the index that serves LIKE 'x%', as its schema editor decides it."""
    db_type = field.db_type(editor.connection) or ""
    return db_type.startswith(("varchar", "text")) and "[" not in db_type


def _of_constraint(
    model: type[models.Model], constraint: models.BaseConstraint, position: int
) -> Iterator[DeclaredIndex]:
    place = _Place(model, "constraints", constraint.name, position)
    if isinstance(constraint, models.UniqueConstraint):
        columns = _named(model, constraint.fields)
        yield _declared(
            model,
            (constraint.name,),
            columns,
            kind="constraint",
            is_unique=True,
            place=place,
        )
    elif isinstance(constraint, ExclusionConstraint):
        yield _declared(model, (constraint.name,), [], kind="constraint", place=place)


@dataclass(frozen=True, slots=True)
class _Place:
    """An entry of ``Meta``."""

    model: type[models.Model]
    option: str
    name: str | None
    position: int


def _declared(
    model: type[models.Model],
    names: tuple[str, ...],
    columns: list[str],
    *,
    kind: str,
    is_unique: bool = False,
    field: str | None = None,
    place: _Place | None = None,
) -> DeclaredIndex:
    owner, name = _owner(model, field)
    if place and not name:
        written_in = source_lines.meta_class(owner, place.option)
        location = source_lines.meta_location(owner, place.option, place.name, place.position)
    else:
        written_in = source_lines.declaring_class(owner, name or "")
        location = source_lines.field_location(owner, name or "")
    return DeclaredIndex(
        table=bare(model._meta.db_table),
        names=tuple(as_kept(each) for each in names),
        columns=tuple(columns),
        is_unique=is_unique,
        is_primary=kind == "primary_key",
        kind="through" if model._meta.auto_created else kind,
        model=owner._meta.label,
        field=name,
        is_third_party=source_lines.is_installed(written_in),
        location=location,
        schema=schema_of(model._meta.db_table),
        structure=structure.of_columns(columns) if kind in OF_COLUMNS else None,
    )


def _owner(model: type[models.Model], field: str | None) -> tuple[type[models.Model], str | None]:
    """The model and field whose source one would edit: for a through table, the ManyToManyField."""
    # Django's stubs know it as a flag; it is the model that has the ManyToManyField.
    creator = cast("type[models.Model] | None", model._meta.auto_created)
    if not creator:
        return model, field
    for many in creator._meta.local_many_to_many:
        if many.remote_field.through is model:
            return creator, many.name
    return model, field
