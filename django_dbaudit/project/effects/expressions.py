"""Expressions: what they give, and what they do on the way."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from django_dbaudit.project.effects import iteration, lookup, models
from django_dbaudit.project.effects.machine import Machine, sequence
from django_dbaudit.project.effects.scope import Scope
from django_dbaudit.project.effects.values import (
    NONE,
    PRIMITIVES,
    SCALAR,
    UNKNOWN,
    Arguments,
    Closure,
    Dictionary,
    Generator,
    Instance,
    Items,
    Live,
    Query,
    Scalar,
    Unknown,
    Value,
    constant,
    is_none,
    join,
    options,
    truth,
)

COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def evaluate(machine: Machine, scope: Scope, node: ast.expr | None) -> Value:
    """The value of an expression; what it does is emitted in the order in which it is done."""
    machine.steps += 1
    handler = HANDLERS.get(type(node))
    return handler(machine, scope, node) if handler is not None else SCALAR


def _constant(machine: Machine, scope: Scope, node: ast.Constant) -> Value:
    return Live(node.value) if isinstance(node.value, PRIMITIVES) else SCALAR


def _name(machine: Machine, scope: Scope, node: ast.Name) -> Value:
    return scope.get(node.id)


def _attribute(machine: Machine, scope: Scope, node: ast.Attribute) -> Value:
    target = evaluate(machine, scope, node.value)
    return lookup.attribute(machine, target, node.attr, scope.site(node))


def _call(machine: Machine, scope: Scope, node: ast.Call) -> Value:
    function = evaluate(machine, scope, node.func)
    arguments = _arguments(machine, scope, node)
    if isinstance(function, Live) and function.thing is super and not node.args:
        first = scope.frame.target
        arguments = Arguments((Live(scope.frame.owner), UNKNOWN if first is None else first))
    return machine.call(function, arguments, scope.site(node))


def _arguments(machine: Machine, scope: Scope, node: ast.Call) -> Arguments:
    positional: list[Value] = []
    named: dict[str, Value] = {}
    rest: Value | None = None
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            several = evaluate(machine, scope, argument.value)
            if isinstance(several, Items) and several.known is not None:
                positional += several.known
            else:
                rest = several.item if isinstance(several, Items) else UNKNOWN
        else:
            positional.append(evaluate(machine, scope, argument))
    for keyword in node.keywords:
        value = evaluate(machine, scope, keyword.value)
        if keyword.arg is not None:
            named[keyword.arg] = value
            continue
        found = _keywords(value)
        if found is None or (isinstance(value, Dictionary) and not isinstance(value.rest, Unknown)):
            rest = (
                value.rest
                if isinstance(value, Dictionary)
                else SCALAR
                if isinstance(value, Scalar)
                else UNKNOWN
            )
        named.update(found or {})
    return Arguments(tuple(positional), named, rest)


def _keywords(value: Value) -> dict[str, Value] | None:
    """What ``**value`` names; None where it may hold anything."""
    if isinstance(value, Dictionary):
        return {str(key): each for key, each in value.known.items()}
    if isinstance(value, Live) and type(value.thing) is dict:
        return {str(key): Live(each) for key, each in value.thing.items()}
    return None


def _bool_op(machine: Machine, scope: Scope, node: ast.BoolOp) -> Value:
    """The first stands; each further one may be reached or not."""
    is_and = isinstance(node.op, ast.And)
    value = evaluate(machine, scope, node.values[0])
    if len(node.values) == 1:
        return value
    known = truth(value)
    if known is not None and known is not is_and:
        return value
    rest = ast.BoolOp(node.op, node.values[1:], lineno=node.lineno)
    if known is not None:
        return _bool_op(machine, scope, rest)
    (after, _) = machine.branch(scope.site(node), lambda: _bool_op(machine, scope, rest), lambda: NONE)
    if truth(after) is (not is_and):
        return Live(not is_and)
    # What goes past the first of ``a or b`` was false, and so is not None among the results.
    first = [each for each in options(value) if truth(each) is None or truth(each) is not is_and]
    return join(*first, after) if not is_and else join(SCALAR, after)


def _if_exp(machine: Machine, scope: Scope, node: ast.IfExp) -> Value:
    known = truth(evaluate(machine, scope, node.test))
    if known is not None:
        return evaluate(machine, scope, node.body if known else node.orelse)
    return join(
        *machine.branch(
            scope.site(node),
            lambda: evaluate(machine, scope, node.body),
            lambda: evaluate(machine, scope, node.orelse),
        )
    )


def _unary(machine: Machine, scope: Scope, node: ast.UnaryOp) -> Value:
    value = evaluate(machine, scope, node.operand)
    if isinstance(node.op, ast.Not):
        if isinstance(value, Query):
            iteration.items(machine, value, scope.site(node))
        known = truth(value)
        return SCALAR if known is None else Live(not known)
    number = constant(value)
    if isinstance(node.op, ast.USub) and isinstance(number, (int, float)):
        return Live(-number)
    return SCALAR


def _binary(machine: Machine, scope: Scope, node: ast.BinOp) -> Value:
    left = evaluate(machine, scope, node.left)
    right = evaluate(machine, scope, node.right)
    if isinstance(node.op, ast.Add):
        texts = constant(left), constant(right)
        if all(isinstance(each, str) for each in texts):
            return Live(texts[0] + texts[1])
        if isinstance(left, Items) and isinstance(right, Items):
            known = left.known + right.known if left.known is not None and right.known is not None else None
            return Items(join(left.item, right.item), known)
    if isinstance(node.op, (ast.BitOr, ast.BitAnd)) and isinstance(left, Query):
        return left
    if isinstance(node.op, ast.Mod) and isinstance(constant(left), str):
        # The verb and the table of an SQL text stand before what is filled in.
        return Live(constant(left))
    return SCALAR


def _compare(machine: Machine, scope: Scope, node: ast.Compare) -> Value:
    left = evaluate(machine, scope, node.left)
    rights = [evaluate(machine, scope, each) for each in node.comparators]
    if len(rights) != 1:
        return SCALAR
    known = compare(left, node.ops[0], rights[0])
    return SCALAR if known is None else Live(known)


def compare(left: Value, op: ast.cmpop, right: Value) -> bool | None:
    """Whether a comparison holds; None where that cannot be told."""
    if isinstance(op, (ast.Is, ast.IsNot)):
        known = _is_same(left, right)
        return known if known is None or isinstance(op, ast.Is) else not known
    if not isinstance(left, Live) or not isinstance(left.thing, PRIMITIVES):
        return None
    if isinstance(op, (ast.In, ast.NotIn)):
        several = _constants(right)
        if several is None:
            return None
        return (left.thing in several) is isinstance(op, ast.In)
    if not isinstance(right, Live) or not isinstance(right.thing, PRIMITIVES):
        return None
    try:
        return bool(COMPARISONS[type(op)](left.thing, right.thing))
    except (TypeError, KeyError):
        return None


def _is_same(left: Value, right: Value) -> bool | None:
    if isinstance(right, Live) and right.thing is None:
        return is_none(left)
    if isinstance(left, Live) and isinstance(right, Live):
        return left == right
    return None


def _constants(value: Value) -> list[Any] | None:
    if isinstance(value, Live) and type(value.thing) in (tuple, list, set, frozenset, dict):
        return [each for each in value.thing if isinstance(each, PRIMITIVES)]
    known = value.known if isinstance(value, Items) else None
    if known is None or not all(
        isinstance(each, Live) and isinstance(each.thing, PRIMITIVES) for each in known
    ):
        return None
    return [constant(each) for each in known]


def _several(machine: Machine, scope: Scope, node: ast.List | ast.Tuple | ast.Set) -> Value:
    known: list[Value] | None = []
    found: list[Value] = []
    for each in node.elts:
        if isinstance(each, ast.Starred):
            found.append(iteration.items(machine, evaluate(machine, scope, each.value), scope.site(each)))
            known = None
        else:
            found.append(evaluate(machine, scope, each))
            if known is not None:
                known.append(found[-1])
    return Items(join(*found) if found else UNKNOWN, known)


def _dict(machine: Machine, scope: Scope, node: ast.Dict) -> Value:
    known: dict[Any, Value] = {}
    rest: list[Value] = []
    for key, each in zip(node.keys, node.values, strict=True):
        value = evaluate(machine, scope, each)
        if key is None:
            inner = _keywords(value)
            rest += [UNKNOWN] if inner is None else []
            known.update(inner or {})
            continue
        name = evaluate(machine, scope, key)
        if isinstance(name, Live) and isinstance(name.thing, PRIMITIVES):
            known[name.thing] = value
        else:
            rest.append(value)
    return Dictionary(known, join(*rest) if rest else UNKNOWN)


def _subscript(machine: Machine, scope: Scope, node: ast.Subscript) -> Value:
    target = evaluate(machine, scope, node.value)
    if isinstance(node.slice, ast.Slice):
        if isinstance(target, Items):
            return Items(target.item)
        return target if isinstance(target, (Query, Live)) else SCALAR
    index = evaluate(machine, scope, node.slice)
    if isinstance(target, Query):
        return iteration.items(machine, target, scope.site(node), "index")
    if isinstance(target, Instance):
        return machine.call_method(target, "__getitem__", Arguments((index,)), scope.site(node))
    return lookup.element(target, index)


def _comprehension(machine: Machine, scope: Scope, node: Any) -> Value:
    inner = scope.within()
    item = _generate(machine, inner, node, 0)
    if isinstance(node, ast.DictComp):
        return Dictionary({}, item)
    return Items(item)


def _generator(machine: Machine, scope: Scope, node: ast.GeneratorExp) -> Value:
    """What it does is done when somebody iterates over it."""
    with machine.collected() as steps:
        item = _generate(machine, scope.within(), node, 0)
    return Generator(sequence(steps), item)


def _generate(machine: Machine, scope: Scope, node: Any, depth: int) -> Value:
    if depth == len(node.generators):
        if isinstance(node, ast.DictComp):
            evaluate(machine, scope, node.key)
            return evaluate(machine, scope, node.value)
        return evaluate(machine, scope, node.elt)
    clause = node.generators[depth]
    site = scope.site(node)
    item = iteration.items(machine, evaluate(machine, scope, clause.iter), site)
    assign(machine, scope, clause.target, item)
    with machine.loop(site):
        for condition in clause.ifs:
            evaluate(machine, scope, condition)
        return _generate(machine, scope, node, depth + 1)


def _lambda(machine: Machine, scope: Scope, node: ast.Lambda) -> Value:
    return Closure(node, scope, "<lambda>")


def _joined(machine: Machine, scope: Scope, node: ast.JoinedStr) -> Value:
    """An f-string as far as its beginning is known: enough for the verb of an SQL text."""
    text = ""
    is_whole = True
    for each in node.values:
        if isinstance(each, ast.Constant):
            text += str(each.value) if is_whole or not text.endswith("…") else ""
            continue
        value = evaluate(machine, scope, each.value) if isinstance(each, ast.FormattedValue) else SCALAR
        filled = constant(value)
        text += str(filled) if filled is not None else "…"
    return Live(text) if text.strip("… ") else SCALAR


def _await(machine: Machine, scope: Scope, node: ast.Await) -> Value:
    return evaluate(machine, scope, node.value)


def _yield(machine: Machine, scope: Scope, node: ast.Yield | ast.YieldFrom) -> Value:
    value = evaluate(machine, scope, node.value) if node.value is not None else NONE
    if isinstance(node, ast.YieldFrom):
        value = iteration.items(machine, value, scope.site(node))
    scope.frame.yielded.append(value)
    return scope.frame.on_yield(value) if scope.frame.on_yield is not None else UNKNOWN


def _named(machine: Machine, scope: Scope, node: ast.NamedExpr) -> Value:
    value = evaluate(machine, scope, node.value)
    assign(machine, scope, node.target, value)
    return value


def assign(machine: Machine, scope: Scope, target: ast.expr, value: Value) -> None:
    """``target = value``."""
    if isinstance(target, ast.Name):
        scope.names[target.id] = value
    elif isinstance(target, ast.Starred):
        assign(machine, scope, target.value, Items(value))
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(machine, scope, target, value)
    elif isinstance(target, ast.Attribute):
        _set_attribute(machine, evaluate(machine, scope, target.value), target.attr, value)
    elif isinstance(target, ast.Subscript):
        _set_item(machine, scope, target, value)


def _unpack(machine: Machine, scope: Scope, target: ast.Tuple | ast.List, value: Value) -> None:
    single = [each for each in options(value) if isinstance(each, Items) and each.known is not None]
    fits = [each for each in single if each.known is not None and len(each.known) == len(target.elts)]
    starred = any(isinstance(each, ast.Starred) for each in target.elts)
    item = UNKNOWN if fits else iteration.items(machine, value, scope.site(target))
    for place, each in enumerate(target.elts):
        known = [several.known[place] for several in fits if several.known is not None]
        assign(machine, scope, each, join(*known) if known and not starred else item)


def _set_attribute(machine: Machine, target: Value, name: str, value: Value) -> None:
    is_data = isinstance(value, Scalar) or (isinstance(value, Live) and isinstance(value.thing, PRIMITIVES))
    for each in options(target):
        # What a field of a row holds is read as data anyhow.
        if isinstance(each, Instance) and not (is_data and models.is_model(each.cls)):
            each.attributes[name] = value
            machine.changed(each)


def _set_item(machine: Machine, scope: Scope, target: ast.Subscript, value: Value) -> None:
    container = evaluate(machine, scope, target.value)
    index = evaluate(machine, scope, target.slice)
    site = scope.site(target)
    if isinstance(container, Dictionary):
        machine.changed(container)
        if isinstance(index, Live) and isinstance(index.thing, PRIMITIVES):
            container.known[index.thing] = value
        else:
            container.rest = join(container.rest, value)
    elif isinstance(container, Items):
        machine.changed(container)
        container.item = join(container.item, value)
        container.known = None
    elif isinstance(container, Instance):
        machine.call_method(container, "__setitem__", Arguments((index, value)), site)


HANDLERS: dict[type, Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.BoolOp: _bool_op,
    ast.IfExp: _if_exp,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.List: _several,
    ast.Tuple: _several,
    ast.Set: _several,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _generator,
    ast.DictComp: _comprehension,
    ast.Lambda: _lambda,
    ast.JoinedStr: _joined,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.NamedExpr: _named,
}
