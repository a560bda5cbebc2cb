"""Coroutines."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from corpus.models import Bike, Customer, Payment, Rental, Station, Tag


# POST: reads-only 0
@require_POST
async def counts(request: HttpRequest) -> HttpResponse:
    return HttpResponse(await Bike.objects.acount())


# POST: one-unit 1 tag
@require_POST
async def creates(request: HttpRequest) -> HttpResponse:
    await Tag.objects.acreate(name="a")
    return HttpResponse()


@transaction.atomic
def rent() -> None:
    rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
    Payment.objects.create(rental=rental)


# POST: protected 1 rental payment
@require_POST
async def hands_it_to_a_thread(request: HttpRequest) -> HttpResponse:
    await sync_to_async(rent)()
    return HttpResponse()


# POST: split 2 rental payment
@require_POST  # finds: async-view-writes
async def rents(request: HttpRequest) -> HttpResponse:
    bike, customer = await Bike.objects.aget(), await Customer.objects.aget()
    rental = await Rental.objects.acreate(bike=bike, customer=customer)
    await Payment.objects.acreate(rental=rental)
    return HttpResponse()


# POST: split loop tag
@require_POST  # finds: async-view-writes
async def saves_each(request: HttpRequest) -> HttpResponse:
    async for tag in Tag.objects.all():
        await tag.asave()
    return HttpResponse()


# POST: protected 1 tag station
@require_POST
async def enters_a_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():  # finds: atomic-does-nothing
        await Tag.objects.acreate(name="a")
        await Station.objects.acreate(name="a")
    return HttpResponse()


@transaction.atomic
async def looks_atomic() -> None:
    await Tag.objects.acreate(name="a")
    await Station.objects.acreate(name="a")


# POST: split 2 tag station
@require_POST  # finds: async-view-writes
async def awaits_a_block(request: HttpRequest) -> HttpResponse:
    await looks_atomic()  # finds: atomic-does-nothing
    return HttpResponse()
