"""misused-on-commit: callbacks that run too early, or for the wrong row."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import mail_admins
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import Tag
from viewing import told


def tell(name: str) -> None:
    mail_admins(name, name)


@transaction.atomic
def in_a_block(request: HttpRequest) -> HttpResponse:
    transaction.on_commit(lambda: tell("a"))
    Tag.objects.create(name="a")
    return HttpResponse()


def after_the_last_write(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    transaction.on_commit(lambda: tell("a"))
    return HttpResponse()


def on_a_way_that_ends(request: HttpRequest) -> HttpResponse:
    if request.POST:
        transaction.on_commit(lambda: tell("a"))
        return HttpResponse()
    Tag.objects.create(name="a")
    return HttpResponse()


@transaction.atomic
def bound_early(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        transaction.on_commit(functools.partial(tell, tag.name))
    return HttpResponse()


@transaction.atomic
def bound_late(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        transaction.on_commit(lambda: tell(tag.name))  # noqa: B023  # what is tried
    return HttpResponse()


def too_early(request: HttpRequest) -> HttpResponse:
    transaction.on_commit(lambda: tell("a"))
    Tag.objects.create(name="a")
    return HttpResponse()


def registers() -> None:
    transaction.on_commit(lambda: tell("a"))


def too_early_in_a_helper(request: HttpRequest) -> HttpResponse:
    registers()
    Tag.objects.create(name="a")
    return HttpResponse()


def for_another_alias(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using="archive"):
        transaction.on_commit(lambda: tell("a"))
    return HttpResponse()


@pytest.mark.parametrize("view", [in_a_block, after_the_last_write, on_a_way_that_ends, bound_early])
def test_callbacks_at_the_right_time_are_left_alone(view: Callable[..., Any]) -> None:
    assert told("misused-on-commit", view) == ()


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (bound_late, "takes a name from the loop"),
        (too_early, "runs at once, before the writes that follow"),
        (too_early_in_a_helper, "runs at once, before the writes that follow"),
        (for_another_alias, "waits for another alias"),
    ],
)
def test_the_others_are_told_with_why(view: Callable[..., Any], says: str) -> None:
    (finding,) = told("misused-on-commit", view)
    assert says in finding.message
