"""One variant of `traffic`, in a process of its own: answers requests, and says what they cost.

Reads lines ``CASE`` and writes nanoseconds of CPU time a request; ``memory REQUESTS`` gives kilobytes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import io
import json
import logging
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import django  # noqa: E402  # the package lies beside
from django.conf import settings  # noqa: E402  # as above

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"

#: What each variant adds to the settings, and the module that has to be there.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "bare": ("", {}),
    "bare again": ("", {}),
    "ours, idle": ("", {}),
    "ours, no lineage": ("", {"MIDDLEWARE": [OURS]}),
    "ours": ("", {"MIDDLEWARE": [OURS]}),
    "ours, kept": ("", {
        "MIDDLEWARE": [OURS], "INSTALLED_APPS": ["django_dbaudit"], "DBAUDIT": {"FLUSH_SECONDS": 1},
    }),
    "ours, store down": ("", {
        "MIDDLEWARE": [OURS], "INSTALLED_APPS": ["django_dbaudit"],
        "DBAUDIT": {"FLUSH_SECONDS": 1, "STORE": "down"},
    }),
    "zeal": ("zeal", {
        "INSTALLED_APPS": ["zeal"], "MIDDLEWARE": ["zeal.middleware.zeal_middleware"], "ZEAL_RAISE": False,
    }),
    "debug-toolbar (SQL)": ("debug_toolbar", {
        "INSTALLED_APPS": ["django.contrib.staticfiles", "debug_toolbar"], "STATIC_URL": "static/",
        "MIDDLEWARE": ["debug_toolbar.middleware.DebugToolbarMiddleware"],
        "DEBUG_TOOLBAR_PANELS": ["debug_toolbar.panels.sql.SQLPanel"],
        "DEBUG_TOOLBAR_CONFIG": {"SHOW_TOOLBAR_CALLBACK": lambda request: True},
    }),
    "silk": ("silk", {
        "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.sessions", "silk"],
        "MIDDLEWARE": ["silk.middleware.SilkyMiddleware"],
    }),
    "queryinspect": ("qinspect", {
        "INSTALLED_APPS": ["qinspect"], "MIDDLEWARE": ["qinspect.middleware.QueryInspectMiddleware"],
        "DEBUG": True, "QUERY_INSPECT_ENABLED": True,
    }),
    "query-doctor": ("query_doctor", {
        "INSTALLED_APPS": ["query_doctor"], "MIDDLEWARE": ["query_doctor.middleware.QueryDoctorMiddleware"],
    }),
    "xbench": ("django_xbench", {"MIDDLEWARE": ["django_xbench.middleware.XBenchMiddleware"]}),
    "OpenTelemetry": ("opentelemetry.instrumentation.django", {}),
    "Sentry": ("sentry_sdk", {}),
}  # fmt: skip


def configure(variant: str) -> None:
    url = urlsplit(os.environ["DATABASE_URL"])
    base: dict[str, Any] = {
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "HOST": url.hostname,
                "PORT": url.port, "USER": unquote(url.username or ""),
                "PASSWORD": unquote(url.password or ""),
                "CONN_MAX_AGE": None,
            }
        },
        "INSTALLED_APPS": ["django.contrib.contenttypes", "shelf"],
        "MIDDLEWARE": [],
        "ROOT_URLCONF": "shelf.urls",
        "ALLOWED_HOSTS": ["*"],
        "SECRET_KEY": "benchmark",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "LOGGING_CONFIG": None,
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
    }  # fmt: skip
    added = dict(VARIANTS[variant][1])
    # Nobody listens at this port.
    base["DATABASES"]["down"] = {**base["DATABASES"]["default"], "HOST": "127.0.0.1", "PORT": 1}
    base["INSTALLED_APPS"] += added.pop("INSTALLED_APPS", [])
    settings.configure(**base | added)
    # Written to nowhere, as in a project whose handler is cheap.
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    logging.disable(logging.NOTSET)
    _before(variant)
    django.setup()


def _before(variant: str) -> None:
    """What has to be done before Django is set up."""
    if variant == "Sentry":
        import sentry_sdk
        from sentry_sdk.transport import Transport

        class Nowhere(Transport):
            def capture_envelope(self, envelope: Any) -> None:
                pass

        sentry_sdk.init(dsn="http://key@127.0.0.1/1", transport=Nowhere, traces_sample_rate=1.0)
    elif variant == "OpenTelemetry":
        from opentelemetry import trace
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

        class ToNowhere(SpanExporter):
            def export(self, spans: Any) -> Any:
                return SpanExportResult.SUCCESS

        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ToNowhere()))
        trace.set_tracer_provider(provider)
        DjangoInstrumentor().instrument()
        PsycopgInstrumentor().instrument()


def prepare() -> None:
    """The tables, and what is in them; the same whichever variant comes first."""
    from django.core.management import call_command
    from shelf.models import Author, Book

    call_command("migrate", run_syncdb=True, verbosity=0)
    if not Author.objects.exists():
        Author.objects.bulk_create(Author(name=f"author {number}") for number in range(200))
        Book.objects.bulk_create(
            Book(title=f"book {number}", author_id=number % 200 + 1) for number in range(1000)
        )


class Site:
    """A handler, and requests to it."""

    def __init__(self) -> None:
        from django.core.handlers.wsgi import WSGIHandler

        self.handler = WSGIHandler()
        self.path = "/"

    def ask(self, path: str) -> None:
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "x", "SERVER_PORT": "80",
            "QUERY_STRING": "", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
        }  # fmt: skip
        response: Any = self.handler(environ, lambda *args: None)
        for _ in response:
            pass
        response.close()

    def cost(self, case: str) -> int:
        """Nanoseconds of CPU time that a request takes this process."""
        from shelf.urls import CASES

        number, times = list(CASES).index(case), CASES[case][1]
        path = f"/{number}/"
        gc.collect()
        began = time.process_time_ns()
        for _ in range(times):
            self.ask(path)
        return (time.process_time_ns() - began) // times


def resident() -> int:
    """Kilobytes of this process in memory now."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def memory(site: Site, requests: int) -> list[dict[str, int]]:
    """Of requests whose path and SQL never come again, ten times on the way."""
    from django.db import connection
    from django.http import HttpRequest, HttpResponse
    from django.urls import path
    from shelf import urls
    from shelf.models import Author

    def odd(request: HttpRequest, number: int) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT 1 AS "column {number}"')
            cursor.execute(f"SELECT name FROM shelf_author WHERE id = {number}")
        list(Author.objects.extra(select={f"odd_{number}": "1"})[:1])
        return HttpResponse("")

    urls.urlpatterns.append(path("odd/<int:number>/", odd))
    found = []
    for number in range(requests):
        site.ask(f"/odd/{number}/" if number % 2 else f"/nowhere/{number}/")
        if (number + 1) % (requests // 10) == 0:
            gc.collect()
            objects = len(gc.get_objects())
            found.append({"requests": number + 1, "resident": resident(), "objects": objects})
    return found


def main(variant: str) -> None:
    module = VARIANTS[variant][0]
    with contextlib.suppress(ModuleNotFoundError):
        if module and importlib.util.find_spec(module) is None:
            module = ""
    configure(variant)
    prepare()
    site = Site()
    if variant.startswith("ours"):
        from django_dbaudit.traffic import patches, recorder

        site.ask("/0/")
        recorder.install()
        if variant == "ours, no lineage":
            patches.uninstall()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    # Some of them print.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    print("ready", file=answers)
    for line in sys.stdin:
        case = line.strip()
        if case.startswith("memory "):
            print(json.dumps(memory(site, int(case.split()[1]))), file=answers)
        else:
            print(site.cost(case), file=answers)


if __name__ == "__main__":
    main(sys.argv[1])
