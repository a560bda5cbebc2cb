"""What a model wants of an index beyond its columns, as far as it can be known without a server."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.indexes import OpClass, PostgresIndex
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.expressions import F, OrderBy
from django.db.models.functions import Collate
from django.db.models.sql import Query


@dataclass(frozen=True, slots=True)
class DeclaredKey:
    """One key of a declared index."""

    #: The column, or the expression as Django's SQL has it.
    definition: str
    #: Name of the column; None for an expression.
    column: str | None
    #: As declared, without a schema; None for the type's default.
    opclass: str | None = None
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Structure:
    """An index as Django's schema editor would create it."""

    access_method: str
    keys: tuple[DeclaredKey, ...]
    #: Columns of INCLUDE.
    include: tuple[str, ...] = ()
    #: WHERE, as Django's SQL has it.
    predicate: str | None = None
    nulls_not_distinct: bool = False
    is_deferrable: bool = False


def of_columns(columns: Iterable[str]) -> Structure:
    """A btree that asks for nothing special, such as a field's own."""
    return Structure("btree", tuple(DeclaredKey(each, each) for each in columns))


def read(
    declared: models.Index | models.BaseConstraint,
    model: type[models.Model],
    editor: BaseDatabaseSchemaEditor,
) -> Structure | None:
    """The structure of an entry of ``Meta``; None where its class makes what only itself knows."""
    reader = _Reader(model, editor)
    try:
        if isinstance(declared, models.Index):
            return reader.index(declared)
        if isinstance(declared, models.UniqueConstraint):
            return reader.unique(declared)
        if isinstance(declared, ExclusionConstraint):
            return reader.exclusion(declared)
    except Exception:  # noqa: BLE001  # expressions are the project's own code, which may raise anything
        return None
    return None


class _Reader:
    """Django's stubs know few attributes of constraints and expressions: these are ``Any`` here."""

    def __init__(self, model: type[models.Model], editor: BaseDatabaseSchemaEditor) -> None:
        self._model = model
        self._editor = editor

    def index(self, index: models.Index) -> Structure | None:
        if _is_overridden(index, "create_sql") or self._is_spatial(index):
            return None
        if index.expressions:
            keys = self._expressions(index.expressions)
        else:
            keys = self._fields(index.fields_orders, index.opclasses)
        return Structure(
            _access_method(index), keys, self._columns(index.include), self._sql(index.condition)
        )

    def unique(self, constraint: Any) -> Structure | None:
        if _is_overridden(constraint, "create_sql"):
            return None
        if constraint.expressions:
            keys = self._expressions(constraint.expressions)
        else:
            keys = self._fields([(name, "") for name in constraint.fields], constraint.opclasses)
        return Structure(
            "btree",
            keys,
            self._columns(constraint.include),
            self._sql(constraint.condition),
            nulls_not_distinct=constraint.nulls_distinct is False,
            is_deferrable=constraint.deferrable is not None,
        )

    def exclusion(self, constraint: Any) -> Structure | None:
        if _is_overridden(constraint, "create_sql"):
            return None
        expressions = [F(each) if isinstance(each, str) else each for each, _ in constraint.expressions]
        return Structure(
            constraint.index_type.lower(),
            self._expressions(expressions),
            self._columns(constraint.include),
            self._sql(constraint.condition),
            is_deferrable=constraint.deferrable is not None,
        )

    def _is_spatial(self, index: models.Index) -> bool:
        """GeoDjango makes each index of one geometry alone a gist, whatever its class and condition."""
        fields = [self._model._meta.get_field(name) for name, _ in index.fields_orders]
        return len(fields) == 1 and hasattr(fields[0], "geodetic")

    def _fields(
        self, fields: Iterable[tuple[str, str]], opclasses: Iterable[str]
    ) -> tuple[DeclaredKey, ...]:
        fields, classes = list(fields), list(opclasses)
        columns = self._columns(name for name, _ in fields)
        return tuple(
            DeclaredKey(
                column,
                column,
                classes[position] if position < len(classes) else None,
                descending=order == "DESC",
                nulls_first=order == "DESC",
            )
            for position, (column, (_, order)) in enumerate(zip(columns, fields, strict=True))
        )

    def _expressions(self, expressions: Iterable[Any]) -> tuple[DeclaredKey, ...]:
        return tuple(self._expression(each) for each in expressions)

    def _expression(self, expression: Any) -> DeclaredKey:
        inner, wrappers = expression, []
        while isinstance(inner, (OrderBy, Collate, OpClass)):
            wrappers.append(inner)
            # A collation is told from the expression by nobody: it stays a part of it.
            if isinstance(inner, Collate):
                break
            (inner,) = inner.get_source_expressions()
        descending = any(isinstance(each, OrderBy) and each.descending for each in wrappers)
        nulls_first = descending
        for each in wrappers:
            if isinstance(each, OrderBy) and (each.nulls_first or each.nulls_last):
                nulls_first = bool(each.nulls_first)
        opclass = next((str(vars(each)["name"]) for each in wrappers if isinstance(each, OpClass)), None)
        column = self._column(inner)
        definition = column or self._compiled(inner.resolve_expression(self._query))
        return DeclaredKey(definition, column, opclass, descending, nulls_first)

    def _column(self, expression: Any) -> str | None:
        if not isinstance(expression, F):
            return None
        names = {field.name: field.column for field in self._model._meta.concrete_fields}
        names["pk"] = getattr(self._model._meta.pk, "column", None)
        return names.get(str(getattr(expression, "name", "")))

    def _columns(self, fields: Iterable[str]) -> tuple[str, ...]:
        found: list[Any] = [self._model._meta.get_field(name) for name in fields]
        return tuple(str(field.column) for field in found)

    @functools.cached_property
    def _query(self) -> Query:
        return Query(self._model, alias_cols=False)

    def _sql(self, condition: models.Q | None) -> str | None:
        if condition is None:
            return None
        return self._compiled(Query(self._model, alias_cols=False).build_where(condition))

    def _compiled(self, expression: Any) -> str:
        """As SQL with its values in it, which is what the schema editor would send."""
        compiler = self._query.get_compiler(connection=self._editor.connection)
        sql, params = compiler.compile(expression)
        quote: Callable[[Any], str] = self._editor.quote_value
        return str(sql % tuple(quote(each) for each in params))


def _is_overridden(declared: object, method: str) -> bool:
    """Whether a class of the project's, or of another package, makes the SQL in its own way."""
    maker = next(cls for cls in type(declared).__mro__ if method in vars(cls))
    return not maker.__module__.startswith(("django.db.", "django.contrib.postgres."))


def _access_method(index: models.Index) -> str:
    return index.suffix if isinstance(index, PostgresIndex) else "btree"
