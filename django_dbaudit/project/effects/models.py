"""Models as values: what a row's attribute is, which table and which alias a model is written to."""

from __future__ import annotations

import functools
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Manager, Model, QuerySet
from django.db.models.fields.files import FileField
from django.utils.connection import ConnectionProxy

from django_dbaudit.project.effects.values import NONE, SCALAR, Instance, Live, Query, Unknown, Value, join

#: What Django answers for every user, whoever it is; in a view neither way is ruled out.
UNDECIDED = frozenset({"is_authenticated", "is_anonymous", "is_active", "is_staff", "is_superuser"})


def is_model(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, Model)


def is_a(thing: Any, name: str) -> bool:
    """Whether it is of a class of this name; for classes that need apps not every project installs."""
    return any(base.__qualname__ == name for base in type(thing).__mro__)


def manager(model: type, live: Any) -> Value:
    """A model's manager. Of one that is no manager of a table we know nothing."""
    if not isinstance(live, Manager) and not hasattr(type(live), "get_queryset"):
        return Unknown(f"the manager of {model.__name__}")
    return Query(model, type(live), is_manager=True)


def queryset(model: type, **known: Any) -> Query:
    """A queryset of the class that the model's own manager makes."""
    own: Any = getattr(model, "_default_manager", None)
    return Query(model, getattr(own, "_queryset_class", QuerySet), **known)


def of_live(thing: Any) -> Value | None:
    """A queryset, a manager or a connection that exists, as a value; None for anything else."""
    if isinstance(thing, (QuerySet, Manager)) and is_model(getattr(thing, "model", None)):
        return Query(thing.model, type(thing), is_manager=isinstance(thing, Manager))
    if isinstance(thing, ConnectionProxy) and vars(thing).get("_connections") is connections:
        return connection(vars(thing)["_alias"])
    return None


def connection(alias: str | None) -> Value:
    """The connection of an alias."""
    return Instance(BaseDatabaseWrapper, {"alias": Unknown("an alias") if alias is None else Live(alias)})


def row(model: type, source: str = "fetched") -> Instance:
    return Instance(model, source=source)


def label(model: Any) -> str:
    return str(model._meta.label)


def table(model: Any) -> str:
    return str(model._meta.db_table)


@functools.cache
def alias_for_write(model: Any) -> str | None:
    """What the routers say; None where one of them cannot say it without a row."""
    try:
        return str(router.db_for_write(model))
    except Exception:  # noqa: BLE001  # a router is the project's code, which may ask for hints
        return None


@functools.cache
def alias_for_read(model: Any) -> str | None:
    try:
        return str(router.db_for_read(model))
    except Exception:  # noqa: BLE001  # as above
        return None


@functools.cache
def _field(model: Any, name: str) -> Any:
    """The field or relation that makes this attribute of a row."""
    for field in model._meta.get_fields(include_hidden=True):
        if not field.auto_created or field.concrete:
            if name in (field.name, getattr(field, "attname", None)):
                return field
        elif (field.get_accessor_name() or "") == name:
            return field
    return None


def attribute(target: Instance, name: str) -> Value | None:
    """The value of a field or relation of a row; None if the name is neither."""
    model: Any = target.cls
    if name == "pk" or name in UNDECIDED:
        return SCALAR
    if model._meta.abstract:
        return None
    field = _field(model, name)
    if field is None:
        return None
    if is_a(field, "GenericForeignKey"):
        return Unknown("a generic foreign key")
    # The column of a foreign key; the other side of a relation has none.
    if not field.is_relation or (name == getattr(field, "attname", "") and name != field.name):
        return _plain(field, target)
    return _related(field, target)


def _plain(field: Any, target: Instance) -> Value:
    if isinstance(field, FileField):
        return Instance(field.attr_class, {"instance": target, "field": SCALAR})
    return SCALAR


def _related(field: Any, target: Instance) -> Value:
    model = field.related_model
    if not is_model(model):
        return Unknown("a relation to a model that is not installed")
    if field.many_to_many or field.one_to_many:
        return queryset(model, relation=field)
    if field.auto_created or not field.null:
        return row(model)
    return join(row(model), NONE)


@functools.cache
def is_unique(model: Any, fields: frozenset[str]) -> bool | None:
    """Whether two rows with the same values in these fields are ruled out by the database."""
    known = {each.name: each for each in model._meta.get_fields() if getattr(each, "concrete", False)}
    names = {"pk" if name == "id" else name.removesuffix("_id") for name in fields}
    if "pk" in names or any(known[name].unique for name in names if name in known):
        return True
    together = [set(each) for each in model._meta.unique_together]
    together += [set(each.fields) for each in model._meta.total_unique_constraints]
    return any(each <= names for each in together)


@functools.cache
def is_multi_table(model: Any) -> bool:
    """Whether a row lies in more than one table."""
    return bool(model._meta.concrete_model._meta.parents)


@functools.cache
def tables_of(model: Any) -> tuple[Any, ...]:
    """The models whose tables hold a row: parents first, in the order in which Django writes them."""
    concrete = model._meta.concrete_model
    parents = [
        each for parent in concrete._meta.parents for each in tables_of(parent) if not parent._meta.proxy
    ]
    return (*dict.fromkeys(parents), concrete)
