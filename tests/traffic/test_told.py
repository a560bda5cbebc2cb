"""What is told of a request: a header for whom it is meant, a record for whoever listens."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

import kiosk
from django_dbaudit.checks import check_setting
from django_dbaudit.traffic import recorder
from django_dbaudit.traffic.facts import ViewTraffic
from flavors.models import Category

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"
WITH_USERS = [
    OURS,
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
#: https://www.w3.org/TR/server-timing/#the-server-timing-header-field
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
METRIC = rf'{TOKEN}(;{TOKEN}=({TOKEN}|"[^"\\]*"))*'
GRAMMAR = re.compile(rf"{METRIC}(\s*,\s*{METRIC})*")

pytestmark = pytest.mark.django_db


def twice_timed(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"Server-Timing": 'cache;desc="hit"'})


def knows_user(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user))


def ignores_user(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("timed/", twice_timed),
    path("knows/", knows_user),
    path("ignores/", ignores_user),
    *kiosk.urlpatterns,
]


@pytest.fixture(autouse=True)
def kiosk_open(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [OURS]
    recorder.totals.take()
    yield
    recorder.totals.take()


def get(path: str, client: Client | None = None) -> Any:
    return (client or Client(raise_request_exception=False)).get(path)


def counted() -> ViewTraffic:
    (found,) = recorder.totals.take().views
    return found


# The header


def test_nobody_gets_the_header_unless_it_is_asked_for() -> None:
    assert "Server-Timing" not in get("/titles/").headers


@pytest.mark.parametrize("path", ["/empty/", "/titles/", "/committing/", "/stream/", "/nowhere/", "/file/"])
def test_the_header_is_what_its_grammar_says(settings: Any, path: str) -> None:
    settings.DBAUDIT = {"SERVER_TIMING": "all"}
    response = get(path)
    assert GRAMMAR.fullmatch(response.headers["Server-Timing"]), response.headers["Server-Timing"]
    response.close()


def test_the_header_counts_what_was_asked(settings: Any) -> None:
    settings.DBAUDIT = {"SERVER_TIMING": "all"}
    found = re.fullmatch(
        r'db;dur=([0-9.]+);desc="1 query, 0 writes", total;dur=([0-9.]+);desc="[a-z ]+"',
        get("/titles/").headers["Server-Timing"],
    )
    assert found
    assert 0 <= float(found[1]) <= float(found[2])


def test_what_the_view_says_itself_stays(settings: Any) -> None:
    settings.DBAUDIT = {"SERVER_TIMING": "all"}
    header = get("/timed/").headers["Server-Timing"]
    assert header.startswith('cache;desc="hit", db;dur=')
    assert GRAMMAR.fullmatch(header)


def test_under_asgi_too(settings: Any, flavors: list[Any]) -> None:
    settings.DBAUDIT = {"SERVER_TIMING": "all"}
    client: Any = AsyncClient()
    assert (
        'desc="3 queries, 1 write"' in async_to_sync(client.get)("/titles-async/").headers["Server-Timing"]
    )


@pytest.mark.parametrize(
    ("audience", "who", "path", "is_told"),
    [
        ("users", None, "/knows/", False),
        ("users", "user", "/knows/", True),
        ("staff", "user", "/knows/", False),
        ("staff", "staff", "/knows/", True),
        ("staff", None, "/knows/", False),
        # Nobody has asked who it is, and neither do we.
        ("users", "staff", "/ignores/", False),
        ("all", None, "/ignores/", True),
    ],
)
def test_the_header_is_for_those_it_is_meant_for(
    settings: Any, audience: str, who: str | None, path: str, is_told: bool
) -> None:
    settings.MIDDLEWARE = WITH_USERS
    client = Client()
    if who:
        user = get_user_model().objects.create_user("gelatiere", is_staff=who == "staff")
        client.force_login(user)
    settings.DBAUDIT = {"SERVER_TIMING": "nobody"}
    get(path, client)
    bare = counted()
    settings.DBAUDIT = {"SERVER_TIMING": audience}
    again = Client()  # which loads the middleware anew
    again.cookies = client.cookies
    assert ("Server-Timing" in get(path, again).headers) is is_told
    assert counted().executions == bare.executions, "it asks the database nothing"


# The log


def logged(caplog: pytest.LogCaptureFixture, path: str) -> logging.LogRecord:
    with caplog.at_level(logging.INFO, logger="django_dbaudit.traffic"):
        get(path).close()
    (record,) = [each for each in caplog.records if each.name == "django_dbaudit.traffic"]
    return record


def test_nothing_is_logged_where_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="django_dbaudit.traffic"):
        get("/titles/")
    assert caplog.records == []


def test_a_request_is_one_record(caplog: pytest.LogCaptureFixture) -> None:
    Category.objects.create(name="gelato")
    recorder.totals.take()
    record = logged(caplog, "/titles/")
    fields = {
        name: getattr(record, name)
        for name in (
            "view", "method", "route", "status", "queries", "writes", "duplicates", "most_repeated",
            "commits",
        )
    }  # fmt: skip
    assert fields == {
        "view": "kiosk.titles",
        "method": "GET",
        "route": "titles/",
        "status": 200,
        "queries": 1,
        "writes": 0,
        "duplicates": 0,
        "most_repeated": 1,
        "commits": 0,
    }
    assert re.fullmatch(r".*kiosk\.py:[0-9]+", record.most_repeated_at)  # type: ignore[attr-defined]  # an extra field
    assert "kiosk.titles: 1 queries in" in record.getMessage()


@pytest.mark.parametrize("path", ["/empty/", "/broken/", "/nowhere/", "/stream/", "/committing/"])
def test_every_field_can_be_written_as_json(caplog: pytest.LogCaptureFixture, path: str) -> None:
    record = logged(caplog, path)
    plain = logging.LogRecord("", 0, "", 0, "", None, None)
    own = {name: value for name, value in vars(record).items() if name not in vars(plain)}
    assert json.loads(json.dumps(own)) == own
    assert "duration_ms" in own


def test_a_stream_is_told_once_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="django_dbaudit.traffic"):
        response = get("/stream/")
        assert caplog.records == []
        b"".join(response.streaming_content)
        response.close()
    (record,) = caplog.records
    assert record.queries > 0  # type: ignore[attr-defined]  # an extra field


# The settings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"SERVER_TIMING": "everybody"}, "must be one of nobody, staff, users, all"),
        ({"SAMPLE_SHARE": 1.5}, "a share lies between 0 and 1"),
        ({"FLUSH_SECONDS": 0}, "at least 0.1"),
        ({"TRAFFIC_DAYS": 0}, "at least 1"),
        ({"TAG_QUERIES": "yes"}, "True or False"),
    ],
)
def test_a_wrong_setting_is_an_error_of_manage_py_check(settings: Any, given: Any, says: str) -> None:
    settings.DBAUDIT = given
    key = rf"DBAUDIT\['{next(iter(given))}'\]"
    with pytest.raises(SystemCheckError, match=rf"django_dbaudit.E001\) {key}.*{says}"):
        call_command("check")


def test_a_store_that_is_not_there_is_a_warning(settings: Any) -> None:
    settings.DBAUDIT = {"STORE": "elsewhere"}
    assert [each.id for each in check_setting()] == ["django_dbaudit.W001"]
    for harmless in ({}, {"STORE": "elsewhere", "KEEP_TRAFFIC": False}):
        settings.DBAUDIT = harmless
        assert check_setting() == []


# Sampling


def test_requests_that_are_left_out_are_answered_and_not_counted(settings: Any) -> None:
    settings.DBAUDIT = {"SAMPLE_SHARE": 0.25}
    client = Client()
    for _ in range(40):
        assert get("/titles/", client).status_code == 200
    assert counted().requests == 10


def test_under_asgi_some_are_left_out_too(settings: Any, flavors: list[Any]) -> None:
    settings.DBAUDIT = {"SAMPLE_SHARE": 0}
    client: Any = AsyncClient()
    assert async_to_sync(client.get)("/titles-async/").status_code == 200
    assert recorder.totals.take().views == ()
