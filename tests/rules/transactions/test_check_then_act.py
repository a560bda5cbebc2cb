"""check-then-act: looking first and writing then, with no constraint between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import AuditLog, Bike, Customer, Payment, Rental, Station, Tag
from viewing import line_of, told


def unique_field(request: HttpRequest) -> HttpResponse:
    if not Station.objects.filter(name="a").exists():
        Station.objects.create(name="a")
    return HttpResponse()


def unique_together(request: HttpRequest) -> HttpResponse:
    Payment.objects.get_or_create(rental_id=1, reference="a")
    return HttpResponse()


def unique_with_the_relation(request: HttpRequest) -> HttpResponse:
    Customer.objects.get(pk=1).coupons.get_or_create(code="a")
    return HttpResponse()


@transaction.atomic
def under_a_lock(request: HttpRequest) -> HttpResponse:
    Station.objects.select_for_update().get(name="a")
    if not Tag.objects.filter(name="a").exists():
        Tag.objects.create(name="a")
    return HttpResponse()


def writes_either_way(request: HttpRequest) -> HttpResponse:
    if Tag.objects.filter(name="a").exists():
        Tag.objects.create(name="b")
    else:
        Tag.objects.create(name="a")
    return HttpResponse()


def writes_another_model(request: HttpRequest) -> HttpResponse:
    if not Tag.objects.filter(name="a").exists():
        AuditLog.objects.create(text="no tag")
    return HttpResponse()


def changes_what_is_there(request: HttpRequest) -> HttpResponse:
    if Bike.objects.filter(state="new").exists():
        Bike.objects.update(state="free")
    return HttpResponse()


def by_exists(request: HttpRequest) -> HttpResponse:
    if not Tag.objects.filter(name="a").exists():
        Tag.objects.create(name="a")
    return HttpResponse()


def by_get_or_create(request: HttpRequest) -> HttpResponse:
    Tag.objects.get_or_create(name="a")
    return HttpResponse()


def by_update_or_create(request: HttpRequest) -> HttpResponse:
    Tag.objects.update_or_create(name="a", defaults={"name": "b"})
    return HttpResponse()


def by_an_exception(request: HttpRequest) -> HttpResponse:
    try:
        Tag.objects.get(name="a")
    except Tag.DoesNotExist:
        Tag.objects.create(name="a")
    return HttpResponse()


def by_leaving(request: HttpRequest) -> HttpResponse:
    if Tag.objects.filter(name="a").exists():
        return HttpResponse("taken")
    Tag.objects.create(name="a")
    return HttpResponse()


def by_more_than_equality(request: HttpRequest) -> HttpResponse:
    if not Rental.objects.filter(bike_id=1, price__gt=3).exists():
        Rental.objects.create(bike_id=1, customer_id=1)
    return HttpResponse()


RIGHT = [
    unique_field,
    unique_together,
    unique_with_the_relation,
    under_a_lock,
    writes_either_way,
    writes_another_model,
    changes_what_is_there,
]
WRONG = [by_exists, by_get_or_create, by_update_or_create, by_an_exception, by_leaving]


@pytest.mark.parametrize("view", RIGHT)
def test_what_a_constraint_or_a_lock_keeps_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("check-then-act", view) == ()


@pytest.mark.parametrize("view", WRONG)
def test_what_nothing_keeps_is_told_where_it_is_looked_for(view: Callable[..., Any]) -> None:
    (finding,) = told("check-then-act", view)
    assert "Tag.objects" in line_of(finding)
    assert finding.fix is not None
    assert finding.fix.text == "Add a UniqueConstraint on name to the model of corpus_tag."


def test_a_lookup_by_more_than_equality_asks_for_another_constraint() -> None:
    (finding,) = told("check-then-act", by_more_than_equality)
    assert "by bike_id and more" in finding.message
    assert finding.fix is not None
    assert "ExclusionConstraint" in finding.fix.text
