"""Statements: what they do, and whether the next one is reached."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from django.db import Error
from django.http import HttpResponse

from django_dbaudit.project.effects import blocks, hints, iteration, models, tree
from django_dbaudit.project.effects.expressions import assign, evaluate
from django_dbaudit.project.effects.machine import Machine, sequence
from django_dbaudit.project.effects.scope import Scope
from django_dbaudit.project.effects.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Closure,
    Either,
    Instance,
    Items,
    Live,
    Query,
    Unknown,
    Value,
    constant,
    is_none,
    join,
    truth,
)

Names = dict[str, Value]


def run(machine: Machine, scope: Scope, body: Sequence[ast.stmt]) -> bool:
    """Run statements in their order; False if what follows them is never reached."""
    for statement in body:
        machine.steps += 1
        handler = HANDLERS.get(type(statement))
        if handler is not None and not handler(machine, scope, statement):
            return False
    return True


def _expr(machine: Machine, scope: Scope, node: ast.Expr) -> bool:
    evaluate(machine, scope, node.value)
    return True


def _assign(machine: Machine, scope: Scope, node: ast.Assign) -> bool:
    value = evaluate(machine, scope, node.value)
    for target in node.targets:
        assign(machine, scope, target, value)
        _note_computed(machine, scope, target, node.value)
    return True


def _ann_assign(machine: Machine, scope: Scope, node: ast.AnnAssign) -> bool:
    value = evaluate(machine, scope, node.value) if node.value is not None else UNKNOWN
    if isinstance(value, Unknown):
        value = hints.of_expression(node.annotation, scope.live) or value
    if node.value is not None:
        assign(machine, scope, node.target, value)
        _note_computed(machine, scope, node.target, node.value)
    return True


def _aug_assign(machine: Machine, scope: Scope, node: ast.AugAssign) -> bool:
    value = evaluate(machine, scope, node.value)
    if isinstance(node.target, ast.Name):
        before = scope.get(node.target.id)
        if isinstance(before, Items):
            machine.changed(before)
            before.item = join(before.item, iteration.items(machine, value, scope.site(node)))
            before.known = None
        elif not isinstance(before, Query):
            scope.names[node.target.id] = join(before, value) if constant(before) is None else UNKNOWN
    _note_computed(machine, scope, node.target, node)
    return True


def _note_computed(machine: Machine, scope: Scope, target: ast.expr, value: ast.AST) -> None:
    """Remember of a row which fields are being worked out from what was read of it.

    ``F("field") + 1`` is worked out by the database, and so is left alone.
    """
    if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name):
        return
    row = scope.get(target.value.id)
    if not isinstance(row, Instance) or not models.is_model(row.cls):
        return
    if any(_is_f(scope, each) for each in ast.walk(value)):
        return
    # ``name = name.strip()`` is no sum: whoever comes second writes the same.
    sums = [each for each in ast.walk(value) if isinstance(each, ast.BinOp)]
    reads = isinstance(value, ast.AugAssign) or any(
        isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Load)
        and each.attr == target.attr
        and isinstance(each.value, ast.Name)
        and each.value.id == target.value.id
        for one in sums
        for each in ast.walk(one)
    )
    if reads and target.attr not in row.computed:
        row.computed.add(target.attr)
        machine.changed(row)


def _is_f(scope: Scope, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
        return False
    return (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) == "F"


def _return(machine: Machine, scope: Scope, node: ast.Return) -> bool:
    value = evaluate(machine, scope, node.value) if node.value is not None else NONE
    scope.frame.returned.append(value)
    machine.emit(tree.Return(scope.site(node).location, _status(value)))
    return False


def _status(value: Value) -> int | None:
    if isinstance(value, Instance):
        given = constant(value.attributes.get("status_code"))
        if isinstance(given, int):
            return given
        if issubclass(value.cls, HttpResponse):
            return value.cls.status_code
    return None


def _raise(machine: Machine, scope: Scope, node: ast.Raise) -> bool:
    value = evaluate(machine, scope, node.exc) if node.exc is not None else UNKNOWN
    machine.emit(tree.Raise(_exception_name(value), scope.site(node).location))
    return False


def _exception_name(value: Value) -> str:
    cls = value.cls if isinstance(value, Instance) else value.thing if isinstance(value, Live) else None
    return f"{cls.__module__}.{cls.__qualname__}" if isinstance(cls, type) else ""


def _leave(machine: Machine, scope: Scope, node: ast.Break | ast.Continue) -> bool:
    machine.emit(tree.Leave(type(node).__name__.lower(), scope.site(node).location))
    return False


class _Paths:
    """What each way through a statement leaves in the names, joined where the ways meet again."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.before = dict(scope.names)
        target = scope.frame.target
        self.own = target.attributes if isinstance(target, Instance) else None
        self.own_before = dict(self.own) if self.own is not None else {}
        self.ends: list[tuple[Names, Names]] = []

    def begin(self) -> None:
        self.scope.names = dict(self.before)
        if self.own is not None:
            self.own.clear()
            self.own.update(self.own_before)

    def end(self, *, goes_on: bool) -> None:
        if goes_on:
            self.ends.append((self.scope.names, dict(self.own) if self.own is not None else {}))

    def meet(self) -> bool:
        """Go on with what the ways have in common; whether any of them goes on at all."""
        if not self.ends:
            return False
        self.scope.names = _met([names for names, _ in self.ends], self.before)
        if self.own is not None:
            met = _met([own for _, own in self.ends], self.own_before)
            self.own.clear()
            self.own.update(met)
        return True


def _met(ends: list[Names], before: Names) -> Names:
    if len(ends) == 1:
        return ends[0]
    met: Names = {}
    for name in dict.fromkeys(name for names in ends for name in names):
        # A name that one way leaves unbound is used only where it is bound.
        found = [names[name] for names in ends if name in names]
        met[name] = found[0] if all(each is found[0] for each in found) else join(*found)
    return met


def _if(machine: Machine, scope: Scope, node: ast.If) -> bool:
    test = evaluate(machine, scope, node.test)
    if isinstance(test, Query):
        iteration.items(machine, test, scope.site(node))
    known = truth(test)
    if known is not None:
        return run(machine, scope, node.body if known else node.orelse)
    paths = _Paths(scope)
    nodes = []
    for body, holds in ((node.body, True), (node.orelse, False)):
        paths.begin()
        _narrow(scope, node.test, holds=holds)
        with machine.collected() as steps:
            paths.end(goes_on=run(machine, scope, body))
        nodes.append(sequence(steps))
    if any(each != tree.NOTHING for each in nodes):
        machine.emit(tree.Branch(tuple(nodes), scope.site(node).location))
    return paths.meet()


def _narrow(scope: Scope, test: ast.expr, *, holds: bool) -> None:
    """``if x``, ``if not x``, ``if x is None``: which of the things that x may be are left."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        _narrow(scope, test.operand, holds=not holds)
        return
    name, none_left = "", False
    if isinstance(test, ast.Name):
        name, none_left = test.id, not holds
    elif (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and isinstance(test.ops[0], (ast.Is, ast.IsNot))
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value is None
    ):
        name, none_left = test.left.id, isinstance(test.ops[0], ast.Is) is holds
    value = scope.names.get(name)
    if isinstance(value, Either):
        if none_left:
            left = [each for each in value.options if truth(each) is not True]
        else:
            left = [each for each in value.options if not is_none(each)]
        if left:
            scope.names[name] = join(*left)


def _for(machine: Machine, scope: Scope, node: ast.For | ast.AsyncFor) -> bool:
    site = scope.site(node)
    item = iteration.items(machine, evaluate(machine, scope, node.iter), site)
    given = {each.id for each in ast.walk(node.target) if isinstance(each, ast.Name)}
    given -= scope.frame.looping
    scope.frame.looping |= given
    goes_on = _loop(machine, scope, node, lambda: assign(machine, scope, node.target, item))
    scope.frame.looping -= given
    return goes_on


def _while(machine: Machine, scope: Scope, node: ast.While) -> bool:
    known: list[bool | None] = []

    def begin() -> None:
        known.append(truth(evaluate(machine, scope, node.test)))

    goes_on = _loop(machine, scope, node, begin)
    # Out of ``while True`` only a break leads.
    if known == [True]:
        return any(isinstance(each, ast.Break) for each in ast.walk(node))
    return goes_on


def _loop(machine: Machine, scope: Scope, node: Any, begin: Callable[[], None]) -> bool:
    paths = _Paths(scope)
    paths.begin()
    paths.end(goes_on=True)
    paths.begin()
    with machine.loop(scope.site(node)):
        begin()
        run(machine, scope, node.body)
        paths.end(goes_on=True)
    paths.meet()
    return run(machine, scope, node.orelse)


def _with(machine: Machine, scope: Scope, node: ast.With | ast.AsyncWith) -> bool:
    return _enter(machine, scope, node, 0)


def _enter(machine: Machine, scope: Scope, node: ast.With | ast.AsyncWith, depth: int) -> bool:
    if depth == len(node.items):
        return run(machine, scope, node.body)
    item = node.items[depth]
    manager = evaluate(machine, scope, item.context_expr)

    def body(entered: Value) -> bool:
        if item.optional_vars is not None:
            assign(machine, scope, item.optional_vars, entered)
        return _enter(machine, scope, node, depth + 1)

    return blocks.enter(machine, manager, body, scope.site(item.context_expr), scope.frame.origin)


def _try(machine: Machine, scope: Scope, node: Any) -> bool:
    site = scope.site(node)
    paths = _Paths(scope)
    paths.begin()
    with machine.collected() as steps:
        goes_on = run(machine, scope, node.body)
    # A handler begins with what the body has bound by then, or with what was before.
    paths.before = _met([dict(scope.names), paths.before], {})
    with machine.collected() as otherwise:
        paths.end(goes_on=goes_on and run(machine, scope, node.orelse))
    handlers = []
    for each in node.handlers:
        paths.begin()
        with machine.collected() as handled:
            catches = _classes(machine, scope, each.type)
            if each.name:
                scope.names[each.name] = _caught(catches)
            paths.end(goes_on=run(machine, scope, each.body))
        handlers.append(_handler(scope, each, catches, sequence(handled)))
    reached = paths.meet()
    with machine.collected() as final:
        goes_on = run(machine, scope, node.finalbody)
    if steps or otherwise or final or any(each.body != tree.NOTHING for each in handlers):
        machine.emit(
            tree.Try(sequence(steps), tuple(handlers), sequence(otherwise), sequence(final), site.location)
        )
    return reached and goes_on


def _classes(machine: Machine, scope: Scope, node: ast.expr | None) -> list[Any]:
    if node is None:
        return [BaseException]
    value = evaluate(machine, scope, node)
    several = value.known if isinstance(value, Items) and value.known is not None else [value]
    found: list[Any] = []
    for each in several:
        thing = each.thing if isinstance(each, Live) else None
        found += list(thing) if isinstance(thing, tuple) else [thing]
    return found


def _caught(catches: list[Any]) -> Value:
    known = [Instance(each) for each in catches if isinstance(each, type)]
    return join(*known) if known else UNKNOWN


def _handler(scope: Scope, node: ast.ExceptHandler, catches: list[Any], body: tree.Node) -> tree.Handler:
    classes = [each for each in catches if isinstance(each, type)]
    return tree.Handler(
        tuple(f"{each.__module__}.{each.__qualname__}" for each in classes),
        any(issubclass(each, Error) or issubclass(Error, each) for each in classes),
        body,
        scope.site(node).location,
    )


def _match(machine: Machine, scope: Scope, node: Any) -> bool:
    subject = evaluate(machine, scope, node.subject)
    paths = _Paths(scope)
    nodes = []
    is_complete = False
    for case in node.cases:
        paths.begin()
        for each in ast.walk(case.pattern):
            name = getattr(each, "name", None) or getattr(each, "rest", None)
            if isinstance(name, str):
                scope.names[name] = subject if isinstance(each, ast.MatchAs) else UNKNOWN
        is_complete = is_complete or (_is_wildcard(case.pattern) and case.guard is None)
        with machine.collected() as steps:
            if case.guard is not None:
                evaluate(machine, scope, case.guard)
            paths.end(goes_on=run(machine, scope, case.body))
        nodes.append(sequence(steps))
    if not is_complete:
        paths.begin()
        paths.end(goes_on=True)
        nodes.append(tree.NOTHING)
    if any(each != tree.NOTHING for each in nodes):
        machine.emit(tree.Branch(tuple(nodes), scope.site(node).location))
    return paths.meet()


def _is_wildcard(pattern: Any) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _define(machine: Machine, scope: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    function: Value = Closure(node, scope, node.name)
    for decorator in reversed(node.decorator_list):
        function = machine.call(
            evaluate(machine, scope, decorator), Arguments((function,)), scope.site(decorator)
        )
    scope.names[node.name] = function
    return True


def _class(machine: Machine, scope: Scope, node: ast.ClassDef) -> bool:
    """A class made by a function does not exist yet; its first base tells most of what it is."""
    bases = [evaluate(machine, scope, each) for each in node.bases]
    live = [each for each in bases if isinstance(each, Live) and isinstance(each.thing, type)]
    scope.names[node.name] = live[0] if live else UNKNOWN
    return True


def _import(machine: Machine, scope: Scope, node: ast.Import | ast.ImportFrom) -> bool:
    """Only modules that are loaded already are looked into."""
    for alias in node.names:
        name = alias.asname or (
            alias.name if isinstance(node, ast.ImportFrom) else alias.name.split(".")[0]
        )
        scope.names[name] = blocks.imported(scope.globals, node, alias)
    return True


def _delete(machine: Machine, scope: Scope, node: ast.Delete) -> bool:
    for target in node.targets:
        if isinstance(target, ast.Subscript):
            evaluate(machine, scope, target.value)
    return True


def _assert(machine: Machine, scope: Scope, node: ast.Assert) -> bool:
    evaluate(machine, scope, node.test)
    _narrow(scope, node.test, holds=True)
    return True


HANDLERS: dict[type, Callable[..., bool]] = {
    ast.Expr: _expr,
    ast.Assign: _assign,
    ast.AnnAssign: _ann_assign,
    ast.AugAssign: _aug_assign,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.Match: _match,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Delete: _delete,
    ast.Assert: _assert,
}
# From Python 3.11 on.
if hasattr(ast, "TryStar"):
    HANDLERS[ast.TryStar] = _try
