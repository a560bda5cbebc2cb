"""Every view behind the URLconf: what it is called, which methods it takes, and in whose transaction."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib.admindocs.views import extract_views_from_urlpatterns
from django.db import connections
from django.test import override_settings
from django.urls import clear_url_caches, get_resolver, path
from django.urls.resolvers import RegexPattern, URLResolver

from django_dbaudit.codec import decode, encode
from django_dbaudit.project import views
from django_dbaudit.project.views import UrlProblem, View
from view_routes import plain


@dataclass(frozen=True)
class Views:
    """What a walk along the URLconf finds, without what Django would call."""

    items: tuple[View, ...]
    problems: tuple[UrlProblem, ...]


def read() -> Views:
    found, problems = views.walk()
    return Views(tuple(each.view for each in found), problems)


@pytest.fixture(scope="module")
def found() -> Iterator[Views]:
    with override_settings(ROOT_URLCONF="view_routes"):
        yield read()


def named(found: Views, name: str) -> list[View]:
    return [each for each in found.items if each.name == f"view_routes.{name}"]


def methods(found: Views, name: str) -> list[str]:
    return [each.method for each in named(found, name)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", ["GET", "POST"]),
        ("deletes", ["DELETE", "GET", "POST"]),
        ("restricted", ["PATCH", "PUT"]),
        ("guarded", ["GET"]),
        ("hidden", ["GET", "POST"]),
        ("with_more", ["GET", "POST"]),
        ("awaited", ["GET", "POST"]),
        ("Answers", ["GET", "POST"]),
        ("Methods", ["GET", "POST"]),
        ("Make", ["GET", "POST", "PUT"]),
        ("Latest", ["GET", "POST"]),
        ("by_function", ["GET", "POST"]),
        ("Categories#list", ["GET"]),
        ("Categories#partial_update", ["PATCH"]),
        ("Categories#melt", ["POST"]),
    ],
)
def test_a_view_has_an_entry_for_each_method_that_it_handles(
    found: Views, name: str, expected: list[str]
) -> None:
    assert methods(found, name) == expected


def test_one_view_behind_several_routes_is_one_entry_with_all_of_them(found: Views) -> None:
    (get, _) = named(found, "plain")
    assert get.routes[:2] == ("plain/<int:pk>/", "in/plain-again/")
    assert len(get.routes) == 3


def test_no_route_is_left_out_and_none_is_made_up(found: Views) -> None:
    with override_settings(ROOT_URLCONF="view_routes"):
        walked = {route for _, route, *_ in extract_views_from_urlpatterns(get_resolver().url_patterns)}
    ours = {route for each in found.items for route in each.routes if each.kind != "handler"}
    assert ours == walked


def test_a_view_stands_where_its_code_is(found: Views) -> None:
    place = named(found, "Methods")[0].location
    assert place is not None
    assert place.path.endswith("view_routes.py")
    assert place.line > 1


def test_views_of_installed_packages_are_told_apart(found: Views) -> None:
    third_party = {each.name for each in found.items if each.is_third_party}
    assert "django.views.generic.base.TemplateView" in third_party
    assert not any(name.startswith("view_routes.") for name in third_party)


def test_pages_of_the_admin_go_by_the_class_that_the_project_wrote(found: Views) -> None:
    (page,) = [
        e for e in found.items if e.name == "orders.admin.OrderAdmin.add_view" and e.method == "POST"
    ]
    assert (page.kind, page.is_third_party, page.routes) == ("admin", False, ("admin/orders/order/add/",))


def test_a_handler_of_errors_is_a_view_too(found: Views) -> None:
    assert [each.kind for each in named(found, "not_found")] == ["handler", "handler"]


def test_async_views_say_so(found: Views) -> None:
    assert [each.is_async for each in named(found, "awaited")] == [True, True]
    assert not named(found, "plain")[0].is_async


@pytest.fixture
def atomic(monkeypatch: pytest.MonkeyPatch) -> Views:
    monkeypatch.setitem(connections.settings["default"], name="ATOMIC_REQUESTS", value=True)
    with override_settings(ROOT_URLCONF="view_routes"):
        return read()


def test_without_atomic_requests_no_view_is_in_a_transaction(found: Views) -> None:
    assert not any(each.atomic_requests or each.non_atomic_requests for each in found.items)


@pytest.mark.parametrize("name", ["on_its_own", "OptedOut"])
def test_a_view_that_opted_out_is_in_none(atomic: Views, name: str) -> None:
    view = named(atomic, name)[0]
    assert (view.atomic_requests, view.non_atomic_requests, view.misplaced) == ((), ("default",), ())


@pytest.mark.parametrize(
    ("name", "method", "wearer"),
    [
        ("Methods", "POST", "view_routes.Methods.post"),
        ("loses_its_mark", "GET", "view_routes.loses_its_mark"),
    ],
)
def test_a_mark_where_django_does_not_look_has_no_effect(
    atomic: Views, name: str, method: str, wearer: str
) -> None:
    (view,) = [each for each in named(atomic, name) if each.method == method]
    assert view.atomic_requests == ("default",)
    assert [(each.name, each.alias) for each in view.misplaced] == [(wearer, "default")]


def test_error_handlers_run_outside_of_atomic_requests(atomic: Views) -> None:
    assert named(atomic, "not_found")[0].atomic_requests == ()


def test_a_urlconf_that_raises_is_named_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    root = types.ModuleType("broken_root")
    broken = URLResolver(RegexPattern(r"^broken/"), "no_such_urlconf")
    setattr(root, "urlpatterns", [broken, path("fine/", plain)])  # noqa: B010  # a module made here
    monkeypatch.setitem(sys.modules, "broken_root", root)
    with override_settings(ROOT_URLCONF="broken_root"):
        found = read()
    clear_url_caches()
    assert [each.routes for each in found.items] == [("fine/",), ("fine/",)]
    assert [(each.urlconf, "no_such_urlconf" in each.reason) for each in found.problems] == [
        ("no_such_urlconf", True)
    ]


def test_views_can_be_saved_and_loaded(found: Views) -> None:
    assert decode(Views, encode_as_json(found)) == found


def encode_as_json(value: object) -> object:
    import json

    return json.loads(json.dumps(encode(value)))
