"""Forms, model forms and formsets: validation, and what saving one writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.forms import BaseForm, ModelChoiceField, ModelForm, ModelMultipleChoiceField
from django.forms.models import BaseInlineFormSet, BaseModelFormSet

from django_dbaudit.project.effects import models, queries
from django_dbaudit.project.effects.lookup import static
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    NO,
    NONE,
    SCALAR,
    UNKNOWN,
    YES,
    Arguments,
    Dictionary,
    Handled,
    Instance,
    Items,
    Live,
    Partial,
    Unknown,
    Value,
    constant,
    is_none,
    join,
    options,
    truth,
)

#: Under these names what a factory was given travels to the form that is made.
MODEL, FIELDS, FORM = "the model", "the fields", "the form"


def _self(arguments: Arguments) -> Instance | None:
    first = arguments.positional[0] if arguments.positional else None
    return first if isinstance(first, Instance) else None


def model_of(form: Instance) -> Any:
    """The model of a model form or formset, made by a class or by a factory; None if it has none."""
    given = form.attributes.get(MODEL)
    if isinstance(given, Live) and models.is_model(given.thing):
        return given.thing
    found = getattr(getattr(form.cls, "_meta", None), "model", None) or getattr(form.cls, "model", None)
    return found if models.is_model(found) else None


def begin(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``Form.__init__``."""
    form = _self(arguments)
    if form is None:
        return NONE
    machine.changed(form)
    for name in (MODEL, FIELDS):
        if name in arguments.named:
            form.attributes[name] = arguments.named[name]
    form.attributes["cleaned_data"] = Dictionary(dict(_cleaned(form.cls)), SCALAR)
    form.attributes["may be valid"] = NO if _lacks_data(form.cls, arguments.get(1, "data")) else SCALAR
    model = model_of(form)
    if model is not None:
        form.attributes["instance"] = _instance(arguments.get(9, "instance"), model)
    return NONE


def _lacks_data(cls: Any, data: Value | None) -> bool:
    """``Form(request.POST or None)`` where nothing is posted, or an empty form that wants something."""
    if data is None or truth(data) is not False:
        return False
    fields = (getattr(cls, "base_fields", None) or {}).values()
    return bool(is_none(data)) or any(each.required and not each.disabled for each in fields)


def _instance(given: Value | None, model: Any) -> Value:
    new = Instance(model, source="created")
    if given is None:
        return new
    known = [new if is_none(each) else each for each in options(given)]
    return join(*(Instance(model) if isinstance(each, Unknown) else each for each in known))


def _cleaned(cls: Any) -> Iterator[tuple[str, Value]]:
    for name, field in (getattr(cls, "base_fields", None) or {}).items():
        model = getattr(getattr(field, "queryset", None), "model", None)
        if isinstance(field, ModelMultipleChoiceField) and model is not None:
            yield name, models.queryset(model)
        elif isinstance(field, ModelChoiceField) and model is not None:
            row: Value = models.row(model)
            yield name, row if field.required else join(row, NONE)


def is_valid(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``is_valid``: the checks, and No for a form without data."""
    form = _self(arguments)
    if form is not None and truth(form.attributes.get("may be valid")) is False:
        return NO
    return validate(machine, arguments, site)


def validate(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``is_valid``, ``errors``, ``full_clean``: the ``clean`` methods of the project's run, once."""
    form = _self(arguments)
    if form is None or "is cleaned" in form.attributes:
        return SCALAR
    form.attributes["is cleaned"] = SCALAR
    machine.changed(form)
    if issubclass(form.cls, BaseForm):
        for name in (*(f"clean_{each}" for each in getattr(form.cls, "base_fields", ())), "clean"):
            _run_own(machine, form, name, site)
    else:
        with machine.loop(site):
            for each in options(_one_form(machine, form, site)):
                validate(machine, Arguments((each,)), site)
        _run_own(machine, form, "clean", site)
    return SCALAR


def _run_own(machine: Machine, form: Instance, name: str, site: Site) -> None:
    found = static(form.cls, name)
    if found is not None and not found[0].__module__.startswith("django."):
        machine.call_method(form, name, Arguments(), site)


def save(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``ModelForm.save``: the row, and then a unit for each of its many-to-many fields."""
    form = _self(arguments)
    model = model_of(form) if form is not None else None
    if form is None or model is None:
        machine.unresolved(site, "a form without a model")
        return UNKNOWN
    instance = form.attributes.get("instance") or Instance(model)
    commits = truth(arguments.get(1, "commit") or YES)

    def save_all() -> Value:
        machine.call_method(instance, "save", Arguments(), site)
        return save_m2m(machine, arguments, site)

    if commits is None:
        machine.branch(site, save_all, lambda: NONE)
    elif commits:
        save_all()
    if not commits:
        form.attributes["save_m2m"] = Handled("save_m2m", _save_m2m_later, form)
        machine.changed(form)
    return instance


def _save_m2m_later(machine: Machine, target: Value, arguments: Arguments, site: Site) -> Value:
    return save_m2m(machine, Arguments((target,)), site)


def save_m2m(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``ModelForm._save_m2m``: each many-to-many field of the form is set."""
    form = _self(arguments)
    model = model_of(form) if form is not None else None
    if form is None or model is None:
        return NONE
    for field in (*model._meta.many_to_many, *model._meta.private_fields):
        if hasattr(field, "save_form_data") and field.name in _field_names(form, model):
            set_relation(machine, model, field, site)
    return NONE


def set_relation(machine: Machine, model: Any, field: Any, site: Site) -> None:
    """``row.field.set(...)`` on a many-to-many field, or on one that is like it."""
    related = field.related_model if models.is_model(field.related_model) else model
    query = models.queryset(related, relation=field)
    queries.change_relation(machine, query, "set", Arguments(), site)


def _field_names(form: Instance, model: Any) -> set[str]:
    given = form.attributes.get(FIELDS)
    if given is None:
        return set(getattr(form.cls, "base_fields", ()))
    if isinstance(given, Live) and isinstance(given.thing, (list, tuple)):
        return set(map(str, given.thing))
    if isinstance(given, Items) and given.known is not None:
        return {str(constant(each)) for each in given.known}
    return {each.name for each in model._meta.many_to_many}


def modelform_factory(machine: Machine, arguments: Arguments, site: Site) -> Value:
    base = arguments.get(1, "form")
    cls = base.thing if isinstance(base, Live) and isinstance(base.thing, type) else ModelForm
    named: dict[str, Value] = {MODEL: arguments.get(0, "model") or UNKNOWN}
    fields = arguments.get(2, "fields")
    if fields is not None and not is_none(fields):
        named[FIELDS] = fields
    return Partial(Live(cls), (), named)


def formset_factory(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """Model formsets and inline formsets: classes that are made at run time."""
    is_inline = site.method.startswith("inline") or "parent_model" in arguments.named
    place = 1 if is_inline else 0
    base = arguments.named.get("formset")
    default = BaseInlineFormSet if is_inline else BaseModelFormSet
    cls = base.thing if isinstance(base, Live) and isinstance(base.thing, type) else default
    form = arguments.get(place + 1, "form")
    named: dict[str, Value] = {MODEL: arguments.get(place, "model") or UNKNOWN}
    if form is not None:
        named[FORM] = form
    return Partial(Live(cls), (), named)


def inlineformset_factory(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return formset_factory(
        machine, Arguments(arguments.positional, {"parent_model": UNKNOWN, **arguments.named}), site
    )


def begin_formset(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``BaseFormSet.__init__``."""
    formset = _self(arguments)
    if formset is None:
        return NONE
    machine.changed(formset)
    for name in (MODEL, FORM):
        if name in arguments.named:
            formset.attributes[name] = arguments.named[name]
    instance = arguments.named.get("instance")
    if instance is not None:
        formset.attributes["instance"] = instance
    one = _one_form(machine, formset, site)
    for name in ("forms", "deleted_forms", "extra_forms", "initial_forms"):
        formset.attributes[name] = Items(one)
    formset.attributes["cleaned_data"] = Items(Dictionary({}, SCALAR))
    return NONE


def _one_form(machine: Machine, formset: Instance, site: Site) -> Value:
    known = formset.attributes.get("forms")
    if isinstance(known, Items):
        return known.item
    given = formset.attributes.get(FORM)
    cls = given.thing if isinstance(given, Live) else getattr(formset.cls, "form", None)
    model = model_of(formset)
    form = Instance(cls if isinstance(cls, type) else ModelForm)
    if model is not None:
        form.attributes[MODEL] = Live(model)
        form.attributes["instance"] = Instance(model)
    form.attributes["cleaned_data"] = Dictionary(dict(_cleaned(form.cls)), SCALAR)
    return form


def save_formset(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``BaseModelFormSet.save``: each form on its own, and each deletion."""
    formset = _self(arguments)
    model = model_of(formset) if formset is not None else None
    if formset is None or model is None:
        machine.unresolved(site, "a formset without a model")
        return UNKNOWN
    commit = arguments.get(1, "commit") or YES
    form = _one_form(machine, formset, site)
    with machine.loop(site):
        row = machine.call_method(form, "save", Arguments(named={"commit": commit}), site)
        if truth(commit) is not False and getattr(formset.cls, "can_delete", False):
            machine.branch(
                site, lambda: machine.call_method(row, "delete", Arguments(), site), lambda: NONE
            )
    for name in ("new_objects", "changed_objects", "deleted_objects"):
        formset.attributes[name] = Items(Instance(model))
    formset.attributes["save_m2m"] = Handled("save_m2m", _save_m2m_of_each, form)
    machine.changed(formset)
    return Items(row)


def _save_m2m_of_each(machine: Machine, target: Value, arguments: Arguments, site: Site) -> Value:
    with machine.loop(site):
        save_m2m(machine, Arguments((target,)), site)
    return NONE


KNOWN = {
    "django.forms.forms.BaseForm.__init__": begin,
    "django.forms.models.BaseModelForm.__init__": begin,
    "django.forms.forms.BaseForm.is_valid": is_valid,
    "django.forms.forms.BaseForm.full_clean": validate,
    "django.forms.forms.BaseForm.errors": validate,
    "django.forms.models.BaseModelForm.save": save,
    "django.forms.models.BaseModelForm._save_m2m": save_m2m,
    "django.forms.models.modelform_factory": modelform_factory,
    "django.forms.models.modelformset_factory": formset_factory,
    "django.forms.models.inlineformset_factory": inlineformset_factory,
    "django.contrib.contenttypes.forms.generic_inlineformset_factory": formset_factory,
    "django.forms.formsets.BaseFormSet.__init__": begin_formset,
    "django.forms.models.BaseModelFormSet.__init__": begin_formset,
    "django.forms.models.BaseInlineFormSet.__init__": begin_formset,
    "django.forms.formsets.BaseFormSet.is_valid": validate,
    "django.forms.formsets.BaseFormSet.full_clean": validate,
    "django.forms.formsets.BaseFormSet.errors": validate,
    "django.forms.models.BaseModelFormSet.save": save_formset,
}
