"""partly-covered-view: a block around some of the writes."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import AuditLog, Station, Tag
from viewing import told


def whole(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        Station.objects.create(name="a")
    return HttpResponse()


def no_block(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return HttpResponse()


def one_or_the_other(request: HttpRequest) -> HttpResponse:
    if request.POST:
        with transaction.atomic():
            Tag.objects.create(name="a")
        return HttpResponse()
    Station.objects.create(name="a")
    return HttpResponse()


def before(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    with transaction.atomic():
        Station.objects.create(name="a")
    return HttpResponse()


def after_the_commit(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        transaction.on_commit(lambda: AuditLog.objects.create(text="a"))
    return HttpResponse()


def test_a_block_around_everything_is_left_alone() -> None:
    assert told("partly-covered-view", whole) == ()


def test_a_view_without_a_block_is_another_rules() -> None:
    assert told("partly-covered-view", no_block) == ()


def test_ways_that_exclude_each_other_are_left_alone() -> None:
    assert told("partly-covered-view", one_or_the_other) == ()


def test_a_write_before_the_block_is_told_once() -> None:
    (finding,) = told("partly-covered-view", before)
    assert "commits in 2 pieces, and its atomic block holds only a part" in finding.message
    assert [each.kind for each in finding.related] == ["write", "write"]
    assert told("split-writes", before) == ()


def test_what_a_callback_writes_is_a_piece_of_its_own() -> None:
    assert len(told("partly-covered-view", after_the_commit)) == 1
