"""misplaced-non-atomic-requests: marks that Django does not see."""

from __future__ import annotations

import dataclasses

from django.http import HttpRequest, HttpResponse

from django_dbaudit.finding import Location
from django_dbaudit.project.views import Misplaced
from viewing import effects_of, told, told_of

HERE = Location("shop/views.py", 7)
LOST = Misplaced("shop.views.Pay.post", "default", HERE)


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def test_a_mark_that_is_seen_is_left_alone() -> None:
    assert told("misplaced-non-atomic-requests", view, non_atomic_requests=("default",)) == ()


def test_a_mark_that_is_not_seen_is_told_where_it_stands() -> None:
    wrapped = effects_of(view, atomic_requests=("default",), misplaced=(LOST,), kind="class")
    (finding,) = told_of("misplaced-non-atomic-requests", wrapped)
    assert finding.location == HERE
    assert finding.subject.name == "shop.views.Pay.post"
    assert finding.fix is not None
    assert 'name="dispatch"' in finding.fix.text


def test_one_mark_on_two_methods_is_told_once() -> None:
    one = effects_of(view, atomic_requests=("default",), misplaced=(LOST,))
    other = dataclasses.replace(one, view=dataclasses.replace(one.view, method="PUT"))
    (finding,) = told_of("misplaced-non-atomic-requests", one, other)
    assert len(finding.related) == 2
