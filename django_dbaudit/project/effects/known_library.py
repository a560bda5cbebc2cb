"""Functions of Django's that a view calls, by heart: shortcuts, transactions, cursors, mail, files."""

from __future__ import annotations

import ast
import re
from typing import Any

from django.apps import apps
from django.db.backends.utils import CursorWrapper
from django.http import HttpResponse

from django_dbaudit.project.effects import blocks, models, queries, rows, signals, tree
from django_dbaudit.project.effects.machine import Machine, Site, sequence
from django_dbaudit.project.effects.values import (
    NONE,
    SCALAR,
    UNKNOWN,
    Arguments,
    AtomicBlock,
    AtomicFunction,
    Bound,
    Closure,
    Generator,
    Handled,
    Instance,
    Items,
    Live,
    Partial,
    Query,
    Value,
    constant,
    is_none,
    options,
    truth,
)

#: Comments, and what may stand before the verb of a statement.
BEFORE_VERB = re.compile(r"\A(?:\s+|--[^\n]*\n|/\*.*?\*/|\()*", re.DOTALL)
VERB = re.compile(r"([a-z]+)", re.IGNORECASE)
TABLE = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM(?:\s+ONLY)?|TRUNCATE(?:\s+TABLE)?|MERGE\s+INTO|COPY)\s+"
    r'("?[\w$]+"?(?:\."?[\w$]+"?)?)',
    re.IGNORECASE,
)
READS = frozenset(
    {"select", "show", "explain", "values", "table", "set", "reset", "declare", "fetch", "close", "lock"}
)
WRITES_WITHIN = re.compile(r"\b(insert\s+into|update\s+\S+\s+set|delete\s+from)\b", re.IGNORECASE)


def _rows_of(machine: Machine, value: Value | None, site: Site) -> Query | None:
    """The queryset that a shortcut was given: a model, a manager, or a queryset."""
    for each in options(value) if value is not None else ():
        if isinstance(each, Live) and models.is_model(each.thing):
            return models.queryset(each.thing)
        if isinstance(each, Query):
            return queries.base(machine, each, site)
    return None


def _get_object_or_404(machine: Machine, arguments: Arguments, site: Site) -> Value:
    query = _rows_of(machine, arguments.get(0, "klass"), site)
    if query is None:
        return UNKNOWN
    queries.read(machine, query, "get", site)
    return queries.one_row(query)


def _get_list_or_404(machine: Machine, arguments: Arguments, site: Site) -> Value:
    query = _rows_of(machine, arguments.get(0, "klass"), site)
    return UNKNOWN if query is None else Items(queries.items(machine, query, site, "list"))


def _atomic(machine: Machine, arguments: Arguments, site: Site) -> Value:
    first = arguments.get(0, "using")
    if isinstance(first, (Closure, Handled, AtomicFunction, Bound, Partial)) or (
        isinstance(first, Live) and callable(first.thing)
    ):
        return AtomicFunction(AtomicBlock("default"), first)
    alias = constant(first) if first is not None and not is_none(first) else "default"
    return AtomicBlock(alias if isinstance(alias, str) else None, *_flags(arguments))


def _flags(arguments: Arguments) -> tuple[bool, bool]:
    durable, savepoint = arguments.get(2, "durable"), arguments.get(1, "savepoint")
    return truth(durable) is True if durable is not None else False, truth(savepoint) is not False


def _on_commit(machine: Machine, arguments: Arguments, site: Site) -> Value:
    function = arguments.get(0, "func")
    given = arguments.get(1, "using")
    alias = constant(given) if given is not None and not is_none(given) else "default"
    with machine.collected() as steps:
        if function is not None:
            machine.call(function, Arguments(), site)
    robust = truth(arguments.get(2, "robust")) is True
    alias = alias if isinstance(alias, str) else None
    machine.emit(tree.OnCommit(sequence(steps), alias, site.location, robust, _binds_late(function)))
    return NONE


def _set_rollback(machine: Machine, arguments: Arguments, site: Site) -> Value:
    if truth(arguments.get(0, "rollback")) is not False:
        given = arguments.get(1, "using")
        alias = constant(given) if given is not None and not is_none(given) else "default"
        machine.emit(tree.Rollback(alias if isinstance(alias, str) else None, site.location))
    return NONE


def _binds_late(function: Value | None) -> bool:
    """Whether a lambda, or a function defined on the spot, takes a name from a loop around it."""
    if not isinstance(function, Closure):
        return False
    arguments = function.node.args
    own = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    used = {each.id for each in ast.walk(function.node) if isinstance(each, ast.Name)}
    return bool((used - own) & function.scope.frame.looping)


def _save(machine: Machine, arguments: Arguments, site: Site) -> Value:
    target, rest = arguments.positional[0], Arguments(arguments.positional[1:], arguments.named)
    if isinstance(target, Instance) and models.is_model(target.cls):
        # Positions as in save(force_insert, force_update, using, update_fields).
        return rows.save(machine, target, rest, site)
    return _unresolved_row(machine, target, "save", site)


def _delete(machine: Machine, arguments: Arguments, site: Site) -> Value:
    target = arguments.positional[0]
    if isinstance(target, Instance) and models.is_model(target.cls) and not target.cls._meta.abstract:  # type: ignore[attr-defined]  # a model
        model: Any = target.cls
        alias = rows.alias_of(arguments.get(1, "using"), model)
        return rows.delete(machine, model, alias, "Model.delete", site, target)
    return _unresolved_row(machine, target, "delete", site)


def _unresolved_row(machine: Machine, target: Value, name: str, site: Site) -> Value:
    machine.unresolved(site, f"{name}() of a row whose model is not known")
    return UNKNOWN


def _refresh(machine: Machine, arguments: Arguments, site: Site) -> Value:
    target = arguments.positional[0]
    if isinstance(target, Instance) and models.is_model(target.cls):
        queries.read(machine, models.queryset(target.cls), "refresh_from_db", site)
    return NONE


def _cursor(machine: Machine, arguments: Arguments, site: Site) -> Value:
    connection = arguments.positional[0] if arguments.positional else UNKNOWN
    alias = connection.attributes.get("alias", UNKNOWN) if isinstance(connection, Instance) else UNKNOWN
    return Instance(CursorWrapper, {"alias": alias})


def _execute(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``cursor.execute``: read or write, by the text as far as it is constant."""
    cursor = arguments.positional[0]
    named = constant(cursor.attributes.get("alias")) if isinstance(cursor, Instance) else None
    text = constant(arguments.get(1, "sql"))
    where = named if isinstance(named, str) else None
    if not isinstance(text, str):
        machine.unresolved(site, "SQL that is not constant")
        return NONE
    match = VERB.match(text, BEFORE_VERB.match(text).end())  # type: ignore[union-attr]  # it matches nothing at least
    verb = match[1].lower() if match else ""
    found = TABLE.search(text)
    table = found[1].replace('"', "") if found else ""
    writes = verb not in READS if verb != "with" else bool(WRITES_WITHIN.search(text))
    if writes:
        machine.emit(
            tree.Write(
                "", table, where, verb or "unknown", f"cursor.{site.method or 'execute'}", site.location
            )
        )
    else:
        locks = "for update" in text.lower() or verb == "lock"
        machine.emit(tree.Read("", table, where, "cursor.execute", site.location, locks=locks))
    return NONE


def _callproc(machine: Machine, arguments: Arguments, site: Site) -> Value:
    machine.unresolved(site, "a procedure of the database")
    return NONE


def _signal_send(machine: Machine, arguments: Arguments, site: Site) -> Value:
    signal, sender = arguments.get(0, "self"), arguments.get(1, "sender")
    if isinstance(signal, Live):
        live_sender = sender.thing if isinstance(sender, Live) else lookup_class(sender)
        name = site.text.rpartition(".")[0] or "signal"
        named = {key: each for key, each in arguments.named.items() if key != "sender"}
        signals.fire(machine, signal.thing, name, live_sender, site, **named)
    return Items(SCALAR)


def lookup_class(value: Value | None) -> Any:
    return value.cls if isinstance(value, Instance) else None


def _get_model(machine: Machine, arguments: Arguments, site: Site) -> Value:
    # The first is the registry itself, when it is called as a method.
    words = [constant(each) for each in arguments.positional if isinstance(constant(each), str)]
    try:
        return Live(apps.get_model(*words))
    except (LookupError, ValueError, TypeError):
        return UNKNOWN


def _import_string(machine: Machine, arguments: Arguments, site: Site) -> Value:
    path = constant(arguments.get(0, "dotted_path"))
    # What is not loaded yet is not loaded for us.
    module, _, name = path.rpartition(".") if isinstance(path, str) else ("", "", "")
    found = getattr(blocks.loaded(module), name, None)
    return UNKNOWN if found is None else Live(found)


def _import_module(machine: Machine, arguments: Arguments, site: Site) -> Value:
    path = constant(arguments.get(0, "name"))
    module = blocks.loaded(path) if isinstance(path, str) else None
    return UNKNOWN if module is None else Live(module)


def _streaming(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """What a streamed response is made of runs when the view has long returned."""
    content = arguments.get(1, "streaming_content")
    if isinstance(content, Generator):
        if content.steps != tree.NOTHING:
            machine.emit(tree.Later(content.steps, "streaming", site.location))
    elif isinstance(content, Query):
        with machine.collected() as steps:
            queries.items(machine, content, site)
        machine.emit(tree.Later(sequence(steps), "streaming", site.location))
    return NONE


def _response(machine: Machine, arguments: Arguments, site: Site) -> Value:
    target = arguments.positional[0]
    status = arguments.named.get("status")
    if isinstance(target, Instance) and status is not None:
        target.attributes["status_code"] = status
        machine.changed(target)
    for each in arguments.positional[1:2]:
        if isinstance(each, (Generator, Query)):
            machine.call(Live(list), Arguments((each,)), site)
    return NONE


def _file_field_save(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """``FieldFile.save`` and ``delete``: a file, and then, unless told not to, its row."""
    target = arguments.positional[0]
    machine.emit(tree.SideEffect("file", f"FieldFile.{site.method or 'save'}", site.location))
    saves = arguments.get(3 if site.method == "save" else 1, "save")
    row = target.attributes.get("instance") if isinstance(target, Instance) else None
    if row is not None and (saves is None or truth(saves) is not False):
        machine.call_method(row, "save", Arguments(), site)
    return NONE


def _redirect(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return Instance(HttpResponse, {"status_code": Live(302)})


def _render(machine: Machine, arguments: Arguments, site: Site) -> Value:
    status = arguments.get(4, "status")
    return Instance(HttpResponse, {"status_code": status} if status is not None else {})


def _asave(machine: Machine, arguments: Arguments, site: Site) -> Value:
    target, rest = arguments.positional[0], Arguments(arguments.positional[1:], arguments.named)
    return machine.call_method(target, "save", rest, site)


def _adelete(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return machine.call_method(arguments.positional[0], "delete", Arguments(named=arguments.named), site)


KNOWN = {
    "django.shortcuts.get_object_or_404": _get_object_or_404,
    "django.shortcuts.aget_object_or_404": _get_object_or_404,
    "django.shortcuts.get_list_or_404": _get_list_or_404,
    "django.shortcuts.aget_list_or_404": _get_list_or_404,
    "django.shortcuts.redirect": _redirect,
    "django.shortcuts.render": _render,
    "rest_framework.generics.get_object_or_404": _get_object_or_404,
    "django.db.transaction.atomic": _atomic,
    "django.db.transaction.on_commit": _on_commit,
    "django.db.transaction.set_rollback": _set_rollback,
    "django.db.models.base.Model.save": _save,
    "django.db.models.base.Model.asave": _asave,
    "django.db.models.base.Model.save_base": _save,
    "django.db.models.base.Model.delete": _delete,
    "django.db.models.base.Model.adelete": _adelete,
    "django.db.models.base.Model.refresh_from_db": _refresh,
    "django.db.backends.base.base.BaseDatabaseWrapper.cursor": _cursor,
    "django.db.backends.utils.CursorWrapper.execute": _execute,
    "django.db.backends.utils.CursorWrapper.executemany": _execute,
    "django.db.backends.utils.CursorWrapper.callproc": _callproc,
    "django.dispatch.dispatcher.Signal.send": _signal_send,
    "django.dispatch.dispatcher.Signal.send_robust": _signal_send,
    "django.dispatch.dispatcher.Signal.asend": _signal_send,
    "django.dispatch.dispatcher.Signal.asend_robust": _signal_send,
    "django.apps.registry.Apps.get_model": _get_model,
    "django.utils.module_loading.import_string": _import_string,
    "importlib.import_module": _import_module,
    "django.http.response.StreamingHttpResponse.__init__": _streaming,
    "django.http.response.HttpResponse.__init__": _response,
    "django.http.response.JsonResponse.__init__": _response,
    "django.db.models.fields.files.FieldFile.save": _file_field_save,
    "django.db.models.fields.files.FieldFile.delete": _file_field_save,
}
