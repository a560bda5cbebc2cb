"""A request is answered as it is without us, whatever its view does."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.signals import got_request_exception, request_finished
from django.db import connection
from django.http import HttpRequest
from django.test import AsyncClient, Client

import django_dbaudit
import mischief
from django_dbaudit.traffic import recorder, trouble
from django_dbaudit.traffic.recording import current
from flavors.models import Category, Flavor

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"


@pytest.fixture(autouse=True)
def mischief_afoot(settings: Any, committed_flavors: list[Flavor]) -> Iterator[None]:
    settings.ROOT_URLCONF = "mischief"
    recorder.totals.take()
    trouble.rearm()
    yield
    recorder.totals.take()
    assert current.get() is None


#: Named by a number that goes on.
_SAVEPOINT = re.compile('SAVEPOINT "[^"]+"')
#: How deep they get is the stack's affair, in which a wrapper of anybody's takes its room.
RECURSIVE = {"/recursion/", "/endless_recursion/", "/recursive_queries/"}


class Outcome:
    """All that can be seen of a request from outside: by the client, the database and the logs."""

    def __init__(self, path: str, method: str = "GET", *, is_async: bool = False) -> None:
        self.sql: list[str] = []
        self.errors: list[tuple[type, str, list[str]]] = []
        got_request_exception.connect(self._failed)
        connection.execute_wrappers.append(self._executed)
        try:
            self._ask(path, method, is_async=is_async)
        finally:
            got_request_exception.disconnect(self._failed)
            # A view may have put another list in its place.
            connection.execute_wrappers[:] = [
                each for each in connection.execute_wrappers if each != self._executed
            ]

    def _ask(self, path: str, method: str, *, is_async: bool) -> None:
        response = (async_to_sync(_ask_async) if is_async else _ask)(method, path)
        self.status, self.headers = response.status_code, sorted(response.headers.items())
        self.cookies = response.cookies.output()
        try:
            self.content = _content(response)
        except ArithmeticError as error:
            self.content = repr(error).encode()
        response.close()
        if path in RECURSIVE:
            self.sql = sorted(set(self.sql))
        self.closed = mischief.Times.closed

    def _executed(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.sql.append(_SAVEPOINT.sub("SAVEPOINT", str.__str__(sql)))
        return execute(sql, params, many, context)

    def _failed(self, *, request: HttpRequest, **_: Any) -> None:
        kind, error, trace = sys.exc_info()
        assert kind
        frames = [
            frame.name for frame in traceback.extract_tb(trace) if frame.filename == mischief.__file__
        ]
        self.errors.append((kind, str(error), frames[:3]))


def _ask(method: str, path: str) -> Any:
    return Client(raise_request_exception=False).generic(method, path)


async def _ask_async(method: str, path: str) -> Any:
    client: Any = AsyncClient(raise_request_exception=False)
    return await client.generic(method, path)


def _content(response: Any) -> bytes:
    if not response.streaming:
        content: bytes = response.content
        return content
    if response.is_async:

        async def read() -> bytes:
            return b"".join([piece async for piece in response.streaming_content])

        return async_to_sync(read)()
    return b"".join(response.streaming_content)


def alike(settings: Any, path: str, method: str = "GET", *, is_async: bool = False) -> Outcome:
    """The outcome with us, once it has been found to be the same as without."""
    outcomes = []
    for middleware in ([], [OURS]):
        recorder.uninstall()
        settings.MIDDLEWARE = middleware
        Category.objects.exclude(name__in=("gelato", "sorbet")).delete()
        outcomes.append(Outcome(path, method, is_async=is_async))
    recorder.install()
    without, with_us = outcomes
    assert vars(with_us) == vars(without)
    return with_us


@pytest.mark.parametrize("view", [each.__name__ for each in mischief.SYNC])
def test_a_request_is_answered_alike(view: str, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "django_dbaudit"):
        alike(settings, f"/{view}/")
    assert [each for each in caplog.records if each.name.startswith("django_dbaudit")] == []


@pytest.mark.parametrize("view", [each.__name__ for each in (*mischief.ASYNC, *mischief.SYNC)])
def test_a_request_is_answered_alike_under_asgi(
    view: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    alike(settings, f"/{view}/", is_async=True)
    assert [each for each in caplog.records if each.name.startswith("django_dbaudit")] == []


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "TRACE", "BREW"])
@pytest.mark.parametrize("view", ["generated_content", "stream", "file", "not_found"])
def test_by_any_method(view: str, method: str, settings: Any) -> None:
    alike(settings, f"/{view}/", method)


def test_a_path_that_nobody_serves(settings: Any) -> None:
    assert alike(settings, "/nowhere/").status == 404


@pytest.mark.parametrize("debug", [False, True])
def test_queries_are_logged_by_django_as_without_us(settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    logged = []
    for middleware in ([], [OURS]):
        settings.MIDDLEWARE = middleware
        connection.queries_log.clear()
        Client().get("/json/")
        # The log is emptied when the next request begins.
        logged.append([each["sql"] for each in connection.queries])
    assert logged[0] == logged[1]
    assert len(logged[0]) == (1 if debug else 0)


@pytest.mark.parametrize(
    "middleware",
    [
        [OURS, "django.middleware.gzip.GZipMiddleware", "django.middleware.common.CommonMiddleware"],
        ["django.middleware.gzip.GZipMiddleware", "django.middleware.common.CommonMiddleware", OURS],
        [OURS, "django.middleware.http.ConditionalGetMiddleware", OURS],
    ],
    ids=["first", "last", "twice"],
)
@pytest.mark.parametrize("view", ["generated_content", "stream", "raises", "file"])
def test_wherever_it_stands_among_the_middleware(view: str, middleware: list[str], settings: Any) -> None:
    outcomes = []
    for each in ([each for each in middleware if each != OURS], middleware):
        recorder.uninstall()
        settings.MIDDLEWARE = each
        outcomes.append(Outcome(f"/{view}/"))
    recorder.install()
    assert vars(outcomes[0]) == vars(outcomes[1])


def test_a_receiver_that_raises_leaves_the_next_request_alone(settings: Any) -> None:
    def raising(**_: Any) -> None:
        raise ArithmeticError

    settings.MIDDLEWARE = [OURS]
    receivers, request_finished.receivers = request_finished.receivers, []
    request_finished.connect(raising)
    try:
        for _ in range(3):
            with pytest.raises(ArithmeticError):
                Client().get("/json/")
            rest = current.get()
            assert rest is None or rest.parent is None, "recordings pile up"
    finally:
        request_finished.receivers = receivers
        request_finished.sender_receivers_cache.clear()
        current.set(None)
    Client().get("/json/")


def test_a_block_around_requests_changes_none(settings: Any) -> None:
    settings.MIDDLEWARE = []
    without = Outcome("/generated_content/")
    with django_dbaudit.record():
        within = Outcome("/generated_content/")
    assert vars(within) == vars(without)
