"""Atomic blocks: whole, in part, nested, on another database, around what they cannot hold."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from django.db import router, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.http import require_POST

from corpus.models import AuditLog, Bike, Customer, Payment, Rental, Station, Tag


# POST: protected 1 rental payment
@require_POST
def whole(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
        Payment.objects.create(rental=rental)
    return redirect("/")


# POST: protected 1 tag station
@require_POST
@transaction.atomic
def decorated(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return redirect("/")


# POST: protected 1 tag station
@transaction.atomic
@require_POST
def decorated_outside(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return redirect("/")


# POST: protected 1 tag station
@require_POST
@transaction.atomic(durable=True)
def durable(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return redirect("/")


# POST: protected 1 tag station
@require_POST
def nested(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        with transaction.atomic():
            Station.objects.create(name="a")
    return redirect("/")


def transactional(function: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            return function(*args, **kwargs)

    return inner


# POST: protected 1 tag station
@require_POST
@transactional
def own_decorator(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return redirect("/")


@contextlib.contextmanager
def unit_of_work() -> Iterator[None]:
    with transaction.atomic():
        yield


# POST: protected 1 tag station
@require_POST
def own_context_manager(request: HttpRequest) -> HttpResponse:
    with unit_of_work():
        Tag.objects.create(name="a")
        Station.objects.create(name="a")
    return redirect("/")


@transaction.atomic
def work() -> None:
    Tag.objects.create(name="a")
    Station.objects.create(name="a")


# POST: protected 1 tag station
@require_POST
def in_a_service(request: HttpRequest) -> HttpResponse:
    work()
    return redirect("/")


# POST: protected 1 tag station
@require_POST
def with_two_managers(request: HttpRequest) -> HttpResponse:
    with contextlib.suppress(ValueError), transaction.atomic():
        Tag.objects.create(name="a")
        Station.objects.create(name="a")
    return redirect("/")


# POST: protected 1 station
@require_POST
def one_way_is_rolled_back(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            Tag.objects.create(name="a")
            raise ValueError
    except ValueError:
        with transaction.atomic():
            Station.objects.create(name="a")
    return redirect("/")


@method_decorator(transaction.atomic, name="dispatch")
# POST: protected 1 tag station
class WholeDispatch(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        Tag.objects.create(name="a")
        Station.objects.create(name="a")
        return redirect("/")


# POST: protected 1 tag station
@require_POST
def alias_by_router(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using=router.db_for_write(Tag)):
        Tag.objects.create(name="a")
        Station.objects.create(name="a")
    return redirect("/")


# Only a part of it.


# POST: mixed 2 tag station
@require_POST  # finds: partly-covered-view
def before_the_block(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    with transaction.atomic():
        Station.objects.create(name="a")
    return redirect("/")


# POST: mixed 2 tag station
@require_POST  # finds: partly-covered-view
def after_the_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return redirect("/")


# POST: mixed 2 tag station
@require_POST  # finds: partly-covered-view
def two_blocks(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
    with transaction.atomic():
        Station.objects.create(name="a")
    return redirect("/")


# POST: mixed 2 tag station bike
@require_POST  # finds: partly-covered-view
def a_service_and_more(request: HttpRequest) -> HttpResponse:
    work()
    Bike.objects.update(state="free")
    return redirect("/")


# POST: mixed 2 tag auditlog
@require_POST  # finds: partly-covered-view
def writes_after_the_commit(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        transaction.on_commit(lambda: AuditLog.objects.create(text="b"))
    return redirect("/")


# Blocks that do nothing, or fail.


# POST: split 2 tag station
@require_POST  # finds: split-writes atomic-on-wrong-alias@+2
def on_another_alias(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.using("archive").create(name="a")
        Station.objects.using("archive").create(name="a")
    return redirect("/")


# POST: protected 1 tag station
@require_POST
def on_the_right_alias(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using="archive"):
        Tag.objects.using("archive").create(name="a")
        Station.objects.using("archive").create(name="a")
    return redirect("/")


# POST: protected 2 tag station
@require_POST
def one_more_database(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(), transaction.atomic(using="archive"):
        Tag.objects.create(name="a")
        Station.objects.using("archive").create(name="a")
    return redirect("/")


# POST: protected 2 tag auditlog
@require_POST
def one_write_elsewhere(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        AuditLog.objects.using("archive").create(text="a")
    return redirect("/")


@transaction.atomic(durable=True)
def must_be_outermost() -> None:
    Tag.objects.create(name="a")


# POST: protected 1 tag station
@require_POST
@transaction.atomic
def durable_inside(request: HttpRequest) -> HttpResponse:
    Station.objects.create(name="a")
    must_be_outermost()  # finds: durable-nested
    return redirect("/")


# POST: protected 1 tag
@require_POST
def durable_outside(request: HttpRequest) -> HttpResponse:
    must_be_outermost()
    return redirect("/")


@transaction.atomic
def rows() -> Iterator[str]:
    for bike in Bike.objects.all():
        bike.state = "free"
        bike.save()
        yield bike.frame


# POST: split loop bike
@require_POST  # finds: write-loop
def around_a_generator(request: HttpRequest) -> HttpResponse:
    return HttpResponse(list(rows()))  # finds: atomic-does-nothing


# POST: reads-only 0
@require_POST
def only_reads(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():  # finds: read-only-view-in-transaction
        number = Bike.objects.count()
    return HttpResponse(number)


# POST: reads-only 0
@require_POST
def only_locks(request: HttpRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        bike = get_object_or_404(Bike.objects.select_for_update(), pk=pk)
    return HttpResponse(bike.frame)


# POST: split 2 tag bike
@require_POST
def streams_in_a_block(request: HttpRequest) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        Tag.objects.create(name="a")  # finds: streaming-writes
        yield "a"
        Bike.objects.update(state="free")  # finds: streaming-writes

    with transaction.atomic():
        return StreamingHttpResponse(lines())
