"""Running a function: its arguments bound, its body interpreted, and what it did remembered."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django_dbaudit.callback import is_bound
from django_dbaudit.project import source_lines
from django_dbaudit.project.effects import hints, sources, statements, tree
from django_dbaudit.project.effects.expressions import evaluate
from django_dbaudit.project.effects.machine import DEEPEST, Frame, Machine, Site, is_silent, sequence
from django_dbaudit.project.effects.scope import Scope
from django_dbaudit.project.effects.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Closure,
    Dictionary,
    Generator,
    Instance,
    Items,
    Live,
    Unknown,
    Value,
    join,
)

#: One function may be in progress so often, with unlike arguments: for the classes that share it.
MOST_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Definition:
    """A function as its source has it."""

    node: sources.FunctionNode
    name: str
    file: str
    origin: str


@functools.cache
def definition(code: types.CodeType, module: str) -> Definition | None:
    """None where there is no source that we can read."""
    node = sources.node_of(code)
    if node is None:
        return None
    qualname = getattr(code, "co_qualname", code.co_name)
    origin = "package" if source_lines.is_installed_path(code.co_filename) else "project"
    return Definition(node, f"{module}.{qualname}", source_lines.relative(code.co_filename), origin)


def run_live(machine: Machine, function: types.FunctionType, arguments: Arguments, site: Site) -> Value:
    """Follow into a function that exists."""
    module = function.__module__ or ""
    found = definition(function.__code__, module)
    if found is None:
        machine.unresolved(site, "no source")
        return UNKNOWN
    cells = _cells(function)
    known = machine.call_key(function.__code__, cells, arguments)
    summary = machine.recall(known) if machine.at_yield is None else None
    name = f"{module}.{function.__qualname__}"
    if summary is not None:
        if not summary.is_silent:
            is_async = isinstance(found.node, ast.AsyncFunctionDef)
            machine.emit(
                tree.Call(name, summary.body, site.location, is_async=is_async, origin=found.origin)
            )
        return machine.replay(known, summary)
    is_serving = machine.at_yield is not None
    owner = cells.get("__class__")
    target = arguments.positional[0] if arguments.positional else None
    frame = Frame(function.__code__, found.file, found.origin, alike=known.key, owner=owner, target=target)
    scope = Scope(frame, function.__globals__, cells=cells)
    defaults = _Defaults(function.__defaults__ or (), function.__kwdefaults__ or {})
    cuts = machine.cuts
    value, node = _run(machine, found.node, scope, defaults, arguments, site)
    is_whole = cuts == machine.cuts and not machine.recursive
    if known.key is not None and is_whole and not is_serving:
        machine.remember(known, frame, node, value)
    _emit(machine, name, node, site, found.node, found.origin)
    return value


def run_closure(machine: Machine, closure: Closure, arguments: Arguments, site: Site) -> Value:
    """Follow into a function that the interpreted program has defined."""
    outer: Scope = closure.scope
    frame = Frame(
        closure.node,
        outer.frame.file,
        outer.frame.origin,
        owner=outer.frame.owner,
        target=outer.frame.target,
    )
    scope = Scope(frame, outer.globals, enclosing=outer)
    value, node = _run(machine, closure.node, scope, _Defaults((), {}), arguments, site)
    module = str(outer.globals.get("__name__", ""))
    _emit(machine, f"{module}.{closure.name}", node, site, closure.node, outer.frame.origin)
    return value


def _emit(
    machine: Machine, name: str, body: tree.Node, site: Site, node: sources.FunctionNode, origin: str
) -> None:
    machine.emit_call(name, body, site, is_async=isinstance(node, ast.AsyncFunctionDef), origin=origin)


def _cells(function: types.FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells if is_bound(cell)}


@dataclass(frozen=True, slots=True)
class _Defaults:
    positional: tuple[Any, ...]
    named: dict[str, Any]


def _run(
    machine: Machine,
    node: sources.FunctionNode,
    scope: Scope,
    defaults: _Defaults,
    arguments: Arguments,
    site: Site,
) -> tuple[Value, tree.Node]:
    """What the function returns, and what it does."""
    scope.frame.on_yield, machine.at_yield = machine.at_yield, None
    in_progress = [frame for frame in machine.frames if frame.key is scope.frame.key]
    if len(in_progress) >= MOST_AT_ONCE or any(
        frame.alike is not None and frame.alike == scope.frame.alike for frame in in_progress
    ):
        # What it does is in the tree already, around this call: in_progress[0] becomes a loop.
        machine.recursive.add(scope.frame.key)
        return UNKNOWN, tree.NOTHING
    if len(machine.frames) >= DEEPEST or machine.is_exhausted:
        machine.cuts += 1
        reason = "too much to follow" if machine.is_exhausted else "too deep"
        return UNKNOWN, tree.Unresolved(site.text, reason, site.location)
    machine.frames.append(scope.frame)
    try:
        _bind(machine, node, scope, defaults, arguments)
        with machine.collected() as steps:
            if isinstance(node, ast.Lambda):
                scope.frame.returned.append(evaluate(machine, scope, node.body))
            elif statements.run(machine, scope, node.body):
                scope.frame.returned.append(NONE)
    finally:
        machine.leave(scope.frame)
    if sources.is_generator(node) and scope.frame.on_yield is None:
        item = join(*scope.frame.yielded) if scope.frame.yielded else UNKNOWN
        return Generator(sequence(steps), item), tree.NOTHING
    body = sequence(_from_first_effect(steps))
    if not in_progress and scope.frame.key in machine.recursive:
        machine.recursive.discard(scope.frame.key)
        body = tree.Loop(body, site.location) if body != tree.NOTHING else body
    return _returned(scope, node), body


def _from_first_effect(steps: list[tree.Node]) -> list[tree.Node]:
    """Ways out before anything is done are like not being called at all."""
    for place, step in enumerate(steps):
        if not is_silent(step) or isinstance(step, (tree.Return, tree.Raise)):
            return steps[place:]
    return []


def _returned(scope: Scope, node: sources.FunctionNode) -> Value:
    value = join(*scope.frame.returned) if scope.frame.returned else NONE
    if isinstance(value, Unknown) and not isinstance(node, ast.Lambda):
        return hints.of_expression(node.returns, scope.live) or value
    return value


def _last(parameters: list[ast.arg], defaults: Sequence[Any]) -> dict[str, Any]:
    """Defaults belong to the last of the parameters."""
    # A function whose source is not what was compiled may have more of them.
    names = [each.arg for each in parameters[max(0, len(parameters) - len(defaults)) :]]
    return dict(zip(names, defaults, strict=False))


def _bind(  # noqa: C901  # one block a kind of parameter
    machine: Machine, node: sources.FunctionNode, scope: Scope, defaults: _Defaults, arguments: Arguments
) -> None:
    spec = node.args
    names = [*spec.posonlyargs, *spec.args]
    left = dict(arguments.named)
    by_place = _last(names, defaults.positional)
    own_defaults = _last(names, spec.defaults)
    for place, parameter in enumerate(names):
        given = (
            arguments.positional[place]
            if place < len(arguments.positional)
            else left.pop(parameter.arg, None)
        )
        if given is None:
            if parameter.arg in by_place:
                given = Live(by_place[parameter.arg])
            elif parameter.arg in own_defaults and scope.enclosing is not None:
                given = evaluate(machine, scope.enclosing, own_defaults[parameter.arg])
            if arguments.rest is not None:
                given = arguments.rest if given is None else join(given, arguments.rest)
        scope.names[parameter.arg] = _informed(machine, given, parameter, scope)
    for parameter, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        given = left.pop(parameter.arg, None)
        if given is None and parameter.arg in defaults.named:
            given = Live(defaults.named[parameter.arg])
        elif given is None and default is not None:
            given = evaluate(machine, scope.enclosing or scope, default)
        scope.names[parameter.arg] = _informed(machine, given, parameter, scope)
    if spec.vararg is not None:
        rest = list(arguments.positional[len(names) :])
        item = join(*rest) if rest else UNKNOWN
        scope.names[spec.vararg.arg] = Items(
            join(*rest, arguments.rest) if arguments.rest is not None else item,
            None if arguments.rest is not None else rest,
        )
    if spec.kwarg is not None:
        scope.names[spec.kwarg.arg] = Dictionary(
            left, UNKNOWN if arguments.rest is None else arguments.rest
        )


def _informed(machine: Machine, given: Value | None, parameter: ast.arg, scope: Scope) -> Value:
    """The argument; where nothing is known of it, what the annotation promises.

    A request's annotation may name a class of the project's, which tells what middleware adds to it.
    """
    value = UNKNOWN if given is None else given
    if isinstance(value, Unknown) and parameter.annotation is not None:
        return hints.of_expression(parameter.annotation, scope.live) or value
    if (
        isinstance(value, Instance)
        and value.attributes.get("is_request")
        and parameter.annotation is not None
    ):
        promised = hints.of_expression(parameter.annotation, scope.live)
        if (
            isinstance(promised, Instance)
            and promised.cls is not value.cls
            and issubclass(promised.cls, value.cls)
        ):
            value.cls = promised.cls
            machine.changed(value)
    return value
