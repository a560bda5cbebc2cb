"""What a call of Django's does, and in which phase of a request it runs, by its file and name.

By name and not by object, so that a version that lacks a function, or moves it between classes, is no
error. Paths are below Django's own directory.
"""

from __future__ import annotations

import os
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import CodeType


def _same(names: str) -> dict[str, str]:
    return {name: name for name in names.split()}


_OF_MANAGER = "add remove clear set create get_or_create update_or_create"

#: The outermost on the way from the query to the line that asked counts, but for `STICKY`.
_HOW: dict[str, dict[str, str]] = {
    "db/models/query.py": {
        "__iter__": "iteration",
        "__len__": "len",
        "__bool__": "bool",
        "__getitem__": "index",
        "__repr__": "repr",
        "_fetch_all": "iteration",
        "iterator": "iterator",
        "_iterator": "iterator",
        "aiterator": "iterator",
        "prefetch_related_objects": "prefetch_related_objects",
        "get_or_create": "get_or_create",
        "update_or_create": "update_or_create",
        **_same("aggregate count get create bulk_create bulk_update earliest latest first last in_bulk"),
        **_same("delete update exists contains explain"),
        "_raw_delete": "delete",
        "_update": "update",
        "_insert": "insert",
    },
    "db/models/base.py": {
        "save": "save",
        "save_base": "save",
        "delete": "delete",
        "refresh_from_db": "refresh_from_db",
        "_get_next_or_previous_by_FIELD": "get_next_or_previous",
        "full_clean": "validation",
        "validate_unique": "validation",
        "validate_constraints": "validation",
    },
    "db/models/query_utils.py": {"__get__": "deferred-field"},
    "db/models/fields/related_descriptors.py": {
        "__get__": "relation",
        **_same(_OF_MANAGER),
    },
    "contrib/contenttypes/fields.py": {
        "__get__": "relation",
        **_same(_OF_MANAGER),
    },
    "db/models/fields/related.py": {"validate": "validation"},
    "db/models/sql/query.py": {"_execute_query": "raw"},
}

#: These count wherever they are on the way.
STICKY = frozenset({"prefetch", "raw"})
#: What a queryset calls for its own rows, and a project for one object after another.
PREFETCHING = "prefetch_related_objects"
_PUBLIC = {"raw", "none"}.union(how for names in _HOW.values() for how in names if not how.startswith("_"))
#: Methods of a manager that give no queryset which waits to be executed; the others do.
EXECUTING = frozenset({*_PUBLIC, *(f"a{name}" for name in _PUBLIC)})


#: These are given no object, so that nothing loaded along with one could be followed.
NO_OBJECT = frozenset({"aggregate", "contains", "count", "exists", "explain"})
#: These leave the rows in the queryset, for whoever looks at it next.
KEEPING = frozenset({"bool", "iteration", "len", "slice"})


def of(in_django: str, name: str) -> str:
    return _HOW.get(in_django, {}).get(name, "")


_PHASES = {
    ("core/handlers/base.py", "_get_response"): "view",
    ("core/handlers/base.py", "_get_response_async"): "view",
    ("template/base.py", "render_annotated"): "template",
    ("template/base.py", "render"): "template",
    ("template/backends/django.py", "render"): "template",
    ("template/backends/jinja2.py", "render"): "template",
    ("template/response.py", "render"): "renderer",
    ("template/response.py", "rendered_content"): "renderer",
    ("db/backends/base/base.py", "run_and_clear_commit_hooks"): "on-commit",
    ("db/backends/base/base.py", "on_commit"): "on-commit",
    ("http/response.py", "close"): "after-response",
}
_HOOKS = frozenset({"process_request", "process_response", "process_view", "process_exception"})


def phase_of(code: CodeType, in_django: str, *, is_ours: bool) -> str:
    """The phase that whoever is called by this code is in; empty where it tells none."""
    if in_django and (in_django, code.co_name) in _PHASES:
        return _PHASES[in_django, code.co_name]
    if is_ours:
        return _OUR_PHASES.get((os.path.basename(code.co_filename), code.co_name), "")
    is_hook = code.co_name in _HOOKS and code.co_varnames[:2] == ("self", "request")
    return "middleware" if is_hook else ""


def weak_phase_of(code: CodeType) -> str:
    """The phase where none is told further out: under ASGI a middleware has a thread of its own."""
    is_call = code.co_name == "__call__" and code.co_varnames[:2] == ("self", "request")
    has_more = code.co_argcount > 2 or code.co_flags & (CO_VARARGS | CO_VARKEYWORDS)
    return "middleware" if is_call and not has_more else ""


_OUR_PHASES = {
    ("handlers.py", "_get_response"): "middleware",
    ("handlers.py", "_get_response_async"): "middleware",
    ("middleware.py", "__call__"): "middleware",
    ("middleware.py", "_answer"): "middleware",
    ("streams.py", "_pieces"): "streaming",
    ("streams.py", "_pieces_async"): "streaming",
    ("streams.py", "_close"): "streaming",
}
