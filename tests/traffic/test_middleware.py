from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client

import django_dbaudit
import kiosk
from django_dbaudit.traffic import recorder, trouble
from django_dbaudit.traffic.facts import NO_VIEW, ViewTraffic
from django_dbaudit.traffic.middleware import TrafficMiddleware
from django_dbaudit.traffic.recording import current
from flavors.models import Category, Flavor
from recorded import queries, query, units, view

pytestmark = pytest.mark.django_db

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"


@pytest.fixture(autouse=True)
def kiosk_open(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = "kiosk"
    settings.MIDDLEWARE = [OURS]
    recorder.totals.take()
    trouble.rearm()
    yield
    assert current.get() is None


def get(path: str, times: int = 1, **kwargs: Any) -> tuple[Any, ViewTraffic]:
    """The response, and what was recorded of its view."""
    client = Client(raise_request_exception=False)
    for _ in range(times):
        response = client.get(path, **kwargs)
    (found,) = recorder.totals.take().views
    return response, found


def get_async(path: str) -> tuple[Any, ViewTraffic]:
    client: Any = AsyncClient(raise_request_exception=False)
    response = async_to_sync(client.get)(path)
    (found,) = recorder.totals.take().views
    return response, found


def phases(found: ViewTraffic) -> dict[str, set[str]]:
    """What was done in each phase."""
    return {phase: {each.how for each in queries(found, phase=phase)} for phase in PHASES & of(found)}


def of(found: ViewTraffic) -> set[str]:
    return {each.phase for each in found.queries}


PHASES = {
    "middleware", "view", "template", "renderer", "streaming", "after-response", "on-commit", "block",
}  # fmt: skip


# Names.


@pytest.mark.parametrize(
    ("path", "name", "route"),
    [
        ("/empty/", "kiosk.empty", "empty/"),
        ("/titles/5/", "kiosk.empty", "titles/<int:number>/"),
        ("/menu/", "kiosk.Menu", "menu/"),
        ("/api/", "kiosk.MenuViewSet#list", "api/"),
        ("/api/cheapest/", "kiosk.MenuViewSet#cheapest", "api/cheapest/"),
        ("/nowhere/", NO_VIEW, ""),
    ],
)
def test_a_view_is_known_by_its_name_method_and_route(
    flavors: list[Flavor], path: str, name: str, route: str
) -> None:
    _, found = get(path)
    assert (found.view, found.method, found.route, found.requests) == (name, "GET", route, 1)


def test_a_method_that_a_client_made_up_is_no_key_of_its_own() -> None:
    for method in ("BREW", "WHEN"):
        Client().generic(method, "/empty/")
    (found,) = recorder.totals.take().views
    assert (found.method, found.requests) == ("(other)", 2)


# What was answered.


def test_the_response_is_the_view_s(flavors: list[Flavor]) -> None:
    response, found = get("/titles/", times=3)
    assert response.content == b"flavor 0, flavor 1, flavor 2, flavor 3"
    assert (found.requests, found.executions, found.most_executions) == (3, 3, 1)
    assert (query(found).requests, query(found).executions, query(found).requests_with_2) == (3, 3, 0)
    assert found.failed_requests == 0
    assert 0 < found.query_microseconds < found.microseconds


def test_an_exception_of_the_view_is_django_s_to_answer(flavors: list[Flavor]) -> None:
    response, found = get("/broken/")
    assert response.status_code == 500
    assert (found.failed_requests, query(found).how) == (1, "count")
    with pytest.raises(ArithmeticError):
        Client().get("/broken/")


def test_an_exception_that_passes_the_middleware_passes() -> None:
    error = KeyboardInterrupt()

    def view(request: HttpRequest) -> HttpResponse:
        raise error

    with pytest.raises(KeyboardInterrupt) as raised:
        TrafficMiddleware(view)(HttpRequest())
    assert raised.value is error
    (found,) = recorder.totals.take().views
    assert (found.view, found.failed_requests) == (NO_VIEW, 1)


def test_an_error_of_ours_is_told_once_and_the_request_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, flavors: list[Flavor]
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError

    client = Client()
    client.get("/empty/")
    monkeypatch.setattr(recorder, "deliver", broken)
    monkeypatch.setattr(recorder, "ensure", broken)
    for path in ("/titles/", "/stream/", "/nowhere/"):
        response = client.get(path)
        # To its end: the client closes a stream itself.
        b"".join(response) if response.streaming else response.content
    (told,) = [each for each in caplog.records if each.name == "django_dbaudit.traffic"]
    assert told.exc_info
    assert told.exc_info[0] is ZeroDivisionError


# Phases.


def test_a_request_without_a_query_has_none(flavors: list[Flavor]) -> None:
    _, found = get("/empty/")
    assert (found.requests, found.executions, found.queries, found.querysets) == (1, 0, (), ())


def test_middleware_and_view(settings: Any, flavors: list[Flavor]) -> None:
    settings.MIDDLEWARE = [OURS, "kiosk.Before"]
    _, found = get("/titles/")
    assert phases(found) == {"middleware": {"cursor", "exists"}, "view": {"iteration"}}


def test_a_line_of_the_template(flavors: list[Flavor]) -> None:
    _, found = get("/template/")
    assert phases(found) == {"template": {"iteration", "relation"}}
    relation = query(found, how="relation")
    assert (relation.site.kind, relation.site.path, relation.site.line) == (
        "template",
        "<unknown source>",
        3,
    )
    assert relation.executions == 4
    assert query(found, how="iteration").site.line == 1


def test_a_template_that_is_rendered_after_the_view(flavors: list[Flavor]) -> None:
    _, found = get("/late-template/")
    assert set(phases(found)) == {"template"}
    assert query(found).how == "bool", query(found)


def test_on_commit(transactional_db: None) -> None:
    _, found = get("/committing/")
    assert phases(found) == {"view": {"create"}, "on-commit": {"update"}}
    assert [(unit.kind, unit.phase) for unit in units(found)] == [
        ("atomic", "view"),
        ("autocommit", "on-commit"),
    ]


def test_receivers_of_request_finished_come_after_the_response(flavors: list[Flavor]) -> None:
    def receiver(**_: object) -> None:
        Category.objects.exists()

    request_finished.connect(receiver)
    try:
        # Loaded when the application starts, after the receivers of its apps.
        _, found = get("/titles/")
        assert phases(found) == {"view": {"iteration"}, "after-response": {"exists"}}
        assert found.requests == 1
    finally:
        request_finished.disconnect(receiver)


# Streams.


def test_a_stream_is_counted_while_it_is_sent(flavors: list[Flavor]) -> None:
    response = Client().get("/stream/")
    assert b"".join(response) == b"gelatosorbetgelatosorbet"
    response.close()
    (found,) = recorder.totals.take().views
    assert phases(found) == {"view": {"count"}, "streaming": {"iteration", "relation", "exists"}}
    assert (found.requests, query(found, how="relation").executions) == (1, 4)


def test_a_stream_that_the_client_leaves_is_counted_as_far_as_it_went(flavors: list[Flavor]) -> None:
    response = Client().get("/stream/")
    next(iter(response))
    response.close()
    (found,) = recorder.totals.take().views
    assert query(found, how="relation").executions == 1
    assert query(found, how="exists").phase == "streaming"


def test_a_stream_that_nobody_reads_is_a_request(flavors: list[Flavor]) -> None:
    Client().get("/stream/").close()
    (found,) = recorder.totals.take().views
    assert (found.requests, found.executions) == (1, 1)


def test_between_two_pieces_nothing_is_recorded(flavors: list[Flavor]) -> None:
    response = Client().get("/stream/")
    pieces = iter(response)
    next(pieces)
    assert current.get() is None
    list(pieces)
    response.close()


def test_a_file_is_left_to_the_server(flavors: list[Flavor]) -> None:
    response: Any = TrafficMiddleware(kiosk.file)(HttpRequest())
    assert response.file_to_stream is not None
    response.close()
    (found,) = recorder.totals.take().views
    assert queries(found, how="count")


# Asynchronously.


@pytest.mark.django_db(transaction=True)
def test_an_async_view_is_recorded_with_its_lines(committed_flavors: list[Flavor]) -> None:
    response, found = get_async("/titles-async/")
    assert response.content == b"flavor 0, flavor 1, flavor 2, flavor 3"
    assert {each.how: each.site.function for each in found.queries} == {
        "get": "titles_async",
        "iteration": "titles_async",
        "save": "titles_async",
    }
    assert of(found) == {"view"}
    source = kiosk.titles_async.__code__.co_firstlineno
    assert {each.how: each.site.line - source for each in found.queries} == {
        "get": 1,
        "iteration": 2,
        "save": 3,
    }


@pytest.mark.django_db(transaction=True)
def test_a_sync_view_under_asgi(committed_flavors: list[Flavor], settings: Any) -> None:
    settings.MIDDLEWARE = [OURS, "kiosk.Before"]
    _, found = get_async("/titles/")
    assert phases(found) == {"middleware": {"cursor", "exists"}, "view": {"iteration"}}


@pytest.mark.django_db(transaction=True)
def test_an_async_stream(committed_flavors: list[Flavor]) -> None:
    async def consume() -> bytes:
        client: Any = AsyncClient()
        response = await client.get("/stream-async/")
        return b"".join([piece async for piece in response])

    assert async_to_sync(consume)() == b"gelatosorbetgelatosorbet"
    (found,) = recorder.totals.take().views
    assert phases(found) == {"view": {"count"}, "streaming": {"iteration"}}


@pytest.mark.django_db(transaction=True)
def test_a_sync_stream_under_asgi(committed_flavors: list[Flavor]) -> None:
    async def consume() -> bytes:
        client: Any = AsyncClient()
        response = await client.get("/stream/")
        with pytest.warns(Warning, match="synchronous iterators"):
            return b"".join([piece async for piece in response])

    assert async_to_sync(consume)() == b"gelatosorbetgelatosorbet"
    (found,) = recorder.totals.take().views
    assert query(found, how="relation").phase == "streaming"


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_time_are_told_apart(committed_flavors: list[Flavor]) -> None:
    async def both() -> None:
        clients: list[Any] = [AsyncClient() for _ in range(4)]
        await asyncio.gather(*(client.get("/titles-async/") for client in clients))

    async_to_sync(both)()
    (found,) = recorder.totals.take().views
    assert (found.requests, found.executions, found.most_executions) == (4, 12, 3)


def test_no_thread_is_needed_where_the_server_is_async() -> None:
    import threading

    async def view(request: HttpRequest) -> HttpResponse:
        seen.append(threading.get_ident())
        return HttpResponse("")

    seen: list[int] = []

    async def serve() -> None:
        seen.append(threading.get_ident())
        middleware: Any = TrafficMiddleware(view)
        await middleware(HttpRequest())

    async_to_sync(serve)()
    assert len(set(seen)) == 1


# Within a block, and the other way round.


def test_requests_within_a_block_are_told_by_their_views(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        Category.objects.count()
        Client().get("/titles/")
    assert view(traffic, "kiosk.titles").executions == 1
    assert query(view(traffic)).how == "count"
    assert recorder.totals.take().views == ()


# Nothing is held.


def held(wrap: Any, *, collect: bool) -> list[bool]:
    """Whether request and response are still there once nobody needs them."""
    references: list[Any] = []

    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse(str(list(Flavor.objects.all())))
        references.extend((weakref.ref(request), weakref.ref(response)))
        return response

    gc.disable()
    try:
        wrap(view)(HttpRequest())
        if collect:
            gc.collect()
        return [each() is not None for each in references]
    finally:
        gc.enable()


def test_nothing_is_held_of_request_and_response(flavors: list[Flavor]) -> None:
    assert held(TrafficMiddleware, collect=True) == [False, False]


def test_no_cycle_of_ours_keeps_them_until_a_collection(flavors: list[Flavor]) -> None:
    without_us = held(lambda view: view, collect=False)
    assert held(TrafficMiddleware, collect=False) == without_us


# Settings.


def test_switched_off_it_is_not_there(settings: Any) -> None:
    settings.DBAUDIT = {"RECORD": False}
    with pytest.raises(MiddlewareNotUsed):
        TrafficMiddleware(kiosk.empty)


def test_a_wrong_setting_is_an_error_at_start_that_names_the_key(settings: Any) -> None:
    settings.DBAUDIT = {"RECORD": "yes"}
    with pytest.raises(ImproperlyConfigured, match=r"^DBAUDIT\['RECORD'\] is 'yes'; it must be True or"):
        TrafficMiddleware(kiosk.empty)


ALONE = """
import sys
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django_dbaudit"], SECRET_KEY="x")
django.setup()
from django.db.models.sql.query import Query
print(Query.__init__.__module__, "django_dbaudit.traffic.recorder" in sys.modules)
"""


def test_django_is_left_as_it_is_where_the_middleware_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["django.db.models.sql.query", "False"]
