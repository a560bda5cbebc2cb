"""What Python's own functions and containers do with what they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django_dbaudit.project.effects import iteration, lookup, tree
from django_dbaudit.project.effects.machine import Machine, Site, sequence
from django_dbaudit.project.effects.values import (
    NONE,
    SCALAR,
    UNKNOWN,
    YES,
    Arguments,
    Dictionary,
    Generator,
    Handled,
    Instance,
    Items,
    Live,
    Partial,
    Query,
    Super,
    Unknown,
    Value,
    constant,
    join,
    options,
)

Known = Callable[[Machine, Arguments, Site], Value]


def _list(machine: Machine, arguments: Arguments, site: Site) -> Value:
    given = arguments.get(0, "iterable")
    if given is None:
        return Items(UNKNOWN, [])
    if isinstance(given, Items):
        return Items(given.item, list(given.known) if given.known is not None else None)
    return Items(iteration.items(machine, given, site, "list"))


def _consume(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``len``, ``bool``, ``any``…: an answer, for which what was given runs."""
    for each in arguments.positional:
        if isinstance(each, (Query, Generator)):
            iteration.items(machine, each, site, "iterate")
    return SCALAR


def _pick(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``next``, ``min``, ``max``: one of the items."""
    if not arguments.positional:
        return UNKNOWN
    item = iteration.items(machine, arguments.positional[0], site)
    rest = arguments.positional[1:]
    return join(item, *rest)


def _iter(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return arguments.positional[0] if arguments.positional else UNKNOWN


def _enumerate(machine: Machine, arguments: Arguments, site: Site) -> Value:
    item = iteration.items(machine, arguments.positional[0], site) if arguments.positional else UNKNOWN
    return Items(Items(UNKNOWN, [SCALAR, item]))


def _zip(machine: Machine, arguments: Arguments, site: Site) -> Value:
    found: list[Value] = [iteration.items(machine, each, site) for each in arguments.positional]
    return Items(Items(UNKNOWN, found))


def _map(machine: Machine, arguments: Arguments, site: Site) -> Value:
    if len(arguments.positional) < 2:
        return UNKNOWN
    function, *several = arguments.positional
    found = tuple(iteration.items(machine, each, site) for each in several)
    with machine.loop(site):
        made = machine.call(function, Arguments(found), site)
    return Items(made)


def _filter(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return (
        Items(iteration.items(machine, arguments.positional[-1], site)) if arguments.positional else UNKNOWN
    )


def _getattr(machine: Machine, arguments: Arguments, site: Site) -> Value:
    name = constant(arguments.get(1, "name"))
    if not arguments.positional or not isinstance(name, str):
        return UNKNOWN
    found = lookup.attribute(machine, arguments.positional[0], name, site)
    default = arguments.get(2, "default")
    return default if default is not None and isinstance(found, Unknown) else found


def _setattr(machine: Machine, arguments: Arguments, site: Site) -> Value:
    if len(arguments.positional) == 3:
        target, name, value = arguments.positional
        for each in options(target):
            if isinstance(each, Instance) and isinstance(constant(name), str):
                each.attributes[constant(name)] = value
                machine.changed(each)
    return NONE


def _hasattr(machine: Machine, arguments: Arguments, site: Site) -> Value:
    name = constant(arguments.get(1, "name"))
    if not arguments.positional or not isinstance(name, str):
        return SCALAR
    target = arguments.positional[0]
    if isinstance(target, Instance):
        has = name in target.attributes or lookup.static(target.cls, name) is not None
        return Live(has) if has else SCALAR
    if isinstance(target, Live) and isinstance(target.thing, type):
        return Live(lookup.static(target.thing, name) is not None)
    if isinstance(target, Live):
        return Live(lookup.has(target.thing, name)) if lookup.is_plain(target.thing) else SCALAR
    return SCALAR


def _isinstance(machine: Machine, arguments: Arguments, site: Site) -> Value:
    if len(arguments.positional) != 2:
        return SCALAR
    target, wanted = arguments.positional
    several = wanted.known if isinstance(wanted, Items) and wanted.known is not None else [wanted]
    classes = [each.thing for each in several if isinstance(each, Live) and isinstance(each.thing, type)]
    if isinstance(target, Instance) and any(issubclass(target.cls, each) for each in classes):
        return YES
    return SCALAR


def _super(machine: Machine, arguments: Arguments, site: Site) -> Value:
    if len(arguments.positional) < 2:
        return UNKNOWN
    after, target = arguments.positional[:2]
    cls = lookup.class_of(target)
    if not isinstance(after, Live) or not isinstance(after.thing, type) or cls is None:
        return Unknown("super()")
    return Super(after.thing, cls, target)


def _type(machine: Machine, arguments: Arguments, site: Site) -> Value:
    if len(arguments.positional) == 3:
        # A class made at run time: its first base tells most of what it is.
        bases = arguments.positional[1]
        first = bases.known[0] if isinstance(bases, Items) and bases.known else UNKNOWN
        return first if isinstance(first, (Live, Partial)) else UNKNOWN
    cls = lookup.class_of(arguments.positional[0]) if arguments.positional else None
    return Live(cls) if cls is not None else UNKNOWN


def _dict(machine: Machine, arguments: Arguments, site: Site) -> Value:
    known: dict[Any, Value] = {}
    rest: Value = SCALAR if not arguments.positional else UNKNOWN
    for each in arguments.positional:
        if isinstance(each, Dictionary):
            known.update(each.known)
            rest = each.rest
        elif isinstance(each, (Query, Generator)):
            iteration.items(machine, each, site)
    return Dictionary({**known, **arguments.named}, rest)


def _partial(machine: Machine, arguments: Arguments, site: Site) -> Value:
    if not arguments.positional:
        return UNKNOWN
    return Partial(arguments.positional[0], arguments.positional[1:], arguments.named)


def _reduce(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return (
        UNKNOWN
        if len(arguments.positional) < 2
        else iteration.items(machine, arguments.positional[1], site)
    )


def _given_back(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """Decorators and wrappers that change nothing for us."""
    return arguments.positional[0] if arguments.positional else Handled("decorator", _pass_on, UNKNOWN)


def _pass_on(machine: Machine, target: Value, arguments: Arguments, site: Site) -> Value:
    return arguments.positional[0] if arguments.positional else UNKNOWN


def _thread(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """What runs beside the view, on a connection of its own."""
    target = arguments.get(1, "target") or arguments.get(2, "function")
    given = arguments.named.get("args")
    known = given.known if isinstance(given, Items) and given.known is not None else []
    if target is not None:
        beside(machine, target, Arguments(tuple(known)), site, "thread")
    return SCALAR


def _submit(machine: Machine, arguments: Arguments, site: Site) -> Value:
    if len(arguments.positional) > 1:
        beside(
            machine,
            arguments.positional[1],
            Arguments(arguments.positional[2:], arguments.named),
            site,
            "thread",
        )
    return SCALAR


def beside(machine: Machine, function: Value, arguments: Arguments, site: Site, when: str) -> None:
    """Emit what the function does as running later."""
    with machine.collected() as steps:
        machine.call(function, arguments, site)
    if steps:
        machine.emit(tree.Later(sequence(steps), when, site.location))


def _sync_to_async(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return arguments.positional[0] if arguments.positional else Handled("decorator", _pass_on, UNKNOWN)


def _gather(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return Items(
        join(*arguments.positional) if arguments.positional else UNKNOWN, list(arguments.positional)
    )


def container_method(machine: Machine, name: str, target: Value, arguments: Arguments, site: Site) -> Value:
    """Methods of lists, sets and dicts."""
    given = arguments.positional
    if isinstance(target, Items):
        if name in ("append", "add", "insert", "appendleft") and given:
            machine.changed(target)
            target.item = given[-1] if isinstance(target.item, Unknown) else join(target.item, given[-1])
            target.known = None
            return NONE
        if name in ("extend", "update") and given:
            machine.changed(target)
            item = iteration.items(machine, given[0], site)
            target.item = item if isinstance(target.item, Unknown) else join(target.item, item)
            target.known = None
            return NONE
        return target.item if name in ("pop", "popleft", "__getitem__") else SCALAR
    if isinstance(target, Dictionary):
        return _dict_method(machine, name, target, arguments)
    return SCALAR


def _dict_method(machine: Machine, name: str, target: Dictionary, arguments: Arguments) -> Value:
    key = constant(arguments.positional[0]) if arguments.positional else None
    if name in ("get", "pop", "setdefault"):
        default = arguments.get(1, "default") or NONE
        if name == "setdefault" and key is not None and key not in target.known:
            machine.changed(target)
            target.known[key] = default
        return target.known.get(key, join(target.rest, default) if target.known else target.rest)
    if name in ("values", "items"):
        item = join(*target.known.values(), *([target.rest] if not target.known else []))
        return Items(item if name == "values" else Items(UNKNOWN, [SCALAR, item]))
    if name == "update":
        machine.changed(target)
        target.known.update(arguments.named)
        for each in arguments.positional:
            if isinstance(each, Dictionary):
                target.known.update(each.known)
    return SCALAR


KNOWN: dict[str, Known] = {
    **dict.fromkeys(("builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset"), _list),
    **dict.fromkeys(("builtins.sorted", "builtins.reversed", "collections.deque"), _list),
    **dict.fromkeys(
        ("builtins.len", "builtins.bool", "builtins.any", "builtins.all", "builtins.sum", "builtins.str"),
        _consume,
    ),
    **dict.fromkeys(("builtins.next", "builtins.min", "builtins.max", "builtins.anext"), _pick),
    **dict.fromkeys(("builtins.iter", "builtins.aiter", "copy.copy", "copy.deepcopy"), _iter),
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.hasattr": _hasattr,
    "builtins.isinstance": _isinstance,
    "builtins.super": _super,
    "builtins.type": _type,
    "builtins.dict": _dict,
    "collections.OrderedDict": _dict,
    "typing.cast": lambda machine, arguments, site: arguments.get(1, "val") or UNKNOWN,
    "functools.partial": _partial,
    "functools.reduce": _reduce,
    "functools.wraps": lambda machine, arguments, site: Handled("wraps", _pass_on, UNKNOWN),
    "functools.lru_cache": _given_back,
    "functools.cache": _given_back,
    "threading.Thread": _thread,
    "threading.Timer": _thread,
    "concurrent.futures.thread.ThreadPoolExecutor.submit": _submit,
    "concurrent.futures._base.Executor.submit": _submit,
    "asgiref.sync.sync_to_async": _sync_to_async,
    "asgiref.sync.async_to_sync": _sync_to_async,
    "asgiref.sync.SyncToAsync": _sync_to_async,
    "asgiref.sync.AsyncToSync": _sync_to_async,
    "asyncio.tasks.gather": _gather,
    "asyncio.tasks.create_task": _iter,
}
