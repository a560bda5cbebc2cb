"""Responses that are made while they are sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET, require_POST

from corpus.models import AuditLog, Bike, Rental, Tag


# GET: reads-only 0
@require_GET
def rows(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(f"{bike.frame}\n" for bike in Bike.objects.iterator())


# POST: one-unit 1 auditlog
@require_POST
def writes_before(request: HttpRequest) -> StreamingHttpResponse:
    AuditLog.objects.create(text="export")
    return StreamingHttpResponse(f"{bike.frame}\n" for bike in Bike.objects.iterator())


# POST: one-unit 1 tag
@require_POST
def a_list_is_made_at_once(request: HttpRequest) -> HttpResponse:
    def lines() -> Iterator[str]:
        Tag.objects.create(name="a")
        yield "a"

    return HttpResponse(list(lines()))


# POST: split loop rental
@require_POST
def marks_what_is_sent(request: HttpRequest) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        for rental in Rental.objects.iterator():
            rental.state = "sent"
            rental.save()  # finds: streaming-writes
            yield str(rental.pk)

    return StreamingHttpResponse(lines())


# POST: one-unit 1 auditlog
@require_POST
def logs_the_end(request: HttpRequest) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        yield from (bike.frame for bike in Bike.objects.iterator())
        AuditLog.objects.create(text="sent")  # finds: streaming-writes

    return StreamingHttpResponse(lines(), content_type="text/csv")


# POST: split 2 tag auditlog
@require_POST
def one_before_and_one_while_sent(request: HttpRequest) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        AuditLog.objects.create(text="sent")  # finds: streaming-writes
        yield "a"

    Tag.objects.create(name="a")
    return StreamingHttpResponse(lines())


def note() -> None:
    AuditLog.objects.create(text="beside")


# POST: split 2 tag auditlog
@require_POST  # finds: split-writes
def beside_the_view(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    threading.Thread(target=note).start()
    return HttpResponse()
