"""What each method of a manager or a queryset does: chain, read, lock or write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from django.db.models import QuerySet
from django.db.models import signals as model_signals

from django_dbaudit.project.effects import models, rows, signals, tree
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    NONE,
    SCALAR,
    UNKNOWN,
    YES,
    Arguments,
    Handled,
    Instance,
    Items,
    Live,
    Query,
    Unknown,
    Value,
    constant,
    join,
    truth,
)

Method: TypeAlias = Callable[[Machine, Query, Arguments, Site], Value]

#: What gives another queryset of the same rows.
CHAIN = (
    "all",
    "filter",
    "exclude",
    "complex_filter",
    "order_by",
    "reverse",
    "distinct",
    "annotate",
    "alias",
    "extra",
    "none",
    "select_related",
    "prefetch_related",
    "only",
    "defer",
    "union",
    "intersection",
    "difference",
    "fetch_mode",
    "_chain",
    "_clone",
    "_next_is_sticky",
    "get_queryset",
)
#: What gives no rows of the model.
PLAIN = ["values", "values_list", "dates", "datetimes"]
#: What asks the database for one answer.
ANSWERS = ["count", "exists", "aggregate", "contains", "explain"]
#: What asks for one row.
ONE = ["get", "earliest", "latest"]
ONE_OR_NONE = ["first", "last"]


def method_of(name: str, query: Query) -> Handled | None:
    """What a method of this name of Django's own does; None if Django has none."""
    handler = RELATION_METHODS.get(name) if query.relation is not None else None
    if handler is None:
        handler = METHODS.get(name)
    if handler is None and name.startswith("a") and name[1:] in (*METHODS, *RELATION_METHODS):
        # acreate, aget, aset: as without the a, once awaited.
        return method_of(name[1:], query)
    return Handled(name, handler, query) if handler is not None else None


def base(machine: Machine, query: Query, site: Site) -> Query:
    """The queryset behind a manager: what its own ``get_queryset`` gives, if it has one."""
    if not query.is_manager:
        return query
    made = getattr(query.cls, "_queryset_class", None)
    own = getattr(query.cls, "get_queryset", None)
    if own is not None and not own.__module__.startswith("django.") and query.relation is None:
        found = machine.call_method(query, "get_queryset", Arguments(), site)
        if isinstance(found, Query):
            return replace(found, is_manager=False, alias=found.alias or query.alias)
    return replace(query, is_manager=False, cls=made if isinstance(made, type) else QuerySet)


def read(machine: Machine, query: Query, how: str, site: Site) -> None:
    """The query runs."""
    alias = query.alias or models.alias_for_read(query.model)
    fields = tuple(sorted(_compared(query)))
    machine.emit(
        tree.Read(
            models.label(query.model),
            models.table(query.model),
            alias,
            how,
            site.location,
            locks=query.locks,
            fields=fields,
            is_unique=models.is_unique(query.model, frozenset(fields)) if fields else None,
            is_narrowed=query.is_narrowed,
        )
    )


def _compared(query: Query) -> frozenset[str]:
    """The fields that are compared for equality; ``author.books`` compares the foreign key too."""
    if getattr(query.relation, "one_to_many", False) and hasattr(query.relation, "field"):
        return query.fields | {str(query.relation.field.name)}
    return query.fields


def _without_relation(query: Query) -> Query:
    return replace(query, relation=None, fields=_compared(query))


def one_row(query: Query) -> Value:
    if query.is_plain:
        return SCALAR
    return Instance(query.model, source="locked" if query.locks else "fetched")


def items(machine: Machine, query: Query, site: Site, how: str = "iterate") -> Value:
    """Iterate: the query runs, and rows come out."""
    found = base(machine, query, site)
    read(machine, found, how, site)
    return one_row(found)


def write_alias(query: Query) -> str | None:
    return query.alias or models.alias_for_write(query.model)


def write(
    machine: Machine,
    query: Query,
    statement: str,
    how: str,
    site: Site,
    model: Any = None,
    fields: tuple[str, ...] = (),
) -> None:
    target = model or query.model._meta.concrete_model
    machine.emit(
        tree.Write(
            models.label(target),
            models.table(target),
            write_alias(query),
            statement,
            how,
            site.location,
            fields=fields,
        )
    )


def _chain(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return base(machine, query, site)


def _filter(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return _narrowed(base(machine, query, site), arguments)


def _narrowed(query: Query, arguments: Arguments) -> Query:
    """With the fields that are compared for equality."""
    names = {name.removesuffix("__exact").removesuffix("__iexact") for name in arguments.named}
    equal = {each for each in names if "__" not in each and each not in ("defaults", "create_defaults")}
    has_more = (
        any("__" in each for each in names) or bool(arguments.positional) or arguments.rest is not None
    )
    return replace(query, fields=query.fields | equal, is_narrowed=query.is_narrowed or has_more)


def _exclude(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return replace(base(machine, query, site), is_narrowed=True)


def _using(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    alias = constant(arguments.get(0, "alias") or arguments.get(0, "using"))
    return replace(base(machine, query, site), alias=alias if isinstance(alias, str) else None)


def _lock(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return replace(base(machine, query, site), locks=True)


def _plain(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return replace(base(machine, query, site), is_plain=True)


def _answer(name: str) -> Method:
    def answer(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
        # The lock is lost on the way: these ask for no rows.
        read(machine, replace(base(machine, query, site), locks=False), name, site)
        return SCALAR

    return answer


def _one(name: str, *, maybe_none: bool) -> Method:
    def one(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
        found = _narrowed(base(machine, query, site), arguments)
        read(machine, found, name, site)
        value = one_row(found)
        return join(value, NONE) if maybe_none else value

    return one


def _in_bulk(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return Items(items(machine, query, site, "in_bulk"))


def _iterator(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return base(machine, query, site)


def create(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    """``create``: a new row is saved, through whatever its model makes of ``save``."""
    row = Instance(query.model, source="created")
    using: dict[str, Value] = {"using": Live(query.alias)} if query.alias else {}
    machine.call_method(row, "save", Arguments(named={"force_insert": YES, **using}), site)
    return row


def _create(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return machine.call_method(query, "create", arguments, site)


def get_or_create(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    """``get_or_create``: the row and the receivers of its creation stand in one block."""
    wanted = _narrowed(replace(base(machine, query, site), locks=False), arguments)
    read(machine, wanted, "get_or_create", site)

    def make() -> Value:
        with machine.django_block(write_alias(query), "QuerySet.get_or_create", site):
            return _create(machine, query, arguments, site)

    found, made = machine.branch(site, lambda: one_row(query), make)
    return Items(UNKNOWN, [join(found, made), SCALAR])


def update_or_create(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    """``update_or_create``: it locks the row, and all of it stands in one block."""

    def update() -> Value:
        row = Instance(query.model, source="locked")
        machine.call_method(row, "save", Arguments(), site)
        return row

    with machine.django_block(write_alias(query), "QuerySet.update_or_create", site):
        wanted = _narrowed(replace(base(machine, query, site), locks=True), arguments)
        read(machine, wanted, "update_or_create", site)
        found, made = machine.branch(site, update, lambda: _create(machine, query, arguments, site))
    return Items(UNKNOWN, [join(found, made), SCALAR])


def _bulk_create(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    given = arguments.get(0, "objs")
    rows_given = machine.call(Live(list), Arguments((given,)), site) if given is not None else None
    # More than one batch stands in a block of Django's, and one alone is one statement: one unit.
    with machine.django_block(write_alias(query), "QuerySet.bulk_create", site):
        for model in models.tables_of(query.model):
            write(machine, query, "insert", "QuerySet.bulk_create", site, model)
    return rows_given or Items(one_row(query))


def _bulk_update(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    fields = rows.names_of(arguments.get(1, "fields"))
    with machine.django_block(write_alias(query), "QuerySet.bulk_update", site):
        write(machine, query, "update", "QuerySet.bulk_update", site, fields=fields)
    return SCALAR


def _update(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    """One statement for each table that the fields lie in, and no block around them."""
    owners: dict[Any, list[str]] = {}
    for name in arguments.named:
        try:
            model = query.model._meta.get_field(name).model._meta.concrete_model
        # Whatever is wrong with the name, Django would tell.
        except Exception:  # noqa: BLE001  # FieldDoesNotExist, or an app registry in disorder
            model = query.model._meta.concrete_model
        owners.setdefault(model, []).append(name)
    for model, names in (owners or {query.model._meta.concrete_model: []}).items():
        write(machine, query, "update", "QuerySet.update", site, model, tuple(sorted(names)))
    return SCALAR


def _delete(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    row = Instance(query.model, source="fetched")
    return rows.delete(machine, query.model, write_alias(query), "QuerySet.delete", site, row)


def _raw_delete(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    write(machine, query, "delete", "QuerySet._raw_delete", site)
    return SCALAR


def _as_manager(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
    return query


def _through(query: Query) -> Any:
    """The model of the table that a relation of many to many is kept in."""
    field = getattr(query.relation, "field", query.relation)
    remote = getattr(field, "remote_field", None)
    return getattr(remote, "through", None)


def _is_generic(query: Query) -> bool:
    return models.is_a(query.relation, "GenericRelation")


def change_relation(machine: Machine, query: Query, name: str, arguments: Arguments, site: Site) -> Value:
    """``add``, ``remove``, ``set`` and ``clear``: a block of Django's, receivers within."""
    how = f"{'' if _through(query) is not None else 'reverse '}relation.{name}"
    with machine.django_block(write_alias(query), how, site):
        through = _through(query)
        if through is not None:
            _fire_m2m(machine, query, through, site, "pre")
            write(
                machine,
                query,
                "insert" if name == "add" else "delete" if name != "set" else "save",
                how,
                site,
                through,
            )
            _fire_m2m(machine, query, through, site, "post")
        elif truth(arguments.named.get("bulk")) is False or (_is_generic(query) and name != "add"):
            with machine.loop(site):
                machine.call_method(one_row(query), "save", Arguments(), site)
        else:
            write(machine, query, "update", how, site)
    return NONE


def _fire_m2m(machine: Machine, query: Query, through: Any, site: Site, when: str) -> None:
    named: dict[str, Value] = {
        "action": SCALAR,
        "instance": Unknown("the row of a relation"),
        "reverse": SCALAR,
        "model": Live(query.model),
        "pk_set": Items(SCALAR),
    }
    if when == "post":
        signals.fire(machine, model_signals.m2m_changed, "m2m_changed", through, site, **named)


def _relation(name: str) -> Method:
    def change(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
        return change_relation(machine, query, name, arguments, site)

    return change


def _related_create(name: str) -> Method:
    """Creating through a relation of many to many also writes its own table, in a unit of its own."""

    def make(machine: Machine, query: Query, arguments: Arguments, site: Site) -> Value:
        made = METHODS[name](machine, _without_relation(query), arguments, site)
        if _through(query) is not None:
            change_relation(machine, query, "add", arguments, site)
        return made

    return make


METHODS: dict[str, Method] = {
    **dict.fromkeys(CHAIN, _chain),
    **dict.fromkeys(PLAIN, _plain),
    **{name: _answer(name) for name in ANSWERS},
    **{name: _one(name, maybe_none=False) for name in ONE},
    **{name: _one(name, maybe_none=True) for name in ONE_OR_NONE},
    "filter": _filter,
    "exclude": _exclude,
    "using": _using,
    "db_manager": _using,
    "select_for_update": _lock,
    "in_bulk": _in_bulk,
    "iterator": _iterator,
    "raw": _chain,
    "as_manager": _as_manager,
    "create": create,
    "get_or_create": get_or_create,
    "update_or_create": update_or_create,
    "bulk_create": _bulk_create,
    "bulk_update": _bulk_update,
    "update": _update,
    "_update": _update,
    "delete": _delete,
    "_raw_delete": _raw_delete,
}
RELATION_METHODS: dict[str, Method] = {
    **{name: _relation(name) for name in ("add", "remove", "set", "clear")},
    **{name: _related_create(name) for name in ("create", "get_or_create", "update_or_create")},
}
