"""Every view behind the URLconf: what runs, for which HTTP methods, in whose transaction, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.db import connections
from django.urls import URLPattern, URLResolver, get_resolver

from django_dbaudit import callback as callbacks
from django_dbaudit.finding import Location
from django_dbaudit.project import http_methods, source_lines

#: Status codes for which a URLconf may name a view of its own.
HANDLERS = (400, 403, 404, 500)


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A ``non_atomic_requests`` that does nothing where it stands."""

    #: What wears it: ``shop.views.Checkout.post``.
    name: str
    alias: str
    location: Location | None


@dataclass(frozen=True, slots=True)
class View:
    """One view for one HTTP method."""

    #: ``module.qualname``; for the action of a viewset ``module.qualname#action``.
    name: str
    method: str
    #: function, class, viewset, admin, or handler for a URLconf's own ``handler404`` and its like.
    kind: str
    #: As Django writes them: ``orders/<str:reference>/cancel``.
    routes: tuple[str, ...]
    #: Comes from an installed package: not the project's to change.
    is_third_party: bool
    is_async: bool
    location: Location | None
    #: Aliases in whose transaction Django runs it: ``ATOMIC_REQUESTS`` less ``non_atomic_requests``.
    atomic_requests: tuple[str, ...] = ()
    #: Aliases that ``non_atomic_requests`` took it out of.
    non_atomic_requests: tuple[str, ...] = ()
    misplaced: tuple[Misplaced, ...] = ()


@dataclass(frozen=True, slots=True)
class UrlProblem:
    """A URLconf that could not be loaded, and so hides its views."""

    urlconf: str
    reason: str


@dataclass(frozen=True, slots=True)
class LiveView:
    """A view together with what Django would call, one callback for each way it is set up."""

    view: View
    callbacks: tuple[Callable[..., Any], ...]


@dataclass(frozen=True, slots=True)
class _Found:
    route: str
    callback: Callable[..., Any]
    is_handler: bool = False


def walk() -> tuple[tuple[LiveView, ...], tuple[UrlProblem, ...]]:
    """Every view by name and method, with its callbacks; and the URLconfs that could not be looked into.

    The URLconf is walked as loaded as Django itself loads it.
    """
    problems: list[UrlProblem] = []
    resolver = get_resolver()
    # First of all, and not caught: without the root there is nothing to tell.
    _ = resolver.url_patterns
    grouped: dict[tuple[str, str], list[_Found]] = {}
    for found in (*_patterns(resolver, "", problems), *_handlers(resolver)):
        for method in http_methods.of(found.callback):
            grouped.setdefault((callbacks.name_of(found.callback, method), method), []).append(found)
    views = [_live(name, method, group) for (name, method), group in sorted(grouped.items(), key=_by_name)]
    return tuple(views), tuple(problems)


def _by_name(item: tuple[tuple[str, str], object]) -> tuple[str, str]:
    return item[0]


def _patterns(resolver: URLResolver, prefix: str, problems: list[UrlProblem]) -> Iterator[_Found]:
    try:
        entries = list(resolver.url_patterns)
    except Exception as error:  # noqa: BLE001  # a URLconf is the project's code, which may raise anything
        problems.append(UrlProblem(_urlconf(resolver), f"{type(error).__name__}: {error}"))
        return
    for entry in entries:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, route, problems)
        elif isinstance(entry, URLPattern):
            yield _Found(route, entry.callback)


def _urlconf(resolver: URLResolver) -> str:
    name: Any = resolver.urlconf_name
    return name if isinstance(name, str) else getattr(name, "__name__", f"include() at {resolver.pattern}")


def _handlers(resolver: URLResolver) -> Iterator[_Found]:
    for status in HANDLERS:
        name = f"handler{status}"
        if hasattr(resolver.urlconf_module, name):
            yield _Found(name, resolver.resolve_error_handler(status), is_handler=True)


def _live(name: str, method: str, group: list[_Found]) -> LiveView:
    first = group[0].callback
    code = written(first, method)
    opted_out = getattr(first, "_non_atomic_requests", ())
    aliases = _atomic_aliases() if not all(each.is_handler for each in group) else ()
    view = View(
        name=name,
        method=method,
        kind=_kind(group[0]),
        routes=tuple(dict.fromkeys(each.route for each in group)),
        is_third_party=source_lines.is_installed_path(source_lines.file_of(code)),
        is_async=iscoroutinefunction(first),
        location=source_lines.location_of(code),
        atomic_requests=tuple(alias for alias in aliases if alias not in opted_out),
        non_atomic_requests=tuple(sorted(alias for alias in aliases if alias in opted_out)),
        misplaced=tuple(_misplaced(first, method, aliases)),
    )
    return LiveView(view, tuple({id(each.callback): each.callback for each in group}.values()))


def _atomic_aliases() -> tuple[str, ...]:
    return tuple(alias for alias, options in connections.settings.items() if options["ATOMIC_REQUESTS"])


def _kind(found: _Found) -> str:
    if found.is_handler:
        return "handler"
    view_class = callbacks.class_of(found.callback)
    if view_class is not None:
        return "viewset" if getattr(found.callback, "actions", None) else "class"
    innermost = list(callbacks.layers(found.callback))[-1]
    owner = getattr(innermost, "__self__", None)
    # Known by its module, because a project without the admin must not come to load it.
    modules = {base.__module__ for base in type(owner).__mro__}
    return (
        "admin" if modules & {"django.contrib.admin.options", "django.contrib.admin.sites"} else "function"
    )


def written(callback: Callable[..., Any], method: str) -> Any:
    """The class or function that a reader would open: where the project has its say on this view."""
    view_class = callbacks.class_of(callback)
    if view_class is None:
        innermost: Any = list(callbacks.layers(callback))[-1]
        owner = getattr(innermost, "__self__", None)
        if owner is not None and source_lines.is_installed_path(source_lines.file_of(innermost)):
            # A ModelAdmin's own views are Django's; what is the project's is the class.
            return owner if isinstance(owner, type) else type(owner)
        return innermost if hasattr(innermost, "__qualname__") else type(innermost)
    handler = getattr(view_class, (getattr(callback, "actions", None) or {}).get(method.lower(), ""), None)
    function = http_methods.api_view_function(view_class, method)
    if function is not None:
        return function
    is_own = handler is not None and source_lines.file_of(handler) == source_lines.file_of(view_class)
    return handler if is_own else view_class


def _misplaced(callback: Callable[..., Any], method: str, aliases: Iterable[str]) -> Iterator[Misplaced]:
    """Django asks the callback alone: on a method, or below a decorator that hides it, it is not seen."""
    wearers: list[Any] = list(callbacks.layers(callback))[1:]
    view_class = callbacks.class_of(callback)
    if view_class is not None:
        handler = getattr(view_class, method.lower(), None)
        action = (getattr(callback, "actions", None) or {}).get(method.lower())
        wearers = [handler, getattr(view_class, action, None) if action else None]
        wearers += [http_methods.api_view_function(view_class, method)]
    seen_by_django = getattr(callback, "_non_atomic_requests", ())
    for wearer in dict.fromkeys(each for each in wearers if each is not None):
        for alias in sorted(getattr(wearer, "_non_atomic_requests", ())):
            if alias in aliases and alias not in seen_by_django:
                name = f"{wearer.__module__}.{wearer.__qualname__}"
                yield Misplaced(name, alias, source_lines.location_of(wearer))
