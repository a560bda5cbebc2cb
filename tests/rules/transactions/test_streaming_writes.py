"""streaming-writes: generators that write while the response is sent."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from corpus.models import AuditLog, Bike, Tag
from viewing import line_of, told


def reads(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(bike.frame for bike in Bike.objects.iterator())


def writes_before(request: HttpRequest) -> StreamingHttpResponse:
    AuditLog.objects.create(text="export")
    return reads(request)


def rows() -> Iterator[str]:
    yield "a"
    AuditLog.objects.create(text="sent")


def is_read_at_once(request: HttpRequest) -> HttpResponse:
    return HttpResponse("".join(list(rows())))


def writes(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(rows())


def writes_before_and_while(request: HttpRequest) -> StreamingHttpResponse:
    Tag.objects.create(name="a")
    return StreamingHttpResponse(rows())


def test_generators_that_read_are_left_alone() -> None:
    assert told("streaming-writes", reads) == ()


def test_writes_before_the_response_are_left_alone() -> None:
    assert told("streaming-writes", writes_before) == ()
    assert told("streaming-writes", is_read_at_once) == ()


def test_one_write_in_the_generator_is_told_at_its_line() -> None:
    (finding,) = told("streaming-writes", writes)
    assert line_of(finding) == 'AuditLog.objects.create(text="sent")'


def test_a_piece_that_only_the_stream_makes_is_not_told_twice() -> None:
    assert len(told("streaming-writes", writes_before_and_while)) == 1
    assert told("split-writes", writes_before_and_while) == ()


def test_under_atomic_requests_it_is_outside_all_the_same() -> None:
    assert len(told("streaming-writes", writes, atomic_requests=("default",))) == 1
