"""Class-based views: how Django and Django REST framework come from the callback to a method."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest

from django_dbaudit.project.effects import known_forms, models, queries, tree
from django_dbaudit.project.effects.lookup import class_of, static
from django_dbaudit.project.effects.machine import Machine, Site, sequence
from django_dbaudit.project.effects.values import (
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
    Query,
    Unknown,
    Value,
    constant,
    is_none,
    join,
    options,
    truth,
)

#: What Django REST framework turns into a response, inside the view.
ANSWERED = (
    "rest_framework.exceptions.APIException",
    "django.http.response.Http404",
    "django.core.exceptions.PermissionDenied",
)


def request_of(method: str) -> Instance:
    """The request of a view; what every request has is found by `lookup`."""
    return Instance(HttpRequest, {"is_request": YES, "method": Live(method)})


def run_class(
    machine: Machine,
    cls: type,
    set_up: Mapping[str, Any],
    actions: Mapping[str, str],
    arguments: Arguments,
    site: Site,
) -> Value:
    """What ``as_view()`` does with a request."""
    request = arguments.get(0, "request") or request_of(machine.method)
    view = Instance(cls, {name: Live(each) for name, each in set_up.items()})
    view.attributes.update(
        request=request, args=Items(SCALAR), kwargs=Dictionary(dict(arguments.named), SCALAR)
    )
    own = static(cls, "__init__")
    if (
        own is not None
        and not own[0].__module__.startswith(("django.", "rest_framework."))
        and own[0] is not object
    ):
        machine.call_method(view, "__init__", Arguments(named=dict(view.attributes)), site)
    action = actions.get(machine.method.lower())
    if action is not None:
        view.attributes["action"] = Live(action)
        view.attributes[machine.method.lower()] = machine.attribute(view, action, site)
    if static(cls, "setup") is not None:
        machine.call_method(view, "setup", Arguments((request,), arguments.named, arguments.rest), site)
    return machine.call_method(view, "dispatch", Arguments((request,), arguments.named, SCALAR), site)


def _dispatch(machine: Machine, arguments: Arguments, site: Site) -> Value:
    view, *rest = arguments.positional
    return machine.call(
        _handler(machine, view, site), Arguments(tuple(rest), arguments.named, SCALAR), site
    )


def _handler(machine: Machine, view: Value, site: Site) -> Value:
    """The method of the view that the request's method chooses; without one the answer is 405."""
    name = machine.method.lower()
    if isinstance(view, Instance) and name not in view.attributes and static(view.cls, name) is None:
        return SCALAR
    return machine.attribute(view, name, site)


def _setup(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return NONE


def _as_view(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return Handled(
        "view",
        _view_made,
        Items(UNKNOWN, [arguments.positional[0], Dictionary(dict(arguments.named), UNKNOWN)]),
    )


def _view_made(machine: Machine, target: Value, arguments: Arguments, site: Site) -> Value:
    cls, given = target.known if isinstance(target, Items) and target.known else (UNKNOWN, UNKNOWN)
    if not isinstance(cls, Live) or not isinstance(given, Dictionary):
        return UNKNOWN
    set_up = {str(name): each.thing for name, each in given.known.items() if isinstance(each, Live)}
    return run_class(machine, cls.thing, set_up, {}, arguments, site)


def _rest_dispatch(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``APIView.dispatch``: who may, then the handler; some exceptions become responses."""
    view, *rest = arguments.positional
    with machine.collected() as steps:
        machine.call_method(view, "initial", Arguments(tuple(rest), arguments.named, SCALAR), site)
        handler = _handler(machine, view, site)
        value = machine.call(handler, Arguments(tuple(rest), arguments.named, SCALAR), site)
    if steps:
        answered = tree.Handler(
            ANSWERED, catches_database_errors=False, body=tree.NOTHING, location=site.location
        )
        machine.emit(tree.Try(sequence(steps), (answered,), tree.NOTHING, tree.NOTHING, site.location))
    return value


def _rest_initial(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """Authentication, permissions and throttles: of each, what the project wrote itself."""
    view = arguments.positional[0]
    request = arguments.get(1, "request") or UNKNOWN
    for name, method, given in (
        ("authentication_classes", "authenticate", (request,)),
        ("permission_classes", "has_permission", (request, view)),
        ("throttle_classes", "allow_request", (request, view)),
    ):
        for cls in _classes(machine.attribute(view, name, site)):
            found = static(cls, method)
            if found is not None and not found[0].__module__.startswith("rest_framework."):
                machine.call_method(Instance(cls), method, Arguments(given), site)
    return NONE


def _classes(value: Value) -> Iterable[type]:
    several = value.thing if isinstance(value, Live) and isinstance(value.thing, (list, tuple)) else ()
    return [each for each in several if isinstance(each, type)]


def _rest_get_object(machine: Machine, arguments: Arguments, site: Site) -> Value:
    rows = machine.call_method(arguments.positional[0], "get_queryset", Arguments(), site)
    for each in options(rows):
        if isinstance(each, Query):
            queries.read(machine, each, "get", site)
            return queries.one_row(each)
    return Unknown("get_object() of a queryset that is not known")


def _second(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return arguments.positional[1] if len(arguments.positional) > 1 else UNKNOWN


def _paginate(machine: Machine, arguments: Arguments, site: Site) -> Value:
    rows = _second(machine, arguments, site)
    if isinstance(rows, Query):
        return Items(queries.items(machine, rows, site, "list"))
    return rows


def serializer_model(serializer: Instance) -> Any:
    meta = static(serializer.cls, "Meta")
    found = getattr(meta[1], "model", None) if meta is not None else None
    return found if models.is_model(found) else None


def make_serializer(machine: Machine, cls: Any, arguments: Arguments, site: Site) -> Value:
    """``Serializer(...)``, which with ``many=True`` makes a list serializer around itself."""
    if truth(arguments.named.get("many")) is not True:
        made = Instance(cls)
        machine.call_method(made, "__init__", arguments, site)
        return made
    child = Instance(cls)
    machine.call_method(child, "__init__", Arguments((), {}), site)
    meta = static(cls, "Meta")
    own = getattr(meta[1], "list_serializer_class", None) if meta is not None else None
    made = Instance(own or _list_serializer(cls), {"child": child})
    given = arguments.get(0, "instance")
    made.attributes["instance"] = NONE if given is None else given
    made.attributes["context"] = arguments.named.get("context", Dictionary({}, UNKNOWN))
    return made


def _list_serializer(cls: type) -> type:
    """Django REST framework's own, found beside the base that every serializer has."""
    base = next(each for each in cls.__mro__ if each.__qualname__ == "BaseSerializer")
    found: Any = vars(sys.modules[base.__module__])["ListSerializer"]
    return found if isinstance(found, type) else cls


def _begin_serializer(machine: Machine, arguments: Arguments, site: Site) -> Value:
    serializer = arguments.positional[0]
    if isinstance(serializer, Instance):
        given = arguments.get(1, "instance")
        model = serializer_model(serializer)
        if given is None:
            given = NONE
        elif isinstance(given, Unknown) and model is not None:
            given = Instance(model)
        machine.changed(serializer)
        serializer.attributes["instance"] = given
        serializer.attributes["context"] = arguments.named.get("context", Dictionary({}, UNKNOWN))
        serializer.attributes["validated_data"] = Dictionary(_validated(serializer), SCALAR)
        serializer.attributes["initial_data"] = arguments.get(2, "data") or SCALAR
    return NONE


def _validated(serializer: Instance) -> dict[Any, Value]:
    known: dict[Any, Value] = {}
    model = serializer_model(serializer)
    for field in model._meta.fields if model is not None else ():
        if field.is_relation and models.is_model(field.related_model):
            known[field.name] = models.row(field.related_model)
    for name, field in (getattr(serializer.cls, "_declared_fields", None) or {}).items():
        related: Any = getattr(getattr(field, "queryset", None), "model", None)
        if models.is_model(related):
            known[getattr(field, "source", None) or name] = models.row(related)
        elif field.__class__.__qualname__ in ("ManyRelatedField", "ListSerializer"):
            inner = getattr(getattr(field, "child_relation", None), "queryset", None)
            known[name] = Items(models.row(inner.model) if inner is not None else Dictionary({}, SCALAR))
    return known


def _validate_serializer(machine: Machine, arguments: Arguments, site: Site) -> Value:
    serializer = arguments.positional[0]
    if isinstance(serializer, Instance) and "is valid" not in serializer.attributes:
        serializer.attributes["is valid"] = SCALAR
        machine.changed(serializer)
        data = serializer.attributes.get("validated_data", SCALAR)
        for name in _own_names(serializer.cls, "validate_"):
            machine.call_method(serializer, name, Arguments((SCALAR,)), site)
        for name in ("validate",):
            found = static(serializer.cls, name)
            if found is not None and not found[0].__module__.startswith("rest_framework."):
                machine.call_method(serializer, name, Arguments((data,)), site)
    return SCALAR


def _own_names(cls: type, prefix: str) -> Iterable[str]:
    return dict.fromkeys(
        name
        for base in cls.__mro__
        if not base.__module__.startswith("rest_framework.")
        for name in vars(base)
        if name.startswith(prefix)
    )


def _save_serializer(machine: Machine, arguments: Arguments, site: Site) -> Value:
    serializer = arguments.positional[0]
    if not isinstance(serializer, Instance):
        return UNKNOWN
    instance = serializer.attributes.get("instance", NONE)
    given = serializer.attributes.get("validated_data", Dictionary({}, SCALAR))
    data = (
        Dictionary({**given.known, **arguments.named}, given.rest)
        if isinstance(given, Dictionary)
        else given
    )

    def create() -> Value:
        return machine.call_method(serializer, "create", Arguments((data,)), site)

    def update() -> Value:
        known = [each for each in options(instance) if not is_none(each)]
        row = join(*known) if known else UNKNOWN
        return machine.call_method(serializer, "update", Arguments((row, data)), site)

    is_new = is_none(instance)
    value = (
        join(*machine.branch(site, create, update)) if is_new is None else create() if is_new else update()
    )
    serializer.attributes["instance"] = value
    machine.changed(serializer)
    return value


def _create_row(machine: Machine, arguments: Arguments, site: Site) -> Value:
    serializer = arguments.positional[0]
    model = serializer_model(serializer) if isinstance(serializer, Instance) else None
    if model is None:
        machine.unresolved(site, "a serializer without a model")
        return UNKNOWN
    manager = models.manager(model, model._default_manager)  # noqa: SLF001  # Django's own name for it
    row = machine.call_method(manager, "create", Arguments(rest=SCALAR), site)
    _set_relations(machine, serializer, model, site)
    return row


def _update_row(machine: Machine, arguments: Arguments, site: Site) -> Value:
    serializer = arguments.positional[0]
    row = arguments.get(1, "instance") or UNKNOWN
    model = serializer_model(serializer) if isinstance(serializer, Instance) else None
    machine.call_method(row, "save", Arguments(), site)
    if model is not None:
        _set_relations(machine, serializer, model, site)
    return row


def _set_relations(machine: Machine, serializer: Value, model: Any, site: Site) -> None:
    """Each many-to-many field that the serializer writes is set, in a unit of its own."""
    cls: Any = class_of(serializer)
    meta = static(cls, "Meta")
    named = getattr(meta[1], "fields", ()) if meta is not None else ()
    excluded = set(getattr(meta[1], "read_only_fields", None) or ()) if meta is not None else set()
    excluded |= set(getattr(meta[1], "exclude", None) or ()) if meta is not None else set()
    declared = getattr(cls, "_declared_fields", None) or {}
    for field in model._meta.many_to_many:
        is_named = named == "__all__" or not named or field.name in named
        own = declared.get(field.name)
        if is_named and field.name not in excluded and not getattr(own, "read_only", False):
            known_forms.set_relation(machine, model, field, site)


def _create_rows(machine: Machine, arguments: Arguments, site: Site) -> Value:
    several = arguments.positional[0]
    child = several.attributes.get("child", UNKNOWN) if isinstance(several, Instance) else UNKNOWN
    data = child.attributes.get("validated_data", SCALAR) if isinstance(child, Instance) else SCALAR
    with machine.loop(site):
        row = machine.call_method(child, "create", Arguments((data,)), site)
    return Items(row)


def _rest_response(machine: Machine, arguments: Arguments, site: Site) -> Value:
    target = arguments.positional[0]
    status = arguments.get(2, "status")
    if isinstance(target, Instance):
        machine.changed(target)
        target.attributes["status_code"] = Live(200) if status is None else Live(constant(status) or 200)
    return NONE


def _feed_attribute(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``Feed._get_dynamic_attr``: a method of the feed's, with the item or without, or a constant."""
    feed, name = arguments.positional[0], constant(arguments.get(1, "attname"))
    cls = class_of(feed)
    found = static(cls, name) if cls is not None and isinstance(name, str) else None
    if found is None:
        return arguments.get(3, "default") or NONE
    if not isinstance(found[1], types.FunctionType):
        return Live(found[1])
    item = arguments.get(2, "obj") or UNKNOWN
    takes_item = found[1].__code__.co_argcount > 1
    return machine.call_method(feed, str(name), Arguments((item,) if takes_item else ()), site)


REST = "rest_framework"
KNOWN = {
    "django.contrib.syndication.views.Feed._get_dynamic_attr": _feed_attribute,
    "django.views.generic.base.View.dispatch": _dispatch,
    "django.views.generic.base.View.setup": _setup,
    "django.views.generic.base.View.as_view": _as_view,
    f"{REST}.views.APIView.dispatch": _rest_dispatch,
    f"{REST}.views.APIView.initial": _rest_initial,
    f"{REST}.views.APIView.initialize_request": _second,
    f"{REST}.generics.GenericAPIView.get_object": _rest_get_object,
    f"{REST}.generics.GenericAPIView.filter_queryset": _second,
    f"{REST}.generics.GenericAPIView.paginate_queryset": _paginate,
    f"{REST}.serializers.BaseSerializer.__init__": _begin_serializer,
    f"{REST}.serializers.BaseSerializer.is_valid": _validate_serializer,
    f"{REST}.serializers.BaseSerializer.save": _save_serializer,
    f"{REST}.serializers.ListSerializer.save": _save_serializer,
    f"{REST}.serializers.ListSerializer.create": _create_rows,
    f"{REST}.serializers.ModelSerializer.create": _create_row,
    f"{REST}.serializers.ModelSerializer.update": _update_row,
    f"{REST}.response.Response.__init__": _rest_response,
}
