"""Attributes, found as Python finds them, but without running anything of the project's."""

from __future__ import annotations

import functools
import types
from typing import Any

from django.conf import LazySettings
from django.db import connections
from django.db.models.manager import ManagerDescriptor
from django.utils.functional import LazyObject, SimpleLazyObject, cached_property

from django_dbaudit.project.effects import (
    caching,
    hints,
    models,
    policy,
    queries,
    requests,
    sources,
    texts,
)
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    NONE,
    PRIMITIVES,
    SCALAR,
    UNKNOWN,
    Arguments,
    AtomicFunction,
    Bound,
    Closure,
    ContextManager,
    Dictionary,
    Either,
    Generator,
    Handled,
    Instance,
    Items,
    Live,
    Partial,
    Query,
    Scalar,
    Super,
    Unknown,
    Value,
    constant,
    is_none,
    join,
)

MISSING = object()
DESCRIPTORS = (functools.cached_property, cached_property)


def static(cls: type, name: str, after: type | None = None) -> tuple[type, Any] | None:
    """What the class or a base holds under the name, as it is held; only from the bases ``after`` one."""
    order = cls.__mro__
    if after is not None:
        order = order[order.index(after) + 1 :] if after in order else ()
    for base in order:
        if name in vars(base):
            return base, vars(base)[name]
    return None


def attribute(machine: Machine, value: Value, name: str, site: Site) -> Value:
    """``value.name``."""
    if isinstance(value, Either):
        # None has no attributes: where it may be None, the program has made sure that it is not.
        found = [each for each in value.options if not is_none(each)]
        return join(*(attribute(machine, each, name, site) for each in found)) if found else UNKNOWN
    if isinstance(value, Live):
        return _of_live(machine, value, name, site)
    if isinstance(value, Instance):
        return _of_instance(machine, value, name, site)
    if isinstance(value, Query):
        return _of_query(machine, value, name, site)
    if isinstance(value, Super):
        found_in = static(value.cls, name, value.after)
        if found_in is None:
            return Handled(f"object.{name}", None, value.target)
        return _from_class(machine, found_in[1], found_in[0], value.target, site)
    if isinstance(value, (Items, Dictionary, Generator)):
        return Handled(name, None, value)
    if isinstance(value, Scalar):
        return SCALAR
    if isinstance(value, (Bound, Closure, Partial, AtomicFunction, ContextManager)) and name.startswith(
        "__"
    ):
        return SCALAR
    return Unknown(getattr(value, "why", ""))


def _of_live(machine: Machine, value: Live, name: str, site: Site) -> Value:  # noqa: C901  # one line a kind
    thing = value.thing
    if isinstance(thing, PRIMITIVES):
        return texts.attribute(thing, name) if isinstance(thing, str) else SCALAR
    known = models.of_live(thing)
    if known is not None:
        return attribute(machine, known, name, site)
    if caching.is_cache(thing):
        return Handled(name, caching.method(name), value)
    if isinstance(thing, types.ModuleType):
        return _of_module(thing, name)
    if isinstance(thing, LazySettings):
        return setting(thing, name)
    if isinstance(thing, (LazyObject, SimpleLazyObject)):
        thing = unwrapped(thing)
        return (
            attribute(machine, Live(thing), name, site) if thing is not None else Unknown("a lazy object")
        )
    if isinstance(thing, type):
        return _of_class(machine, value, thing, name, site)
    if isinstance(thing, types.MethodType) and name == "__func__":
        return Live(thing.__func__)
    own = _own(thing)
    if name in own:
        return Live(own[name])
    if isinstance(thing, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)):
        return SCALAR
    found = static(type(thing), name)
    if found is None:
        return Unknown(f"an attribute of a {type(thing).__name__}")
    return _from_class(machine, found[1], found[0], value, site)


def is_plain(thing: Any) -> bool:
    """Whether all the attributes it has can be seen: nothing makes them up when they are asked for."""
    return not isinstance(thing, LazyObject) and static(type(thing), "__getattr__") is None


def has(thing: Any, name: str) -> bool:
    """``hasattr`` of a live object, without running anything of it."""
    return name in _own(thing) or static(type(thing), name) is not None


def unwrapped(lazy: Any) -> Any:
    """What a lazy object stands for, if it has been found out already; nothing is set up for us."""
    inside = _own(lazy).get("_wrapped")
    return None if inside is None or type(inside) is object else inside


def _own(thing: Any) -> dict[str, Any]:
    """What the object itself holds, read past whatever its class makes of attributes."""
    try:
        found: dict[str, Any] = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return {}
    return found


def setting(settings: LazySettings, name: str) -> Value:
    """Flags differ between environments, and so neither way is ruled out; the rest is as it is."""
    found = getattr(settings, name, MISSING)
    if found is MISSING or found is None or isinstance(found, (bool, int)):
        return SCALAR
    return Live(found)


def _of_module(module: types.ModuleType, name: str) -> Value:
    found = vars(module).get(name, MISSING)
    if found is not MISSING:
        return Live(found)
    # A module may make up its names as they are asked for; one that does not know Django makes no model.
    file = getattr(module, "__file__", None)
    is_data = policy.is_known_module(module.__name__) or (file and not sources.mentions_django(file))
    return SCALAR if is_data else Unknown(f"{module.__name__}.{name}")


def _of_class(machine: Machine, value: Live, cls: type, name: str, site: Site) -> Value:
    if name in ("__name__", "__qualname__", "__module__", "__doc__"):
        return Live(getattr(cls, name))
    if name in ("_default_manager", "_base_manager") and models.is_model(cls):
        return models.manager(cls, getattr(cls, name))
    found = static(cls, name)
    if found is None:
        found = static(type(cls), name)
        if found is None or isinstance(found[1], property):
            return Unknown(f"{cls.__name__}.{name}")
        return _bind(found[1], found[0], value)
    raw = found[1]
    if type(raw) is ManagerDescriptor:
        return models.manager(cls, vars(raw)["manager"])
    if isinstance(raw, classmethod):
        return Bound(Live(raw.__func__), value)
    if isinstance(raw, staticmethod):
        return Live(raw.__func__)
    if isinstance(raw, types.FunctionType):
        return Live(raw)
    if isinstance(raw, (property, *DESCRIPTORS)):
        return UNKNOWN
    return Live(raw)


def _of_instance(machine: Machine, value: Instance, name: str, site: Site) -> Value:
    if name in value.attributes:
        if name == "method" and "is_request" in value.attributes:
            machine.asked_for_method()
        return value.attributes[name]
    if name == "__class__":
        return Live(value.cls)
    if "is_request" in value.attributes:
        found = requests.attribute(name, machine.method)
        if found is not None:
            return found
    if models.is_model(value.cls):
        found = models.attribute(value, name)
        if found is not None:
            return found
    if name == "__dict__":
        return SCALAR
    raw = static(value.cls, name)
    if raw is not None:
        return _from_class(machine, raw[1], raw[0], value, site)
    return hints.of_attribute(value.cls, name) or _made_up(machine, value, name, site)


def _made_up(machine: Machine, value: Instance, name: str, site: Site) -> Value:
    """What ``__getattr__`` makes of a name that nothing else knows."""
    getter = static(value.cls, "__getattr__")
    if getter is not None and isinstance(getter[1], types.FunctionType):
        return machine.call(Bound(Live(getter[1]), value), Arguments((Live(name),)), site)
    return Unknown(f"an attribute of a {value.cls.__name__}")


def _of_query(machine: Machine, value: Query, name: str, site: Site) -> Value:
    if name == "model":
        return Live(value.model)
    if name in ("db", "_db"):
        return NONE if value.alias is None else Live(value.alias)
    if name == "instance" and value.relation is not None:
        return UNKNOWN
    found = static(value.cls, name)
    if found is None:
        handled = queries.method_of(name, value)
        return handled or Unknown(f"an attribute of a {value.cls.__name__}")
    raw = found[1]
    # A manager made from a queryset class hands its methods on.
    inside = getattr(raw, "__wrapped__", None)
    is_handed_on = isinstance(raw, types.FunctionType) and raw.__code__.co_name == "manager_method"
    if is_handed_on and isinstance(inside, types.FunctionType):
        raw = inside
    if isinstance(raw, types.FunctionType) and raw.__module__.startswith("django."):
        handled = queries.method_of(name, value)
        if handled is not None:
            return handled
    return _from_class(machine, raw, found[0], value, site)


def _from_class(machine: Machine, raw: Any, owner: type, target: Value, site: Site) -> Value:
    """What a class holds, as its instance has it."""
    if isinstance(raw, property):
        if raw.fget is None:
            return UNKNOWN
        return machine.call(Bound(Live(raw.fget), target), Arguments(), site)
    if isinstance(raw, DESCRIPTORS):
        value = machine.call(Bound(Live(raw.func), target), Arguments(), site)
        if isinstance(target, Instance):
            # Worked out once, as Python does it.
            target.attributes[str(getattr(raw, "attrname", None) or getattr(raw, "name", ""))] = value
            machine.changed(target)
        return value
    if isinstance(raw, functools.partialmethod):
        bound = Bound(Live(raw.func), target)
        named = {key: Live(each) for key, each in raw.keywords.items()}
        return Partial(bound, tuple(map(Live, raw.args)), named)
    if isinstance(raw, (classmethod, staticmethod)):
        return _bind(raw, owner, Live(class_of(target) or owner))
    if type(raw) is ManagerDescriptor:
        return models.manager(owner, vars(raw)["manager"])
    if isinstance(raw, types.MemberDescriptorType):
        return hints.of_attribute(owner, raw.__name__) or UNKNOWN
    return _bind(raw, owner, target)


def class_of(target: Value) -> type | None:
    """The class of an object, as far as it is known."""
    if isinstance(target, (Instance, Query)):
        return target.cls
    if isinstance(target, Live):
        return target.thing if isinstance(target.thing, type) else type(target.thing)
    return None


def _bind(raw: Any, owner: type, target: Value) -> Value:
    if isinstance(raw, classmethod):
        return Bound(Live(raw.__func__), target)
    if isinstance(raw, staticmethod):
        return Live(raw.__func__)
    # What else has __get__ binds too: the objects that decorators such as lru_cache make of a method.
    if isinstance(raw, (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType)):
        return Bound(Live(raw), target)
    if callable(getattr(raw, "__wrapped__", None)) and not isinstance(raw, type):
        return Bound(Live(raw), target)
    return Live(raw)


def element(value: Value, index: Value | None) -> Value:
    """``value[index]``."""
    if isinstance(value, Either):
        return join(*(element(each, index) for each in value.options))
    if isinstance(value, Dictionary):
        key = constant(index)
        return (
            value.known.get(key, value.rest) if key is not None else join(*value.known.values(), value.rest)
        )
    if isinstance(value, Items):
        place = constant(index)
        if (
            value.known is not None
            and isinstance(place, int)
            and -len(value.known) <= place < len(value.known)
        ):
            return value.known[place]
        return value.item
    if isinstance(value, Live):
        return _element_of_live(value.thing, constant(index))
    return SCALAR if isinstance(value, Scalar) else UNKNOWN


def _element_of_live(thing: Any, key: Any) -> Value:
    if thing is connections:
        return models.connection(key if isinstance(key, str) else None)
    if type(thing) in (dict, list, tuple, types.MappingProxyType):
        try:
            return Live(thing[key])
        except (KeyError, IndexError, TypeError):
            return join(
                *map(Live, list(thing.values() if hasattr(thing, "values") else thing)[:4]), UNKNOWN
            )
    return SCALAR if isinstance(thing, PRIMITIVES) else UNKNOWN
