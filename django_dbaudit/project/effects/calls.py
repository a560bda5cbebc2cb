"""Calls: who is called, and whether that is known by heart, followed, or harmless."""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import inspect
import types
from typing import Any

from django.db.models import QuerySet

from django_dbaudit.project.effects import (
    blocks,
    functions,
    iteration,
    known_accounts,
    known_admin,
    known_builtins,
    known_forms,
    known_library,
    known_views,
    lookup,
    models,
    policy,
    sources,
    tree,
    wrappers,
)
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    PRIMITIVES,
    SCALAR,
    UNKNOWN,
    Arguments,
    AtomicBlock,
    AtomicFunction,
    Bound,
    Closure,
    Either,
    Generator,
    Handled,
    Instance,
    Live,
    Partial,
    Query,
    Scalar,
    Unknown,
    Value,
    is_none,
    join,
)

KNOWN: dict[str, known_builtins.Known] = {
    **known_builtins.KNOWN,
    **known_library.KNOWN,
    **known_accounts.KNOWN,
    **known_forms.KNOWN,
    **known_views.KNOWN,
    **known_admin.KNOWN,
}
#: What is made of these is data.
PRIMITIVE_CLASSES = (str, bytes, int, float, complex, bytearray, memoryview)
SERIALIZERS = ("rest_framework.serializers",)
FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
)


def call(machine: Machine, function: Value, arguments: Arguments, site: Site) -> Value:  # noqa: C901  # one line a kind
    """What a call gives; what it does is emitted."""
    machine.steps += 1
    if isinstance(function, Either):
        return _call_each(machine, function, arguments, site)
    if isinstance(function, Handled):
        return _call_handled(machine, function, arguments, site)
    if isinstance(function, Bound):
        return call(machine, function.function, arguments.after(function.target), site)
    if isinstance(function, Live):
        return _call_live(machine, function.thing, arguments, site)
    if isinstance(function, Closure):
        return functions.run_closure(machine, function, arguments, site)
    if isinstance(function, Partial):
        merged = Arguments(
            (*function.positional, *arguments.positional),
            {**function.named, **arguments.named},
            arguments.rest,
        )
        return call(machine, function.function, merged, site)
    if isinstance(function, AtomicBlock):
        return AtomicFunction(function, arguments.positional[0]) if arguments.positional else function
    if isinstance(function, AtomicFunction):
        return _call_atomic(machine, function.block, function.function, arguments, site)
    if isinstance(function, Instance):
        return machine.call_method(function, "__call__", arguments, site)
    if isinstance(function, Scalar):
        return _harmless(machine, arguments, site)
    return _call_unknown(machine, function, arguments, site)


def _call_each(machine: Machine, function: Either, arguments: Arguments, site: Site) -> Value:
    found = [each for each in function.options if not is_none(each)]
    return join(
        *machine.branch(site, *(functools.partial(call, machine, each, arguments, site) for each in found))
    )


def _call_handled(machine: Machine, function: Handled, arguments: Arguments, site: Site) -> Value:
    if function.handler is not None:
        found: Value = function.handler(machine, function.target, arguments, site)
        return found
    if function.name == "cursor" or isinstance(function.target, Live):
        return UNKNOWN
    for each in (*arguments.positional, *arguments.named.values()):
        if isinstance(each, Generator):
            iteration.items(machine, each, site)
    return known_builtins.container_method(machine, function.name, function.target, arguments, site)


def _call_unknown(machine: Machine, function: Value, arguments: Arguments, site: Site) -> Value:
    name = site.method
    if name in policy.TASK_METHODS:
        machine.emit(tree.SideEffect("task", site.text, site.location))
        return SCALAR
    if policy.is_harmless_name(name):
        return _harmless(machine, arguments, site) if name != "get" else UNKNOWN
    why = function.why if isinstance(function, Unknown) else ""
    machine.unresolved(site, why or "not known what is called")
    return UNKNOWN


def _harmless(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """What is called writes nothing itself; but generators that it is given run."""
    for each in (*arguments.positional, *arguments.named.values()):
        if isinstance(each, Generator) and each.steps != tree.NOTHING:
            iteration.items(machine, each, site)
    return SCALAR


def _call_atomic(
    machine: Machine, block: AtomicBlock, function: Value, arguments: Arguments, site: Site
) -> Value:
    found: list[Value] = []

    def body() -> bool:
        found.append(call(machine, function, arguments, site))
        return True

    origin = machine.frames[-1].origin if machine.frames else "project"
    blocks.within(machine, block, body, site, origin, wraps=_held_badly(function))
    return found[0]


def _held_badly(function: Value) -> str:
    """A block around a call ends before a generator, or a coroutine, has begun."""
    node = function.node if isinstance(function, Closure) else None
    thing = function.thing if isinstance(function, Live) else None
    if inspect.iscoroutinefunction(thing) or isinstance(node, ast.AsyncFunctionDef):
        return "coroutine"
    if inspect.isgeneratorfunction(thing) or (node is not None and sources.is_generator(node)):
        return "generator"
    return ""


def full_name(thing: Any) -> str:
    """``module.qualname``, as the tables of what is known have it."""
    return f"{getattr(thing, '__module__', None) or ''}.{getattr(thing, '__qualname__', '')}"


def _call_live(machine: Machine, thing: Any, arguments: Arguments, site: Site) -> Value:
    if isinstance(thing, PRIMITIVES):
        return SCALAR
    if isinstance(thing, types.MethodType):
        return _call_live(machine, thing.__func__, arguments.after(Live(thing.__self__)), site)
    if isinstance(thing, functools.partial):
        named = {key: Live(each) for key, each in thing.keywords.items()}
        return call(
            machine, Partial(Live(thing.func), tuple(map(Live, thing.args)), named), arguments, site
        )
    wrapper = wrappers.of(thing)
    if wrapper is not None:
        return wrapper(machine, thing, arguments, site)
    name = full_name(thing)
    known = KNOWN.get(name)
    if known is not None:
        return known(machine, arguments, site)
    if isinstance(thing, type):
        return _construct(machine, thing, arguments, site)
    effect = policy.side_effect(name)
    if effect is not None:
        machine.emit(tree.SideEffect(effect, name, site.location))
        return SCALAR
    if isinstance(thing, types.FunctionType):
        return _call_function(machine, thing, arguments, site)
    if isinstance(thing, FUNCTIONS):
        return _harmless(machine, arguments, site)
    return _call_object(machine, thing, arguments, site)


def _call_function(
    machine: Machine, function: types.FunctionType, arguments: Arguments, site: Site
) -> Value:
    if policy.is_followed(function):
        return functions.run_live(machine, function, arguments, site)
    wrapped = getattr(function, "__wrapped__", None)
    if callable(wrapped):
        # A decorator of Django's: what it adds writes nothing.
        return _call_live(machine, wrapped, arguments, site)
    return _decorated(arguments) or _harmless(machine, arguments, site)


def _decorated(arguments: Arguments) -> Value | None:
    """A decorator that is harmless gives back, for us, what it decorates."""
    if len(arguments.positional) == 1 and not arguments.named:
        (only,) = arguments.positional
        if isinstance(only, (Closure, AtomicFunction, Partial)):
            return only
    return None


def _call_object(machine: Machine, thing: Any, arguments: Arguments, site: Site) -> Value:
    """An object that exists: a task, a cached function, an instance with ``__call__``."""
    module = type(thing).__module__
    if policy.is_task_package(module):
        machine.emit(tree.SideEffect("task", site.text, site.location))
        return SCALAR
    wrapped = getattr(thing, "__wrapped__", None)
    if callable(wrapped):
        return _call_live(machine, wrapped, arguments, site)
    found = lookup.static(type(thing), "__call__")
    if found is not None and isinstance(found[1], types.FunctionType):
        return _call_live(machine, found[1], arguments.after(Live(thing)), site)
    if policy.is_known_module(module):
        return _harmless(machine, arguments, site)
    machine.unresolved(site, f"a {type(thing).__qualname__}")
    return UNKNOWN


def _construct(machine: Machine, cls: Any, arguments: Arguments, site: Site) -> Value:
    """A new object."""
    if models.is_model(cls):
        return Instance(cls, source="created")
    if issubclass(cls, QuerySet):
        model = arguments.get(0, "model")
        return (
            Query(model.thing, cls) if isinstance(model, Live) and models.is_model(model.thing) else UNKNOWN
        )
    if issubclass(cls, (*PRIMITIVE_CLASSES, enum.Enum)):
        return _harmless(machine, arguments, site)
    if any(
        each.__qualname__ == "BaseSerializer" and each.__module__ in SERIALIZERS for each in cls.__mro__
    ):
        return known_views.make_serializer(machine, cls, arguments, site)
    made = Instance(cls)
    found = lookup.static(cls, "__init__")
    if found is None or not isinstance(found[1], types.FunctionType):
        _harmless(machine, arguments, site)
    elif dataclasses.is_dataclass(cls) and found[1].__code__.co_filename == "<string>":
        _fill(made, found[1], arguments)
    else:
        _call_live(machine, found[1], arguments.after(made), site)
    return made


def _fill(made: Instance, begin: types.FunctionType, arguments: Arguments) -> None:
    """The fields of a dataclass, whose ``__init__`` has no source."""
    names = begin.__code__.co_varnames[1 : begin.__code__.co_argcount + begin.__code__.co_kwonlyargcount]
    for place, name in enumerate(names):
        given = arguments.get(place, name)
        if given is not None:
            made.attributes[name] = given
