"""The admin pages of traffic: for those who may view it, to be read, and at a fixed price."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_dbaudit.conf import Config
from django_dbaudit.models import RecordedView
from django_dbaudit.store.connection import Transaction
from django_dbaudit.store.traffic import writing
from django_dbaudit.store.traffic.room import Room
from django_dbaudit.store.traffic.rows import TABLES, rows_of
from django_dbaudit.traffic.facts import Traffic
from kept import DAY, line, whole_view
from requests_posed import query

pytestmark = pytest.mark.django_db

KINDS = [each for each in apps.get_models() if each._meta.db_table in TABLES.values()]


def put(*views: Any) -> None:
    """Into the test's own transaction, by the statements that the store has."""
    with connection.cursor() as cursor:
        transaction = Transaction(cursor)
        rows = Room().fit(transaction, rows_of(Traffic(views), DAY))
        for kind, by_id in rows.by_kind.items():
            for batch in writing._batches([*by_id.values()], DAY):
                transaction.change(writing._upsert(kind), rows=json.dumps(batch))
    assert Config().store == connection.alias


@pytest.fixture
def reader() -> Client:
    """A member of staff who may view traffic, and nothing else."""
    user = get_user_model().objects.create_user("reader", is_staff=True)
    names = [f"view_{kind._meta.model_name}" for kind in KINDS]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def page(kind: Any, what: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{kind._meta.app_label}_{kind._meta.model_name}_{what}", args=args)


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_of_staff_without_the_permission_sees_nothing(kind: Any) -> None:
    put(whole_view())
    user = get_user_model().objects.create_user("other", is_staff=True)
    client = Client()
    client.force_login(user)
    assert client.get(page(kind)).status_code == 403
    assert client.get(page(kind, "change", kind.objects.all()[0].pk)).status_code == 403


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_may_change_add_or_delete(kind: Any) -> None:
    put(whole_view())
    user = get_user_model().objects.create_superuser("boss")
    client = Client()
    client.force_login(user)
    key = kind.objects.all()[0].pk
    assert client.get(page(kind, "add")).status_code == 403
    assert client.post(page(kind, "delete", key), {"post": "yes"}).status_code == 403
    assert client.post(page(kind, "change", key), {"requests": 9}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [str(key)], "post": "yes"}
    client.post(page(kind), action)
    assert kind.objects.count() >= 1


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_listed_searched_and_read(reader: Client, kind: Any) -> None:
    put(whole_view())
    listed = reader.get(page(kind))
    assert listed.status_code == 200
    assert "shop.views.cart" in listed.content.decode()
    assert "shop.views.cart" in reader.get(page(kind), {"q": "cart"}).content.decode()
    assert "0 recorded" in reader.get(page(kind), {"q": "nothing like it"}).content.decode()
    assert reader.get(page(kind, "change", kind.objects.all()[0].pk)).status_code == 200


def test_a_view_shows_what_its_lines_ask(reader: Client) -> None:
    put(whole_view(queries=(query(fingerprint="SELECT '<script>'"),)))
    shown = reader.get(page(RecordedView, "change", RecordedView.objects.get().pk)).content.decode()
    assert "shop/views.py:12" in shown
    assert "SELECT &#x27;&lt;script&gt;&#x27;" in shown


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["changelist", "change"])
def test_a_page_asks_as_often_for_many_rows_as_for_one(reader: Client, kind: Any, what: str) -> None:
    def asked() -> int:
        arguments = [kind.objects.all()[0].pk] if what == "change" else []
        with CaptureQueriesContext(connection) as queries:
            assert reader.get(page(kind, what, *arguments)).status_code == 200
        return len(queries)

    put(whole_view())
    # Once before, for what Django looks up the first time and then remembers.
    asked()
    few = asked()
    put(
        *(whole_view(view=f"v{n}", queries=tuple(query(site=line(m)) for m in range(5))) for n in range(30))
    )
    assert asked() == few


def test_permissions_are_to_view_alone() -> None:
    names: Callable[[Any], set[str]] = lambda kind: {  # noqa: E731  # one line says it
        each.codename
        for each in Permission.objects.filter(
            content_type__app_label="django_dbaudit", content_type__model=kind._meta.model_name
        )
    }
    assert [names(kind) for kind in KINDS] == [{f"view_{kind._meta.model_name}"} for kind in KINDS]
