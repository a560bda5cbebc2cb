"""What Django does when a row is saved or deleted: statements, blocks of its own, receivers."""

from __future__ import annotations

import functools
from typing import Any

from django.db.models import signals as model_signals

from django_dbaudit.project.effects import models, signals, tree
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    NO,
    NONE,
    SCALAR,
    Arguments,
    Dictionary,
    Instance,
    Items,
    Live,
    Value,
    constant,
)


def alias_of(value: Value | None, model: Any) -> str | None:
    """The alias that a ``using`` names; the router's if it names none."""
    if value is None or (isinstance(value, Live) and value.thing is None):
        return models.alias_for_write(model)
    named = constant(value)
    return named if isinstance(named, str) else None


def names_of(value: Value | None) -> tuple[str, ...]:
    """The names in an ``update_fields``, as far as they are constants."""
    if isinstance(value, Live) and isinstance(value.thing, (list, tuple, set, frozenset)):
        return tuple(sorted(str(each) for each in value.thing))
    if isinstance(value, Items) and value.known is not None:
        return tuple(sorted(str(constant(each)) for each in value.known if constant(each) is not None))
    if isinstance(value, Dictionary):
        return tuple(sorted(map(str, value.known)))
    return ()


def save(machine: Machine, target: Instance, arguments: Arguments, site: Site) -> Value:
    """``Model.save``: receivers stand outside the block that several tables need."""
    model: Any = target.cls
    if models.is_model(model) and not model._meta.abstract:
        alias = alias_of(arguments.get(2, "using"), model)
        fields = names_of(arguments.get(3, "update_fields"))
        created = {"created": True, "fetched": False, "locked": False}.get(target.source)
        origin = model._meta.concrete_model if model._meta.proxy else model
        kwargs: dict[str, Value] = {"instance": target, "raw": NO, "update_fields": SCALAR}
        signals.fire(machine, model_signals.pre_save, "pre_save", origin, site, **kwargs)
        _write_row(machine, target, alias, fields, site)
        kwargs["created"] = SCALAR if created is None else Live(created)
        signals.fire(machine, model_signals.post_save, "post_save", origin, site, **kwargs)
        if target.computed:
            machine.changed(target)
            target.computed.clear()
        if target.source == "created":
            machine.changed(target)
            target.source = "fetched"
    return NONE


def _write_row(
    machine: Machine, target: Instance, alias: str | None, fields: tuple[str, ...], site: Site
) -> None:
    written = models.tables_of(target.cls)
    statement = "insert" if target.source == "created" else "save"
    if target.source in ("fetched", "locked"):
        statement = "update"

    def emit() -> None:
        for model in written:
            machine.emit(
                tree.Write(
                    models.label(model),
                    models.table(model),
                    alias,
                    statement,
                    "Model.save",
                    site.location,
                    fields=fields,
                    source=target.source,
                    computed=tuple(sorted(target.computed)),
                )
            )

    if len(written) == 1:
        emit()
        return
    with machine.django_block(alias, "Model.save", site):
        emit()


def delete(machine: Machine, model: Any, alias: str | None, how: str, site: Site, row: Value) -> Value:
    """``Model.delete`` and ``QuerySet.delete``: all in one block, with all receivers in it."""
    cascade = _cascade(model)
    if how == "Model.delete" and len(cascade) == 1 and not _listened(model):
        # Django leaves the block out where one DELETE does it.
        _delete_from(machine, model, alias, how, site)
        return SCALAR
    with machine.django_block(alias, how, site):
        for each in cascade:
            target = row if each is model else Instance(each, source="fetched")
            signals.fire(
                machine, model_signals.pre_delete, "pre_delete", each, site, instance=target, origin=SCALAR
            )
        for each in reversed(cascade):
            _delete_from(machine, each, alias, how if each is model else f"{how}, cascade", site)
        for each in cascade:
            target = row if each is model else Instance(each, source="fetched")
            signals.fire(
                machine,
                model_signals.post_delete,
                "post_delete",
                each,
                site,
                instance=target,
                origin=SCALAR,
            )
    return SCALAR


def _delete_from(machine: Machine, model: Any, alias: str | None, how: str, site: Site) -> None:
    machine.emit(tree.Write(models.label(model), models.table(model), alias, "delete", how, site.location))


def _listened(model: Any) -> bool:
    return any(
        signals.receivers(each, model) for each in (model_signals.pre_delete, model_signals.post_delete)
    )


@functools.cache
def _cascade(model: Any) -> tuple[Any, ...]:
    """The models whose rows go along: the model itself first."""
    found: dict[Any, None] = {}
    todo = [model._meta.concrete_model]
    while todo:
        each = todo.pop()
        if each in found or not each._meta.managed:
            continue
        found[each] = None
        todo += [parent for parent in each._meta.parents if not parent._meta.proxy]
        for relation in each._meta.get_fields(include_hidden=True):
            if (
                relation.auto_created
                and not relation.concrete
                and (relation.one_to_many or relation.one_to_one)
            ):
                if getattr(relation.on_delete, "__name__", "") == "CASCADE":
                    todo.append(relation.related_model._meta.concrete_model)
            elif models.is_a(relation, "GenericRelation"):
                todo.append(relation.related_model._meta.concrete_model)
    return tuple(found)
