"""Row locks, and sums that need one."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from corpus.models import Bike, Counter, Customer, Payment, Rental, Station


# POST: protected 1 counter
@require_POST
def locks_and_adds(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        counter = Counter.objects.select_for_update().get(name="a")
        counter.value += 1
        counter.save()
    return redirect("/")


# POST: one-unit 1 counter
@require_POST
def the_database_adds(request: HttpRequest) -> HttpResponse:
    Counter.objects.filter(name="a").update(value=F("value") + 1)
    return redirect("/")


# POST: one-unit 1 counter
@require_POST
def the_database_adds_to_a_row(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="a")
    counter.value = F("value") + 1
    counter.save()
    return redirect("/")


# POST: one-unit 1 rental
@require_POST
def a_new_row(request: HttpRequest) -> HttpResponse:
    rental = Rental(bike=Bike.objects.get(), customer=Customer.objects.get())
    rental.price += 3
    rental.save()
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def no_sum(request: HttpRequest) -> HttpResponse:
    bike = Bike.objects.get(pk=1)
    bike.frame = bike.frame.strip() or "none"
    bike.save()
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def another_field_is_saved(request: HttpRequest) -> HttpResponse:
    bike = Bike.objects.get(pk=1)
    bike.rides += 1
    bike.state = "free"
    bike.save(update_fields=["state"])
    return redirect("/")


# POST: one-unit 1 counter
@require_POST
def adds(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="a")
    counter.value += 1
    counter.save()  # finds: lost-update
    return redirect("/")


# POST: one-unit 1 counter
@require_POST
def adds_and_says_so(request: HttpRequest) -> HttpResponse:
    counter = get_object_or_404(Counter, name="a")
    counter.value = counter.value + 1
    counter.save(update_fields=["value"])  # finds: lost-update
    return redirect("/")


# POST: protected 1 counter
@require_POST
@transaction.atomic
def a_block_does_not_help(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="a")
    counter.value -= 1
    counter.save()  # finds: lost-update
    return redirect("/")


def spend(customer: Customer, amount: int) -> None:
    customer.credit -= amount
    customer.save()  # finds: lost-update


# POST: one-unit 1 customer
@require_POST
def in_a_helper(request: HttpRequest, pk: int) -> HttpResponse:
    spend(get_object_or_404(Customer, pk=pk), 3)
    return redirect("/")


# POST: one-unit 1 station
@require_POST
def adds_if_there_is_room(request: HttpRequest, pk: int) -> HttpResponse:
    station = get_object_or_404(Station, pk=pk)
    if station.free > 0:
        station.free = station.free - 1
        station.save()  # finds: lost-update
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def locks_in_autocommit(request: HttpRequest, pk: int) -> HttpResponse:
    bike = Bike.objects.select_for_update().get(pk=pk)  # finds: select-for-update-outside-atomic
    bike.state = "out"
    bike.save()
    return redirect("/")


@transaction.atomic
def free_bikes() -> QuerySet[Bike]:
    found: QuerySet[Bike] = Bike.objects.select_for_update().filter(state="free")
    return found


# POST: reads-only 0
@require_POST
def locks_after_the_block(request: HttpRequest) -> HttpResponse:
    bikes = free_bikes()
    return HttpResponse(bikes[0].frame)  # finds: select-for-update-outside-atomic


# POST: reads-only 0
@require_POST
def counts_what_it_would_lock(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Bike.objects.select_for_update().count())


# POST: protected 1 rental
@require_POST
@transaction.atomic
def skips_what_is_locked(request: HttpRequest) -> HttpResponse:
    for rental in Rental.objects.select_for_update(skip_locked=True)[:10]:
        rental.state = "done"
        rental.save()
    return redirect("/")


# POST: reads-only 0
@require_POST
def locks_by_cursor(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM corpus_bike FOR UPDATE")  # finds: select-for-update-outside-atomic
    return redirect("/")


# POST: one-unit 1 payment
@require_POST
def loops_over_locks(request: HttpRequest) -> HttpResponse:
    for rental in Rental.objects.select_for_update():  # finds: select-for-update-outside-atomic
        Payment.objects.create(rental=rental)
        break
    return redirect("/")
