"""Django's admin: what its pages save, with the project's own ``save_model`` and its like in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.forms import ModelForm

from django_dbaudit.project.effects import known_forms, models, queries, tree
from django_dbaudit.project.effects.lookup import static
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    NO,
    NONE,
    SCALAR,
    UNKNOWN,
    Arguments,
    Bound,
    Instance,
    Items,
    Live,
    Query,
    Value,
    join,
    options,
)

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def _admin(arguments: Arguments) -> Any:
    first = arguments.positional[0] if arguments.positional else None
    return first.thing if isinstance(first, Live) else None


def _log(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """An entry in the admin's log, a row like any other."""
    entry = apps.get_model("admin.LogEntry")
    label, table = models.label(entry), models.table(entry)
    alias = models.alias_for_write(entry)
    machine.emit(tree.Write(label, table, alias, "insert", "LogEntry", site.location))
    return NONE


def _form(admin: Any, row: Instance) -> Instance:
    cls = admin.form if isinstance(admin.form, type) else ModelForm
    form = Instance(cls, {known_forms.MODEL: Live(admin.model), "instance": row, "cleaned_data": SCALAR})
    # Without fields of its own it has all that the model has.
    if not getattr(cls, "base_fields", None):
        names = admin.fields if isinstance(admin.fields, (list, tuple)) else None
        form.attributes[known_forms.FIELDS] = Live(list(names)) if names else SCALAR
    return form


def changeform_view(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """Add and change: all in one block, and only where something is posted."""
    admin = _admin(arguments)
    if admin is None:
        return UNKNOWN
    queries.read(machine, models.queryset(admin.model), "get", site)
    if machine.method in SAFE:
        return SCALAR
    with machine.django_block(models.alias_for_write(admin.model), "ModelAdmin.changeform_view", site):
        given = arguments.get(2, "object_id")
        is_change = not (isinstance(given, Live) and given.thing is None) and given is not None
        row = Instance(admin.model, source="fetched" if is_change else "created")
        _save_all(machine, admin, row, arguments, site, change=is_change)
        answer = "response_change" if is_change else "response_add"
        _own(machine, admin, answer, (arguments.get(1, "request") or UNKNOWN, row), site)
    return SCALAR


def _save_all(
    machine: Machine, admin: Any, row: Instance, arguments: Arguments, site: Site, *, change: bool
) -> None:
    request = arguments.get(1, "request") or UNKNOWN
    form = _form(admin, row)
    known_forms.validate(machine, Arguments((form,)), site)
    made = machine.call_method(
        Live(admin), "save_form", Arguments((request, form), {"change": Live(change)}), site
    )
    saved = made if isinstance(made, Instance) else row
    machine.call_method(Live(admin), "save_model", Arguments((request, saved, form, Live(change))), site)
    formsets = Items(join(*_formsets(machine, admin, site)) if admin.inlines else UNKNOWN)
    machine.call_method(
        Live(admin), "save_related", Arguments((request, form, formsets, Live(change))), site
    )
    name = "log_change" if change else "log_addition"
    machine.call_method(Live(admin), name, Arguments((request, saved, SCALAR)), site)


def _formsets(machine: Machine, admin: Any, site: Site) -> Iterator[Value]:
    for inline in admin.inlines:
        model: Any = getattr(inline, "model", None)
        if models.is_model(model):
            form = Instance(getattr(inline, "form", ModelForm))
            form.attributes.update(
                {known_forms.MODEL: Live(model), "instance": Instance(model), "cleaned_data": SCALAR}
            )
            cls = inline.formset
            formset = Instance(cls, {known_forms.MODEL: Live(model), "forms": Items(form)})
            formset.attributes["instance"] = Instance(admin.model)
            yield formset


def _own(machine: Machine, admin: Any, name: str, given: tuple[Value, ...], site: Site) -> None:
    """Run a method that the project has overridden, and no other."""
    found = static(type(admin), name)
    if found is not None and not found[0].__module__.startswith("django."):
        machine.call_method(Live(admin), name, Arguments(given), site)


def _save_form(machine: Machine, arguments: Arguments, site: Site) -> Value:
    form = arguments.get(2, "form") or UNKNOWN
    return machine.call_method(form, "save", Arguments(named={"commit": NO}), site)


def _save_model(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return machine.call_method(arguments.get(2, "obj") or UNKNOWN, "save", Arguments(), site)


def _save_related(machine: Machine, arguments: Arguments, site: Site) -> Value:
    admin = arguments.positional[0]
    request, form = arguments.get(1, "request") or UNKNOWN, arguments.get(2, "form") or UNKNOWN
    machine.call_method(form, "save_m2m", Arguments(), site)
    formsets = arguments.get(3, "formsets")
    several = formsets.item if isinstance(formsets, Items) else UNKNOWN
    for each in options(several):
        if isinstance(each, Instance):
            given = Arguments((request, form, each, arguments.get(4, "change") or SCALAR))
            machine.call_method(admin, "save_formset", given, site)
    return NONE


def _save_formset(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return machine.call_method(arguments.get(3, "formset") or UNKNOWN, "save", Arguments(), site)


def _delete_view(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """A page that asks, and, when posted, a deletion in one block."""
    admin = _admin(arguments)
    if admin is None:
        return UNKNOWN
    queries.read(machine, models.queryset(admin.model), "get", site)
    if machine.method in SAFE:
        return SCALAR
    request = arguments.get(1, "request") or UNKNOWN
    row = models.row(admin.model)
    with machine.django_block(models.alias_for_write(admin.model), "ModelAdmin.delete_view", site):
        _log(machine, arguments, site)
        machine.call_method(Live(admin), "delete_model", Arguments((request, row)), site)
        _own(machine, admin, "response_delete", (request, SCALAR, SCALAR), site)
    return SCALAR


def _delete_model(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return machine.call_method(arguments.get(2, "obj") or UNKNOWN, "delete", Arguments(), site)


def _delete_queryset(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return machine.call_method(arguments.get(2, "queryset") or UNKNOWN, "delete", Arguments(), site)


def _changelist_view(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """A list; posted, one of its actions, which stand in no block, or its edited rows, which do."""
    admin = _admin(arguments)
    if admin is None:
        return UNKNOWN
    rows = machine.call_method(
        Live(admin), "get_queryset", Arguments((arguments.get(1, "request") or UNKNOWN,)), site
    )
    query = rows if isinstance(rows, Query) else models.queryset(admin.model)
    queries.items(machine, query, site)
    if machine.method in SAFE:
        return SCALAR
    ways = [_action(machine, admin, each, query, arguments, site) for each in _actions(admin)]
    if admin.list_editable:
        ways.append(lambda: _edit_list(machine, admin, arguments, site))
    machine.branch(site, *ways, lambda: NONE)
    return SCALAR


def _edit_list(machine: Machine, admin: Any, arguments: Arguments, site: Site) -> Value:
    with (
        machine.django_block(models.alias_for_write(admin.model), "ModelAdmin.changelist_view", site),
        machine.loop(site),
    ):
        _save_all(machine, admin, models.row(admin.model), arguments, site, change=True)
    return NONE


def _actions(admin: Any) -> Iterator[Value]:
    own = {**getattr(admin.admin_site, "_actions", {})}
    for each in (*own.values(), *(admin.actions or ())):
        if isinstance(each, str):
            found = static(type(admin), each)
            if found is not None:
                yield Bound(Live(found[1]), Live(admin))
        else:
            yield Live(each)


def _action(
    machine: Machine, admin: Any, action: Value, query: Query, arguments: Arguments, site: Site
) -> Any:
    request = arguments.get(1, "request") or UNKNOWN
    given = (request, query) if isinstance(action, Bound) else (Live(admin), request, query)
    return lambda: machine.call(action, Arguments(given), site)


def _delete_selected(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """The built-in action: entries in the log, and then the deletion, each a unit."""
    admin, request, query = (arguments.get(place, "") or UNKNOWN for place in range(3))
    _log(machine, arguments, site)
    return machine.call_method(admin, "delete_queryset", Arguments((request, query)), site)


def _get_queryset(machine: Machine, arguments: Arguments, site: Site) -> Value:
    admin = _admin(arguments)
    return UNKNOWN if admin is None else models.queryset(admin.model)


def _looks(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return SCALAR


def _given_view(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return arguments.get(1, "view") or UNKNOWN


OPTIONS = "django.contrib.admin.options"
KNOWN = {
    f"{OPTIONS}.ModelAdmin.changeform_view": changeform_view,
    f"{OPTIONS}.ModelAdmin._changeform_view": changeform_view,
    f"{OPTIONS}.ModelAdmin.changelist_view": _changelist_view,
    f"{OPTIONS}.ModelAdmin.delete_view": _delete_view,
    f"{OPTIONS}.ModelAdmin._delete_view": _delete_view,
    f"{OPTIONS}.ModelAdmin.history_view": _looks,
    f"{OPTIONS}.ModelAdmin.get_queryset": _get_queryset,
    f"{OPTIONS}.BaseModelAdmin.get_queryset": _get_queryset,
    f"{OPTIONS}.ModelAdmin.save_form": _save_form,
    f"{OPTIONS}.ModelAdmin.save_model": _save_model,
    f"{OPTIONS}.ModelAdmin.save_related": _save_related,
    f"{OPTIONS}.ModelAdmin.save_formset": _save_formset,
    f"{OPTIONS}.ModelAdmin.delete_model": _delete_model,
    f"{OPTIONS}.ModelAdmin.delete_queryset": _delete_queryset,
    f"{OPTIONS}.ModelAdmin.log_addition": _log,
    f"{OPTIONS}.ModelAdmin.log_change": _log,
    f"{OPTIONS}.ModelAdmin.log_deletion": _log,
    f"{OPTIONS}.ModelAdmin.log_deletions": _log,
    f"{OPTIONS}.ModelAdmin.message_user": _looks,
    "django.contrib.admin.actions.delete_selected": _delete_selected,
    "django.contrib.admin.sites.AdminSite.admin_view": _given_view,
    "django.contrib.admin.sites.AdminSite.index": _looks,
    "django.contrib.admin.sites.AdminSite.app_index": _looks,
    "django.contrib.admin.sites.AdminSite.each_context": _looks,
    "django.contrib.admin.sites.AdminSite.autocomplete_view": _looks,
    "django.contrib.admin.sites.AdminSite.i18n_javascript": _looks,
    "django.contrib.admin.sites.AdminSite.catch_all_view": _looks,
}
