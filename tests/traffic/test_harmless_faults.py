"""Whichever function of ours fails, the request is answered as without us, and the fault is told once."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.signals import request_finished
from django.test import AsyncClient, Client

import django_dbaudit.traffic
from django_dbaudit.traffic import frames, recorder, tags, trails, trouble, view_names
from flavors.models import Flavor

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"

#: Those that hold the net and are not in it: what Django and the interpreter call. Each does no more than
#: call what it stands for, and guard the rest. The last ones are at work in tests and commands alone.
NETS = {
    "middleware": {"TrafficMiddleware.__init__", "TrafficMiddleware.__call__", "TrafficMiddleware._answer",
                   "_takes_next", "begin", "_look", "end", "_finish"},
    "recorder": {"observe", "install", "ensure", "uninstall", "record", "Recorded.__init__",
                 "_on_connection", "_add", "_remove", "_on_setting_changed"},
    "patches": {"_query_init", "_query_get_compiler", "_query_combine", "_atomic_enter", "_atomic_exit",
                "_Leaving.__init__", "_Leaving.is_over", "_commit", "_rollback", "_end",
                "_prefetch_related_objects", "_get_cached_value", "_getstate", "install", "uninstall",
                "_handing_out", "_look_for_absent"},
    "aftermath": {"install", "_finished"},
    "streams": {"_close"},
    "trouble": {"tell", "rearm"},
    "recording": {"leave"},
    "trails": {"forget"},
    "told": {"install"},
    # Called once, when Django loads the middleware.
    "sampling": {"Sample.__init__", "Sample.takes_all"},
    "tags": {"tag", "install", "uninstall", "_on_connection"},
}  # fmt: skip


def _functions() -> Iterator[tuple[str, FunctionType]]:
    for module in pkgutil.iter_modules(django_dbaudit.traffic.__path__):
        if module.name in ("facts", "handlers"):
            # Values, made when they are asked for: by commands, and at the end of a block. And what is at
            # work in tests alone, where an error of ours is to be seen.
            continue
        loaded = importlib.import_module(f"django_dbaudit.traffic.{module.name}")
        for owner in (loaded, *(each for each in vars(loaded).values() if inspect.isclass(each))):
            for function in map(_function, vars(owner).values()):
                if function is None or function.__code__.co_filename != loaded.__file__:
                    continue
                name = function.__qualname__
                if name not in NETS.get(module.name, ()) and not function.__code__.co_freevars:
                    yield f"{module.name}.{name}", function


def _function(found: Any) -> FunctionType | None:
    found = getattr(found, "fget", found)
    found = inspect.unwrap(found) if callable(found) and not inspect.isclass(found) else found
    return found if isinstance(found, FunctionType) else None


FUNCTIONS = dict(_functions())


#: Of the first two requests to a handler one is left out, with the share recorded that is set below.
PATHS = (
    "nowhere",
    "nowhere",
    "titles",
    "along",
    "template",
    "late-template",
    "committing",
    "broken",
    "stream",
    "file",
    "nowhere",
)
#: Modules of which these requests need no function: types that were judged once are remembered.
NEVER_CALLED = {"params"}


class FaultError(Exception):
    """What goes wrong."""


def _raising(*args: Any, **kwargs: Any) -> Any:
    # Looked up here, because the code runs with the globals of the function that it stands in for.
    import sys

    raise sys.modules["traffic_fault"].FaultError


@pytest.fixture(autouse=True)
def kiosk_open(
    settings: Any, committed_flavors: list[Flavor], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "traffic_fault", sys.modules[__name__])
    settings.ROOT_URLCONF = "kiosk"
    settings.MIDDLEWARE = []
    # All that can be switched on.
    settings.DBAUDIT = {"TAG_QUERIES": True, "SERVER_TIMING": "all", "SAMPLE_SHARE": 0.999_999}
    yield
    tags.uninstall()
    _forget()


def _ask_once_more(**_: Any) -> None:
    Flavor.objects.exists()


def _forget() -> None:
    trails.forget()
    view_names._names.clear()
    tags.comment.cache_clear()
    recorder.totals.take()
    trouble.rearm()


def _answers() -> list[Any]:
    client = Client(raise_request_exception=False)
    answers = []
    request_finished.connect(_ask_once_more)
    try:
        for path in PATHS:
            response = client.get(f"/{path}/")
            content = b"".join(response) if response.streaming else response.content
            answers.append((path, response.status_code, content))
    finally:
        request_finished.disconnect(_ask_once_more)
    return [*answers, async_to_sync(_async_answer)()]


async def _async_answer() -> Any:
    client: Any = AsyncClient(raise_request_exception=False)
    await client.get("/titles-async/")
    response = await client.get("/titles-async/")
    return response.status_code, response.content


def test_the_list_is_long() -> None:
    assert len(FUNCTIONS) > 80
    assert {"recording.Recording.note", "callsite.walk", "units.exited"} <= FUNCTIONS.keys()


@pytest.mark.parametrize("module", sorted({name.partition(".")[0] for name in FUNCTIONS}))
def test_a_function_of_ours_fails(module: str, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    without = _answers()
    settings.MIDDLEWARE = [OURS]
    assert _answers() == without
    told = 0
    for name, function in FUNCTIONS.items():
        if name.startswith(f"{module}."):
            told += len(_told_while_it_fails(function, without, caplog))
    # Not every function is needed by these requests, but some of each module are.
    assert told or module in NEVER_CALLED


def _told_while_it_fails(
    function: FunctionType, without: list[Any], caplog: pytest.LogCaptureFixture
) -> list[logging.LogRecord]:
    good = function.__code__
    _forget()
    caplog.clear()
    with warnings.catch_warnings():
        # Python 3.13 has its doubts where a generator becomes a function that raises at once.
        warnings.simplefilter("ignore", DeprecationWarning)
        function.__code__ = _raising.__code__
    try:
        assert _answers() == without, function
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            function.__code__ = good
        frames.forget()
        recorder.ensure()
    told = [each for each in caplog.records if each.name == "django_dbaudit.traffic"]
    assert len(told) <= 1, function
    assert all(each.exc_info and each.exc_info[0] is FaultError for each in told), function
    return told


def test_a_log_handler_that_fails_is_no_reason_to_fail(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: object, **kwargs: object) -> None:
        raise FaultError

    without = _answers()
    settings.MIDDLEWARE = [OURS]
    _forget()
    monkeypatch.setattr(trouble.logger, "exception", failing)
    monkeypatch.setattr(recorder, "deliver", failing)
    assert _answers() == without
