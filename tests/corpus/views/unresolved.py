"""What cannot be told is said so."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from corpus.models import Station, Tag


class Hooks:
    """Whose functions nobody knows."""

    def __getitem__(self, name: str) -> Any:
        raise NotImplementedError


HOOKS = Hooks()


# POST: unresolved 0
@require_POST
def calls_what_it_is_given(request: HttpRequest) -> HttpResponse:
    HOOKS["save"](request)
    return redirect("/")


# POST: unresolved 0
@require_POST
def executes_what_it_is_given(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(request.POST["sql"])
    return redirect("/")


# POST: unresolved 1 tag
@require_POST
def one_write_and_a_riddle(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    HOOKS["save"](request)
    return redirect("/")


# POST: protected 1 tag
@require_POST
def a_riddle_in_a_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        HOOKS["save"](request)
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def pieces_and_a_riddle(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    HOOKS["save"](request)
    Station.objects.create(name="a")
    return redirect("/")
