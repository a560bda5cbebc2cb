"""Views that do what an observer may stumble over; a URLconf of their own."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, connections, models, transaction
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.test import Client
from django.urls import path
from django.utils.functional import SimpleLazyObject, lazystr

from flavors.models import Category, Flavor

#: Characters of a statement that is long.
TEN_MEGABYTES = 10_000_000


def select(sql: str, params: Any = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()


def told(value: object) -> HttpResponse:
    return HttpResponse(repr(value))


def raises(request: HttpRequest) -> HttpResponse:
    Flavor.objects.count()
    raise ArithmeticError("of the view")


def not_found(request: HttpRequest) -> HttpResponse:
    raise Http404


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def no_response(request: HttpRequest) -> None:
    Flavor.objects.count()


def database_error(request: HttpRequest) -> HttpResponse:
    select("SELECT nothing FROM nowhere")
    raise AssertionError


def error_in_atomic(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            Category.objects.create(name="first")
            select("SELECT 1 / 0")
    except DatabaseError as error:
        return told((type(error), Category.objects.filter(name="first").exists()))
    raise AssertionError


def masked_integrity_error(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        flavor = Flavor.objects.all()[0]
        try:
            with transaction.atomic():
                Flavor.objects.create(pk=flavor.pk, title="again", price=1, category=flavor.category)
        except IntegrityError as error:
            return told((type(error), type(error.__cause__).__name__, Flavor.objects.count()))
    raise AssertionError


def broken_transaction(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        try:
            select("SELECT 1 / 0")
        except DatabaseError:
            Flavor.objects.count()
    raise AssertionError


def recursion(request: HttpRequest) -> HttpResponse:
    deepest = 0

    def down(depth: int) -> None:
        nonlocal deepest
        deepest = depth
        # At every depth a queryset, so that the stack is full in the midst of what we do, too.
        Flavor.objects.filter(pk=depth)
        with transaction.atomic(durable=False):
            down(depth + 1)

    try:
        down(0)
    except RecursionError:
        return told(deepest > 10)
    raise AssertionError


def endless_recursion(request: HttpRequest) -> HttpResponse:
    Flavor.objects.count()
    return endless_recursion(request)


def recursive_queries(request: HttpRequest) -> HttpResponse:
    def down(depth: int) -> int:
        try:
            return down(depth + 1)
        except RecursionError:
            # One frame more of the stack at each attempt.
            found: int = Category.objects.count()
            return found

    return told(down(0))


def long_sql(request: HttpRequest) -> HttpResponse:
    return told(select(f"SELECT length('{'x' * TEN_MEGABYTES}')"))


def long_parameter(request: HttpRequest) -> HttpResponse:
    return told(select("SELECT length(%s)", ["x" * TEN_MEGABYTES]))


def many_parameters(request: HttpRequest) -> HttpResponse:
    return told(Flavor.objects.filter(pk__in=range(20_000)).count())


def nul(request: HttpRequest) -> HttpResponse:
    try:
        Flavor.objects.filter(title="a\x00b").count()
    except ValueError as error:
        return told(str(error))
    return told(None)


def surrogate(request: HttpRequest) -> HttpResponse:
    try:
        select("SELECT '\ud800'")
    except UnicodeError as error:
        return told(type(error))
    raise AssertionError


def odd_characters(request: HttpRequest) -> HttpResponse:
    texts = ["SELECT 100 % 7", "SELECT '\u2028\x01\x1a'", "/* ' */ SELECT 1 -- '", "SELECT $q$%s$q$", ";"]
    return told([select(text) for text in texts[:-1]])


def percent(request: HttpRequest) -> HttpResponse:
    return told([select("SELECT '100%%', %s", [1]), select("SELECT %(a)s", {"a": "%s"})])


class Spoilt(str):
    """A text whose own methods are not to be trusted."""

    __slots__ = ()

    def __hash__(self) -> int:
        raise AssertionError("hashed")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")


def text_of_another_class(request: HttpRequest) -> HttpResponse:
    return told(select(Spoilt("SELECT 1")))


class Untouchable:
    """A parameter that may be adapted by the driver alone."""

    def __hash__(self) -> int:
        raise AssertionError("hashed")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __conform__(self, protocol: object) -> Any:
        raise LookupError("adapted")

    def __bool__(self) -> bool:
        raise AssertionError("taken for true or false")


def odd_parameter(request: HttpRequest) -> HttpResponse:
    try:
        select("SELECT %s", [Untouchable()])
    except Exception as error:  # noqa: BLE001  # which one depends on the driver
        return told(type(error))
    raise AssertionError


def lazies(request: HttpRequest) -> HttpResponse:
    evaluated: list[int] = []
    request.user = SimpleLazyObject(lambda: evaluated.append(1))  # type: ignore[assignment]  # as Django does
    title = SimpleLazyObject(lambda: evaluated.append(2))
    unused = Flavor.objects.filter(title=title)
    found = Flavor.objects.filter(title=lazystr("flavor 1")).count()
    return told((evaluated, unused._result_cache, found))


def generated_content(request: HttpRequest) -> HttpResponse:
    return HttpResponse(flavor.title for flavor in Flavor.objects.order_by("title"))


def in_threads(request: HttpRequest) -> HttpResponse:
    counts: list[int] = []

    def count() -> None:
        counts.append(Category.objects.count())
        connection.close()

    threads = [
        threading.Thread(target=count),
        threading.Thread(target=contextvars.copy_context().run, args=(count,)),
    ]
    for thread in threads:
        thread.start()
        thread.join()
    return told(counts)


def in_an_empty_context(request: HttpRequest) -> HttpResponse:
    """As a greenlet has it."""
    return told(contextvars.Context().run(Flavor.objects.count))


def closing(request: HttpRequest) -> HttpResponse:
    before = Flavor.objects.count()
    connection.close()
    between = Flavor.objects.count()
    connections.close_all()
    return told((before, between, Flavor.objects.count()))


def closing_in_atomic(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Category.objects.create(name="lost")
        connection.close()
    return told(Category.objects.filter(name="lost").exists())


def unknown_alias(request: HttpRequest) -> HttpResponse:
    return told(Flavor.objects.using("nowhere").count())


def atomic_of_unknown_alias(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using="nowhere"):
        raise AssertionError


def vanishing_alias(request: HttpRequest) -> HttpResponse:
    connections.databases["passing"] = {**connections.databases["default"]}
    try:
        found = Flavor.objects.using("passing").count()
        later = Flavor.objects.using("passing").all()
    finally:
        connections["passing"].close()
        del connections["passing"]
        del connections.databases["passing"]
    try:
        list(later)
    except Exception as error:  # noqa: BLE001  # Django's, whichever it is
        return told((found, type(error)))
    raise AssertionError


def manual_transaction(request: HttpRequest) -> HttpResponse:
    connection.set_autocommit(False)
    try:
        Category.objects.create(name="kept")
        connection.commit()
        Category.objects.create(name="given up")
        connection.rollback()
    finally:
        connection.set_autocommit(True)
    return told(sorted(Category.objects.values_list("name", flat=True)))


def view_in_a_view(request: HttpRequest) -> HttpResponse:
    response = Client().get("/generated_content/")
    return HttpResponse(response.content + generated_content(request).content)


def failing_view_in_a_view(request: HttpRequest) -> HttpResponse:
    return told(Client(raise_request_exception=False).get("/raises/").status_code)


def wrong_pop(request: HttpRequest) -> HttpResponse:
    """What django-zen-queries does, when another wrapper was put in between."""
    connection.execute_wrappers.append(lambda execute, *args: execute(*args))
    first = Flavor.objects.count()
    for _ in range(len(connection.execute_wrappers)):
        connection.execute_wrappers.pop()
    second = Flavor.objects.count()
    connection.execute_wrappers = []
    return told((first, second, Flavor.objects.count()))


def copies(request: HttpRequest) -> HttpResponse:
    queryset = Flavor.objects.filter(price__gt=1).select_related("category").order_by("title")
    lists = [
        list(each)
        for each in (
            copy.copy(queryset), copy.deepcopy(queryset), pickle.loads(pickle.dumps(queryset)),
            queryset.all(),
        )
    ]  # fmt: skip
    restored = Flavor.objects.all()
    restored.query = pickle.loads(pickle.dumps(queryset.query))
    return told([*lists, list(restored), queryset._result_cache])


class Loud(models.QuerySet[Flavor]):
    """With methods over those that we replace, and state of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard: list[str] = []

    def _clone(self) -> Any:
        clone: Any = super()._clone()  # type: ignore[misc]  # Django's, and overridden far and wide
        clone.heard = self.heard
        return clone

    def __iter__(self) -> Any:
        self.heard.append("iter")
        return super().__iter__()

    def count(self) -> int:
        self.heard.append("count")
        return super().count()

    def __len__(self) -> int:
        self.heard.append("len")
        return super().__len__()


def subclasses(request: HttpRequest) -> HttpResponse:
    loud = Loud(Flavor).filter(price__gt=0)
    answers = (loud.count(), len(loud), len(list(loud)), bool(loud), loud.exists(), loud[0].pk > 0)
    again = Flavor.objects.from_queryset if hasattr(Flavor.objects, "from_queryset") else None
    return told((answers, loud.heard, again is None))


class Times:
    """How often a stream was closed."""

    closed = 0


class ClosedOnce:
    """An iterable whose ``close`` may be called only once, as that of a pooled file."""

    def __iter__(self) -> Iterator[str]:
        yield from (flavor.title for flavor in Flavor.objects.order_by("title"))

    def close(self) -> None:
        Times.closed += 1


def stream(request: HttpRequest) -> StreamingHttpResponse:
    Times.closed = 0
    return StreamingHttpResponse(ClosedOnce())


def failing_stream(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[str]:
        yield "first"
        Flavor.objects.count()
        raise ArithmeticError("of the stream")

    return StreamingHttpResponse(pieces())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(__file__, "rb"))  # the response closes it


def spoilt_request(request: HttpRequest) -> HttpResponse:
    request.resolver_match = object()  # type: ignore[assignment]  # that is the mischief
    request.method = None
    return told(Flavor.objects.count())


def spoilt_response(request: HttpRequest) -> HttpResponseBase:
    Flavor.objects.count()
    response = HttpResponse("as it is", status=299, reason="Mischief", headers={"X-Left": "alone"})
    response.set_cookie("taste", "sweet")
    return response


def json(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"flavors": [*Flavor.objects.values_list("title", flat=True).order_by("title")]})


async def tasks(request: HttpRequest) -> HttpResponse:
    counts = await asyncio.gather(
        Flavor.objects.acount(),
        sync_to_async(Category.objects.count)(),
        in_a_task(),
        return_exceptions=True,
    )
    return told(counts)


async def in_a_task() -> int:
    async def nested() -> int:
        found: int = await Category.objects.acount()
        return found

    # In an empty context, which is copied by the task when it is made.
    return await contextvars.Context().run(asyncio.create_task, nested())


async def cancelled(request: HttpRequest) -> HttpResponse:
    task = asyncio.create_task(asyncio.Event().wait())
    await Flavor.objects.acount()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return told(task.cancelled())


async def raises_async(request: HttpRequest) -> HttpResponse:
    await Flavor.objects.acount()
    raise ArithmeticError("of the view")


async def stream_async(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[str]:
        async for flavor in Flavor.objects.order_by("title"):
            yield flavor.title

    return StreamingHttpResponse(pieces())


SYNC: tuple[Callable[[HttpRequest], Any], ...] = (
    raises, not_found, forbidden, no_response, database_error, error_in_atomic, masked_integrity_error,
    broken_transaction, recursion, endless_recursion, recursive_queries, long_sql, long_parameter,
    many_parameters, nul, surrogate, odd_characters, percent, text_of_another_class, odd_parameter, lazies,
    generated_content, in_threads, in_an_empty_context, closing, closing_in_atomic, unknown_alias,
    atomic_of_unknown_alias, vanishing_alias, manual_transaction, view_in_a_view, failing_view_in_a_view,
    wrong_pop, copies, subclasses, stream, failing_stream, file, spoilt_request, spoilt_response, json,
)  # fmt: skip
ASYNC: tuple[Callable[[HttpRequest], Any], ...] = (tasks, cancelled, raises_async, stream_async)

urlpatterns = [path(f"{view.__name__}/", view) for view in (*SYNC, *ASYNC)]
