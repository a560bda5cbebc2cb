"""atomic-on-wrong-alias: blocks of one database around writes to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import router, transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import AuditLog, Station, Tag
from viewing import line_of, told


def on_its_own(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using="archive"):
        Tag.objects.using("archive").create(name="a")
    return HttpResponse()


def as_the_router_says(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using=router.db_for_write(Tag)):
        Tag.objects.create(name="a")
    return HttpResponse()


def one_beside_its_own(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        AuditLog.objects.using("archive").create(text="a")
    return HttpResponse()


def in_both(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(), transaction.atomic(using="archive"):
        Tag.objects.using("archive").create(name="a")
        Station.objects.using("archive").create(name="a")
    return HttpResponse()


def nothing_of_its_own(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.using("archive").create(name="a")
    return HttpResponse()


def two_beside_its_own(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        Tag.objects.using("archive").create(name="a")
        Station.objects.using("archive").create(name="a")
    return HttpResponse()


@pytest.mark.parametrize("view", [on_its_own, as_the_router_says, one_beside_its_own, in_both])
def test_what_no_other_block_could_hold_better_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("atomic-on-wrong-alias", view) == ()


@pytest.mark.parametrize("view", [nothing_of_its_own, two_beside_its_own])
def test_a_block_of_the_wrong_alias_is_told_with_the_right_one(view: Callable[..., Any]) -> None:
    (finding,) = told("atomic-on-wrong-alias", view)
    assert line_of(finding) == "with transaction.atomic():"
    assert finding.evidence["writes_to"] == "archive"
    assert finding.fix is not None
    assert 'transaction.atomic(using="archive")' in finding.fix.text
