"""Tags say which view sent a statement, and change nothing else about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from hypothesis import given
from hypothesis import strategies as st

import kiosk
from django_dbaudit.traffic import recorder, tags
from django_dbaudit.traffic.tags import comment
from flavors.models import Category

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"
CONTROLLER = "/*controller='{}',framework='django'*/ "

pytestmark = pytest.mark.django_db


def percents(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT '100%'")
        plain = cursor.fetchone()[0]
        cursor.execute("SELECT '100%%', %s", ["5 %"])
        return HttpResponse(f"{plain} {' '.join(cursor.fetchone())}")


def odd_name(request: HttpRequest) -> HttpResponse:
    return percents(request)


odd_name.__qualname__ = "100%s */ SELECT 1; --'\0é<lambda>"

urlpatterns = [path("percents/", percents), path("odd/", odd_name), *kiosk.urlpatterns]


@pytest.fixture
def tagged(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [OURS]
    settings.DBAUDIT = {"TAG_QUERIES": True}
    recorder.totals.take()
    yield
    tags.uninstall()
    recorder.totals.take()


def sent(path: str) -> tuple[list[str], str]:
    """The statements that got to the driver, and the answer."""
    with CaptureQueriesContext(connection) as captured:
        response = Client().get(path)
    assert response.status_code == 200
    return [each["sql"] for each in captured], response.content.decode()


def test_nothing_is_tagged_unless_it_is_asked_for(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [OURS]
    statements, _ = sent("/titles/")
    assert not any("/*" in each for each in statements)


def test_each_statement_begins_with_the_view(tagged: None) -> None:
    statements, _ = sent("/titles/")
    assert statements
    assert all(each.startswith(CONTROLLER.format("kiosk.titles")) for each in statements)


def test_outside_of_a_request_nothing_is_tagged(tagged: None) -> None:
    sent("/titles/")
    with CaptureQueriesContext(connection) as captured:
        list(Category.objects.all())
    assert not any("/*" in each["sql"] for each in captured)


@pytest.mark.parametrize("path", ["/percents/", "/odd/"])
def test_percent_signs_stay_what_they_are(tagged: None, path: str) -> None:
    statements, answer = sent(path)
    assert answer == "100% 100% 5 %"
    assert len(statements) == 2


def test_what_is_recorded_has_no_tag(tagged: None) -> None:
    sent("/titles/")
    (found,) = recorder.totals.take().views
    assert all("/*" not in each.fingerprint for each in found.queries)
    assert found.executions == 1


def test_the_comment_of_a_view_is_always_the_same(tagged: None) -> None:
    first, _ = sent("/titles/")
    again, _ = sent("/titles/")
    assert first == again


@given(st.text(), st.booleans())
def test_no_name_gets_out_of_its_comment(name: str, is_format: bool) -> None:
    name = name.encode(errors="replace").decode()
    made = comment(name, is_format=is_format)
    inside = made.removeprefix("/*controller='").removesuffix("',framework='django'*/ ")
    assert made == f"/*controller='{inside}',framework='django'*/ "
    assert not set(inside) & set("'*/\\\0\n ")
    if is_format:
        assert inside.replace("%%", "").count("%") == 0
