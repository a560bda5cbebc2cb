"""What recording adds to a query, a queryset and a request, on a driver that does nothing.

    python benchmarks/recorder.py [ROUNDS]         default: 60

Each case runs bare and with us in turns, in one process; a figure is microseconds of CPU time, the
10th percentile of the rounds. The driver answers at once, so that nothing is measured but Django and
the recorder: on a real database the same microseconds are added to far more.
"""

from __future__ import annotations

import gc
import io
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import django  # noqa: E402  # the engine and the package lie beside
from django.conf import settings  # noqa: E402  # as above

#: Of one round.
TIMES = 200
OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"

settings.configure(
    DATABASES={"default": {"ENGINE": "nothing", "NAME": "nothing", "CONN_MAX_AGE": None}},
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="benchmark",
    DBAUDIT={"RECORD": False},
)
django.setup()

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest  # noqa: E402  # needs settings
from django.db import connection, models, transaction  # noqa: E402  # as above
from django.db.models.sql.compiler import SQLCompiler  # noqa: E402  # as above
from django.db.models.sql.constants import SINGLE  # noqa: E402  # as above
from django.http import HttpRequest, HttpResponse  # noqa: E402  # as above
from django.urls import path  # noqa: E402  # as above

from django_dbaudit.traffic import recorder  # noqa: E402  # as above

SQL = 'SELECT "thing"."id", "thing"."name" FROM "thing" WHERE "thing"."id" = %s LIMIT 21'


class Thing(models.Model):
    name = models.CharField(max_length=10)
    objects: Any = models.Manager()

    class Meta:
        app_label = "benchmark"

    def __str__(self) -> str:
        return self.name


class CompiledBefore(SQLCompiler):
    """A query of the ORM without the compiling, which would drown what is measured."""

    col_count = 2

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        return SQL, (7,)


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


def working(request: HttpRequest) -> HttpResponse:
    at_depth(todo[0], todo[1])
    return HttpResponse("")


#: What the view above does, and how deep in the stack.
todo: list[Any] = [0, None]
urlpatterns = [path("", empty), path("working", working)]


def cursor_queries() -> None:
    with connection.cursor() as cursor:
        for number in range(TIMES):
            cursor.execute(SQL, (number,))


def queries_in_atomic() -> None:
    with transaction.atomic():
        cursor_queries()


def queries_of_querysets() -> None:
    query = Thing.objects.all().query
    for _ in range(TIMES):
        CompiledBefore(query, connection, "default").execute_sql(SINGLE)


def querysets() -> None:
    for _ in range(TIMES):
        Thing.objects.all()


def blocks() -> None:
    for _ in range(TIMES):
        with transaction.atomic():
            pass


def requests(handler: WSGIHandler, times: int = TIMES, path: str = "/") -> None:
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "x", "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
    }  # fmt: skip
    for _ in range(times):
        handler.get_response(WSGIRequest(environ)).close()


def at_depth(depth: int, work: Callable[[], None]) -> None:
    if depth:
        at_depth(depth - 1, work)
    else:
        work()


def measured(work: Callable[[], None]) -> float:
    """Microseconds of each time."""
    # Once to warm up: a patched class makes the interpreter specialise anew.
    work()
    gc.collect()
    gc.disable()
    began = time.process_time_ns()
    work()
    took = time.process_time_ns() - began
    gc.enable()
    return took / 1000 / TIMES


def cases() -> list[tuple[str, Callable[[], None], Callable[[], None], float]]:
    bare_handler, our_handler = WSGIHandler(), WSGIHandler()
    settings.MIDDLEWARE = [OURS]
    settings.DBAUDIT = {}
    our_handler.load_middleware()
    found: list[tuple[str, Callable[[], None], Callable[[], None], float]] = [
        ("a query, idle", cursor_queries, cursor_queries, 0.5),
        ("a queryset, idle", querysets, querysets, 0.5),
        ("a request without queries", lambda: requests(bare_handler), lambda: requests(our_handler), 5),
    ]
    for name, work, bound in (
        ("a query", cursor_queries, 1.5),
        ("a query in atomic", queries_in_atomic, 1.5),
        ("a query of a queryset, with its lineage", queries_of_querysets, 6),
        ("a queryset", querysets, 6),
        ("an atomic block", blocks, 6),
    ):
        for depth in (8, 40):

            def run(handler: WSGIHandler, work: Callable[[], None] = work, depth: int = depth) -> None:
                todo[:] = depth, work
                requests(handler, 1, "/working")

            bare, ours = partial(run, bare_handler), partial(run, our_handler)
            found.append((f"{name}, depth {depth}", bare, ours, bound))
    return found


def main(rounds: int) -> None:
    connection.ensure_connection()
    figures: dict[str, tuple[list[float], list[float], float]] = {}
    todo_cases = cases()
    for _ in range(rounds):
        for name, bare, ours, bound in todo_cases:
            without, with_us, _ = figures.setdefault(name, ([], [], bound))
            recorder.uninstall()
            without.append(measured(bare))
            recorder.install()
            with_us.append(measured(ours))
    print(f"{'microseconds of CPU':<46} {'bare':>7} {'added':>7} {'bound':>6} {'ratio':>7}")
    for name, (without, with_us, bound) in figures.items():
        low, high = (sorted(each)[len(each) // 10] for each in (without, with_us))
        print(f"{name:<46} {low:>7.2f} {high - low:>+7.2f} {bound:>6.1f} {high / low:>6.2f}x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
