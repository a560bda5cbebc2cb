"""Every request that Django's handlers answer, recorded without an entry in ``MIDDLEWARE``: for tests.

The test client, the asynchronous one and the live server share ``BaseHandler``; no signal of Django's
tells which view a request came to. So its two ``get_response`` methods are replaced while somebody
watches. ``settings.MIDDLEWARE`` is left alone, because tests compare and override it.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.utils.module_loading import import_string

from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.traffic import aftermath, recorder
from django_dbaudit.traffic.middleware import TrafficMiddleware, begin, end

base_get_response: Any = BaseHandler.get_response
base_get_response_async: Any = BaseHandler.get_response_async

_lock = threading.Lock()
_watchers = 0


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """See every request in this process as long as the block lasts; blocks may overlap."""
    global _watchers  # noqa: PLW0603  # the methods of a class are the process's
    with _lock:
        _watchers += 1
        if _watchers == 1:
            _install()
    try:
        yield
    finally:
        with _lock:
            _watchers -= 1
            if not _watchers:
                _uninstall()


def _install() -> None:
    recorder.install()
    aftermath.install()
    BaseHandler.get_response = _get_response  # type: ignore[method-assign]  # see above
    BaseHandler.get_response_async = _get_response_async  # type: ignore[method-assign]  # see above


def _uninstall() -> None:
    # Unless somebody has replaced them anew: then ours stay below, idle.
    if BaseHandler.get_response is _get_response:
        BaseHandler.get_response = base_get_response  # type: ignore[method-assign]  # see above
    if BaseHandler.get_response_async is _get_response_async:
        BaseHandler.get_response_async = base_get_response_async  # type: ignore[method-assign]  # see above


def _get_response(self: BaseHandler, request: Any) -> Any:
    if not _watchers or _records_itself(tuple(settings.MIDDLEWARE)):
        return base_get_response(self, request)
    recording = begin(request, False)  # noqa: FBT003  # as the middleware does
    response = None
    try:
        response = base_get_response(self, request)
    finally:
        if recording is not None:
            end(recording, request, response, "nobody")
    return response


async def _get_response_async(self: BaseHandler, request: Any) -> Any:
    if not _watchers or _records_itself(tuple(settings.MIDDLEWARE)):
        return await base_get_response_async(self, request)
    recording = begin(request, True)  # noqa: FBT003  # as above
    response = None
    try:
        response = await base_get_response_async(self, request)
    finally:
        if recording is not None:
            end(recording, request, response, "nobody")
    return response


def _records_itself(middleware: tuple[str, ...]) -> bool:
    """Whether our middleware is among these, and at work: no request is to count twice."""
    return _has_ours(middleware) and _is_recording()


@functools.cache
def _has_ours(middleware: tuple[str, ...]) -> bool:
    return any(_is_ours(path) for path in middleware)


def _is_ours(path: str) -> bool:
    try:
        found = import_string(path)
    except ImportError:
        # Django's own word on it is the better one.
        return False
    return isinstance(found, type) and issubclass(found, TrafficMiddleware)


def _is_recording() -> bool:
    try:
        return get_config().record
    except AuditError:
        return False
