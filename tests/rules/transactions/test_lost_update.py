"""lost-update: sums that two requests make at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse

from corpus.models import Counter
from viewing import line_of, told


def locked(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        counter = Counter.objects.select_for_update().get(name="a")
        counter.value += 1
        counter.save()
    return HttpResponse()


def in_the_database(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="a")
    counter.value = F("value") + 1
    counter.save()
    return HttpResponse()


def a_new_row(request: HttpRequest) -> HttpResponse:
    counter = Counter(name="a")
    counter.value += 1
    counter.save()
    return HttpResponse()


def another_field(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="a")
    counter.value += 1
    counter.save(update_fields=["name"])
    return HttpResponse()


def no_sum(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="a")
    counter.name = counter.name or "a"
    counter.save()
    return HttpResponse()


def never_saved(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="a")
    counter.value += 1
    return HttpResponse(counter.value)


def added(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="a")
    counter.value += 1
    counter.save()
    return HttpResponse()


@transaction.atomic
def added_in_a_block(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.filter(name="a").first()
    if counter:
        counter.value = max(0, counter.value - 1)
        counter.save()
    return HttpResponse()


RIGHT = [locked, in_the_database, a_new_row, another_field, no_sum, never_saved]


@pytest.mark.parametrize("view", RIGHT)
def test_what_loses_nothing_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("lost-update", view) == ()


@pytest.mark.parametrize("view", [added, added_in_a_block])
def test_a_sum_in_python_is_told_where_it_is_saved(view: Callable[..., Any]) -> None:
    (finding,) = told("lost-update", view)
    assert line_of(finding) == "counter.save()"
    assert finding.evidence == {"views": 1, "table": "corpus_counter", "fields": ["value"]}
