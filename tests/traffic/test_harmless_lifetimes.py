"""Nothing outlives its request because of us, and what does by its own will is not held back or counted."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import path, resolve

import django_dbaudit
from django_dbaudit.traffic import callsite, frames, recorder, recording, trails, trouble, view_names
from django_dbaudit.traffic.facts import NO_VIEW, OTHER
from django_dbaudit.traffic.middleware import TrafficMiddleware
from django_dbaudit.traffic.recording import Recording, current
from flavors.models import Category, Flavor
from recorded import queries, view

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"


@pytest.fixture(autouse=True)
def nothing_counted(settings: Any, committed_flavors: list[Flavor]) -> Iterator[None]:
    settings.MIDDLEWARE = [OURS]
    settings.ROOT_URLCONF = "mischief"
    recorder.totals.take()
    trouble.rearm()
    yield
    recorder.totals.take()


def test_no_queryset_row_parameter_request_or_response_is_held() -> None:
    held: list[weakref.ref[Any]] = []

    class Title(str):
        """A parameter that can be seen to go."""

        __slots__ = ("__weakref__",)

    class Rows(models.QuerySet[Flavor]):
        pass

    def answer(request: HttpRequest) -> HttpResponse:
        title = Title("flavor 1")
        queryset = Rows(Flavor).filter(title=title).select_related("category").prefetch_related("category")
        unused = queryset.exclude(pk=1)
        with transaction.atomic():
            rows = list(queryset)
            rows[0].save()
        response = HttpResponse(f"{rows[0].category} {queryset.count()} {len(unused)}")
        held.extend(map(weakref.ref, (request, response, title, queryset, queryset.query, unused, *rows)))
        return response

    def left(wrap: Callable[[Any], Any]) -> list[type]:
        held.clear()
        gc.collect()
        gc.disable()
        try:
            request = RequestFactory().get("/")
            response = wrap(answer)(request)
            response.close()
            del request, response
            # Without a collection: no cycle of ours keeps them either.
            return [type(each()) for each in held if each() is not None]
        finally:
            gc.enable()

    for _ in range(2):
        # Python 3.10 keeps a response in a cycle of its own, with or without us.
        assert left(TrafficMiddleware) == left(lambda view: view)


def test_a_recording_goes_with_its_request() -> None:
    before = _recordings()
    for _ in range(5):
        TrafficMiddleware(lambda request: HttpResponse(str(Flavor.objects.count())))(HttpRequest())
    assert _recordings() == before


def _recordings() -> int:
    gc.collect()
    return sum(type(each) is Recording for each in gc.get_objects())


def test_a_context_that_is_kept_holds_no_more_than_an_empty_recording() -> None:
    """As that of a task, a thread or a timer which the view has started."""
    kept: list[contextvars.Context] = []

    def answer(request: HttpRequest) -> HttpResponse:
        Category.objects.create(name=str(len(Flavor.objects.all())))
        kept.append(contextvars.copy_context())
        return HttpResponse("")

    TrafficMiddleware(answer)(HttpRequest())
    recording = kept[0][current]
    assert recording is not None
    assert (recording.lineages, recording.counted, recording.request, recording.units) == ([], {}, None, {})
    left = (recording.compared, recording.followed, recording.related_read, recording.token)
    assert left == (None,) * 4
    assert recording.written is None


def test_a_thread_that_outlives_the_request_is_not_counted() -> None:
    begun, over = threading.Event(), threading.Event()

    def later() -> None:
        begun.set()
        over.wait(30)
        Flavor.objects.count()
        connection.close()

    threads: list[threading.Thread] = []

    def answer(request: HttpRequest) -> HttpResponse:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(later,))
        threads.append(thread)
        thread.start()
        begun.wait(30)
        return HttpResponse("")

    TrafficMiddleware(answer)(HttpRequest())
    over.set()
    threads[0].join()
    (found,) = recorder.totals.take().views
    assert found.queries == ()


def test_a_task_that_outlives_the_request_is_not_counted() -> None:
    async def run() -> None:
        over = asyncio.Event()
        tasks = []

        async def later() -> int:
            await over.wait()
            found: int = await Flavor.objects.acount()
            return found

        async def answer(request: HttpRequest) -> HttpResponse:
            tasks.append(asyncio.create_task(later()))
            await Category.objects.acount()
            return HttpResponse("")

        middleware: Any = TrafficMiddleware(answer)
        await middleware(HttpRequest())
        over.set()
        assert await tasks[0] == 4

    async_to_sync(run)()
    (found,) = recorder.totals.take().views
    assert [each.executions for each in found.queries] == [1]


def test_a_request_that_is_cancelled_is_cancelled_and_counted() -> None:
    async def run() -> None:
        begun = asyncio.Event()

        async def answer(request: HttpRequest) -> HttpResponse:
            await Category.objects.acount()
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        middleware: Any = TrafficMiddleware(answer)
        task = asyncio.create_task(middleware(HttpRequest()))
        await begun.wait()
        task.cancel("by the server")
        # Python 3.10 loses the word on the way through the first await, with or without us.
        word = "by the server" if sys.version_info >= (3, 11) else None
        with pytest.raises(asyncio.CancelledError, match=word):
            await task

    async_to_sync(run)()
    (found,) = recorder.totals.take().views
    assert (found.requests, found.failed_requests, found.executions) == (1, 1, 1)


# Streams, of real handlers.


def test_a_client_that_leaves_a_wsgi_stream_ends_it(settings: Any) -> None:
    closed: list[int] = []

    class Pieces:
        def __iter__(self) -> Iterator[str]:
            yield from (flavor.title for flavor in Flavor.objects.all())

        def close(self) -> None:
            closed.append(Category.objects.count())

    settings.ROOT_URLCONF = _urls(lambda request: StreamingHttpResponse(Pieces()))
    environ = RequestFactory().get("/")
    response: Any = WSGIHandler()(environ.environ, lambda *args: None)
    assert next(iter(response)) == b"flavor 0"
    response.close()
    assert len(closed) == 1
    (found,) = recorder.totals.take().views
    assert {each.phase for each in queries(found)} == {"streaming"}
    assert {each.how for each in queries(found)} == {"iteration", "count"}


def test_a_client_that_leaves_an_asgi_stream_ends_it(settings: Any) -> None:
    ended: list[str] = []

    async def pieces() -> AsyncIterator[str]:
        try:
            async for flavor in Flavor.objects.all():
                yield flavor.title
            await asyncio.Event().wait()
        finally:
            ended.append("pieces")

    async def answer(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(pieces())

    settings.ROOT_URLCONF = _urls(answer)

    async def run() -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
        communicator: Any = _communicator(ASGIHandler(), scope)
        await communicator.send_input({"type": "http.request", "body": b""})
        while not (await communicator.receive_output(30)).get("body"):
            pass
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(30)

    async_to_sync(run)()
    gc.collect()
    assert ended == ["pieces"]
    (found,) = recorder.totals.take().views
    assert found.requests == 1
    assert [each.how for each in queries(found)] == ["iteration"]


#: Without annotations, in asgiref.
_communicator: Any = ApplicationCommunicator


def _urls(answer: Any) -> Any:
    return (path("", answer),)


BUDGETS = (
    trails.budget, callsite._sites_budget, callsite._probes_budget, frames._budget, view_names._budget,
)  # fmt: skip


def _sizes(*roots: Any) -> int:
    """Bytes of all that these hold and nobody else would: the code that ran is there without us."""
    seen: dict[int, Any] = {}
    left = list(roots)
    while left:
        each = left.pop()
        if id(each) not in seen and not isinstance(each, (type, CodeType, FunctionType, ModuleType)):
            seen[id(each)] = each
            left.extend(gc.get_referents(each))
    return sum(map(sys.getsizeof, seen.values()))


@pytest.mark.parametrize("length", [10, 2_000])
def test_memory_is_bounded_whatever_is_asked(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """Texts, methods and addresses that never come again: bytes of them are bounded, not only numbers."""

    def answer(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            for number in range(10):
                cursor.execute(f'SELECT 1 AS "{request.path}{number}", 1 AS "{"é" * length}"')
        return HttpResponse("")

    for budget in BUDGETS:
        budget.clear()
        monkeypatch.setattr(budget, "most_bytes", 60_000)
    monkeypatch.setattr(recorder.totals, "most_keys", 60)
    held = []
    for number in range(40):
        request = RequestFactory().generic(f"ODD{number}", f"/{number}")
        request.resolver_match = resolve("/titles/", "kiosk")
        TrafficMiddleware(answer)(request)
        caches = [cache for budget in BUDGETS for cache in budget._caches]
        caches += [callsite._held_sites.data, callsite._held_probes.data]  # type: ignore[attr-defined]  # what it has inside
        held.append(_sizes(*caches, recorder.totals._views))
    assert max(held) < 4 * 60_000
    # And it is what is counted: not that nothing is kept.
    assert max(held) > 60_000
    assert sum(each.executions for each in recorder.totals.take().views) == 400


def test_one_request_holds_a_bounded_number_of_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_TALLIES", 5)

    def answer(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            for number in range(30):
                cursor.execute(f'SELECT 1 AS "{number}"')
        return HttpResponse("")

    TrafficMiddleware(answer)(RequestFactory().get("/"))
    (found,) = recorder.totals.take().views
    assert found.executions == 30
    assert sorted(each.executions for each in found.queries) == [1, 1, 1, 1, 1, 25]
    assert {each.fingerprint for each in found.queries if each.executions > 1} == {OTHER}


def test_a_block_adds_up_the_requests_within_it() -> None:
    """One by one they would take as much memory as there are requests."""
    middleware: Any = TrafficMiddleware(lambda request: HttpResponse(str(Flavor.objects.count())))
    with django_dbaudit.record() as outer, django_dbaudit.record() as inner:
        for _ in range(3):
            middleware(RequestFactory().get("/"))
        block = current.get()
        assert block is not None
        assert len(block.requests._views) == 1
    for traffic in (outer, inner):
        assert view(traffic, NO_VIEW).requests == 3
    assert recorder.totals.take().requests == 0
