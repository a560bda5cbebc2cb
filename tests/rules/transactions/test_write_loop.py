"""write-loop: loops that commit each round, and those that do not."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from corpus.models import AuditLog, Bike, Tag
from django_dbaudit.finding import Severity
from viewing import line_of, told


def in_a_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        for tag in Tag.objects.all():
            tag.save()
    return HttpResponse()


def in_the_database(request: HttpRequest) -> HttpResponse:
    Tag.objects.update(name="a")
    return HttpResponse()


def ends_with_the_first(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        tag.save()
        break
    return HttpResponse()


def each(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        tag.save()
    return HttpResponse()


def each_and_another_table(request: HttpRequest) -> HttpResponse:
    for bike in Bike.objects.all():
        bike.save()
        AuditLog.objects.create(text=bike.frame)
    return HttpResponse()


def each_and_more(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        tag.save()
    AuditLog.objects.create(text="tags")
    return HttpResponse()


def test_a_loop_within_one_transaction_is_left_alone() -> None:
    assert told("write-loop", in_a_block) == ()


def test_one_statement_for_many_rows_is_left_alone() -> None:
    assert told("write-loop", in_the_database) == ()


def test_a_loop_that_ends_with_its_first_write_is_left_alone() -> None:
    assert told("write-loop", ends_with_the_first) == ()


def test_a_view_that_writes_more_is_told_by_split_writes_and_not_twice() -> None:
    assert told("write-loop", each_and_more) == ()
    assert len(told("split-writes", each_and_more)) == 1


def test_a_loop_over_one_table_is_an_information() -> None:
    (finding,) = told("write-loop", each)
    assert finding.severity is Severity.INFO
    assert finding.evidence["max_units"] is None
    assert "update corpus_tag (in a loop)" in finding.message
    assert line_of(finding) == "def each(request: HttpRequest) -> HttpResponse:"
    assert told("split-writes", each) == ()


def test_a_loop_over_two_tables_is_a_warning() -> None:
    (finding,) = told("write-loop", each_and_another_table)
    assert finding.severity is Severity.WARNING
    assert finding.evidence["tables"] == ["corpus_bike", "corpus_auditlog"]
