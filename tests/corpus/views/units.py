"""Views that commit once, whatever they look like."""

from __future__ import annotations

from django.contrib import messages
from django.db import IntegrityError, connection
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from corpus.forms import ContactForm, ElectricBikeForm, PlainBikeForm, StationForm
from corpus.models import (
    AuditLog,
    Bike,
    Coupon,
    Customer,
    ElectricBike,
    Note,
    Payment,
    Rental,
    SafeInvoice,
    Station,
    Tag,
)


# POST: one-unit 1 station
@require_POST
def creates(request: HttpRequest) -> HttpResponse:
    Station.objects.create(name=request.POST.get("name", ""))
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def saves(request: HttpRequest, pk: int) -> HttpResponse:
    bike = get_object_or_404(Bike, pk=pk)
    bike.state = "broken"
    bike.save(update_fields=["state"])
    messages.success(request, "Thank you.")
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def updates(request: HttpRequest, pk: int) -> HttpResponse:
    Bike.objects.filter(pk=pk).update(rides=F("rides") + 1)
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def one_or_the_other(request: HttpRequest) -> HttpResponse:
    if request.POST.get("tag"):
        Tag.objects.create(name="a")
    else:
        Station.objects.create(name="b")
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def leaves_early(request: HttpRequest) -> HttpResponse:
    if request.POST.get("tag"):
        Tag.objects.create(name="a")
        return redirect("/tags")
    if request.POST.get("audit"):
        AuditLog.objects.create(text="b")
        return redirect("/log")
    return redirect("/")


# POST: one-unit 1 rental payment invoice
@require_POST
def deletes_with_all_that_hangs_on_it(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Rental, pk=pk).delete()
    return redirect("/")


# POST: one-unit 1 tag bike_tags
@require_POST
def deletes_a_queryset(request: HttpRequest) -> HttpResponse:
    Tag.objects.filter(name="old").delete()
    return redirect("/")


# POST: one-unit 1 note auditlog
@require_POST
def receiver_within_delete(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Note, pk=pk).delete()
    return redirect("/")


# POST: one-unit 1 bike_tags auditlog
@require_POST
def receiver_of_a_relation(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Bike, pk=pk).tags.set([])
    return redirect("/")


# POST: one-unit 1 bike_tags auditlog
@require_POST
def adds_to_a_relation(request: HttpRequest, pk: int) -> HttpResponse:
    bike = get_object_or_404(Bike, pk=pk)
    bike.tags.add(Tag.objects.get())
    return redirect("/")


# POST: one-unit 1 electricbike bike
@require_POST
def two_tables_of_one_row(request: HttpRequest) -> HttpResponse:
    ElectricBike.objects.create(frame="e", station=Station.objects.get())
    return redirect("/")


# POST: one-unit 1 electricbike
@require_POST
def updates_the_child_alone(request: HttpRequest) -> HttpResponse:
    ElectricBike.objects.update(battery=100)
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def updates_the_parent_alone(request: HttpRequest) -> HttpResponse:
    ElectricBike.objects.update(state="free")
    return redirect("/")


# POST: one-unit 1 customer profile
@require_POST
def gets_or_creates(request: HttpRequest) -> HttpResponse:
    customer, _ = Customer.objects.get_or_create(pk=1)
    return HttpResponse(customer.name)


# POST: one-unit 1 station
@require_POST
def updates_or_creates(request: HttpRequest) -> HttpResponse:
    Station.objects.update_or_create(name="a", defaults={"free": 3})
    return redirect("/")


# POST: one-unit 1 coupon
@require_POST
def gets_or_creates_by_a_relation(request: HttpRequest) -> HttpResponse:
    # Unique together with the customer, whose relation it is.
    Customer.objects.get(pk=1).coupons.get_or_create(code="a")
    return redirect("/")


# POST: one-unit 1 rental
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    bike, customer = Bike.objects.get(), Customer.objects.get()
    Rental.objects.bulk_create([Rental(bike=bike, customer=customer) for _ in range(3)])
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def bulk_update(request: HttpRequest) -> HttpResponse:
    bikes = list(Bike.objects.all())
    for bike in bikes:
        bike.state = "free"
    Bike.objects.bulk_update(bikes, ["state"])
    return redirect("/")


# POST: one-unit 1 station
@require_POST
def falls_back(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except IntegrityError:
        Station.objects.filter(name="a").update(free=1)
    return redirect("/")


# POST: one-unit 1 station
@require_POST
def tries_again(request: HttpRequest) -> HttpResponse:
    for attempt in range(3):
        try:
            Station.objects.create(name=f"a{attempt}")
        except IntegrityError:
            continue
        break
    return redirect("/")


# POST: one-unit 1 station
@require_POST
def saves_a_form(request: HttpRequest) -> HttpResponse:
    form = StationForm(request.POST)
    if form.is_valid():
        form.save()
        return redirect("/")
    return render(request, "x.html", {"form": form}, status=422)


# POST: one-unit 1 bike
@require_POST
def saves_a_form_in_two_steps(request: HttpRequest) -> HttpResponse:
    form = PlainBikeForm(request.POST)
    if form.is_valid():
        bike = form.save(commit=False)
        bike.state = "new"
        bike.save()
    return redirect("/")


# POST: one-unit 1 electricbike bike
@require_POST
def saves_a_form_of_two_tables(request: HttpRequest) -> HttpResponse:
    form = ElectricBikeForm(request.POST)
    if form.is_valid():
        form.save()
    return redirect("/")


# POST: one-unit 1 auditlog
@require_POST
def a_form_without_a_model(request: HttpRequest) -> HttpResponse:
    form = ContactForm(request.POST)
    if form.is_valid():
        form.save()
    return redirect("/")


# POST: protected 1 counter safeinvoice
@require_POST
def a_model_that_guards_itself(request: HttpRequest) -> HttpResponse:
    SafeInvoice.objects.create()
    return redirect("/")


# POST: one-unit 1 rental
@require_POST
def only_the_first_of_a_loop(request: HttpRequest) -> HttpResponse:
    for rental in Rental.objects.all():
        if rental.state == "open":
            rental.state = "done"
            rental.save()
            break
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def by_cursor(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE corpus_bike SET state = %s", ["free"])
    return redirect("/")


# POST: one-unit 1 payment
# PUT: reads-only 0
@csrf_exempt
@require_http_methods(["POST", "PUT"])
def by_method(request: HttpRequest) -> HttpResponse:
    if request.method == "PUT":
        return HttpResponseBadRequest()
    Payment.objects.create(rental=Rental.objects.get(), amount=3)
    return HttpResponse(status=201)


# POST: one-unit 1 coupon
@require_POST
def matches(request: HttpRequest) -> HttpResponse:
    match request.POST.get("what"):
        case "use":
            Coupon.objects.filter(pk=1).update(used=True)
        case "free":
            Coupon.objects.filter(pk=1).update(used=False)
        case _:
            return HttpResponseBadRequest()
    return redirect("/")


# POST: one-unit 1 auditlog
@require_POST
def a_generator_that_nobody_runs(request: HttpRequest) -> HttpResponse:
    (Tag.objects.create(name=name) for name in request.POST)
    AuditLog.objects.create(text="a")
    return redirect("/")
