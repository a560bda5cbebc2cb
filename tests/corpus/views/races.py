"""Looking first and writing then."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from corpus.forms import CouponForm
from corpus.models import Bike, Coupon, Customer, LoginAttempt, Payment, Rental, Station, Tag


# POST: one-unit 1 station
@require_POST
def a_unique_field(request: HttpRequest) -> HttpResponse:
    if not Station.objects.filter(name="a").exists():
        Station.objects.create(name="a")
    return redirect("/")


# POST: one-unit 1 station
@require_POST
def a_unique_field_at_once(request: HttpRequest) -> HttpResponse:
    Station.objects.get_or_create(name="a", defaults={"free": 3})
    return redirect("/")


# POST: one-unit 1 payment
@require_POST
def a_constraint(request: HttpRequest) -> HttpResponse:
    Payment.objects.get_or_create(rental=Rental.objects.get(), reference="a")
    return redirect("/")


# POST: one-unit 1 payment
@require_POST
def a_constraint_by_relation(request: HttpRequest, pk: int) -> HttpResponse:
    rental = get_object_or_404(Rental, pk=pk)
    if not rental.payments.filter(reference="a").exists():
        Payment.objects.create(rental=rental, reference="a")
    return redirect("/")


# POST: one-unit 1 coupon
@require_POST
def together(request: HttpRequest) -> HttpResponse:
    Coupon.objects.update_or_create(code="a", customer=Customer.objects.get(), defaults={"used": True})
    return redirect("/")


# POST: protected 1 tag
@require_POST
@transaction.atomic
def under_a_lock(request: HttpRequest) -> HttpResponse:
    Station.objects.select_for_update().get(name="tags")
    if not Tag.objects.filter(name="a").exists():
        Tag.objects.create(name="a")
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def looks_and_updates(request: HttpRequest) -> HttpResponse:
    if Bike.objects.filter(state="free").exists():
        Bike.objects.filter(state="free").update(state="out")
    return redirect("/")


# POST: one-unit 1 loginattempt
@require_POST
def looks_for_another_model(request: HttpRequest) -> HttpResponse:
    if not Customer.objects.filter(email="a@example.com").exists():
        LoginAttempt.objects.create(email="a@example.com")
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def always_writes(request: HttpRequest) -> HttpResponse:
    first = not Tag.objects.filter(name="a").exists()
    Tag.objects.create(name="first" if first else "more")
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def exists_then_create(request: HttpRequest) -> HttpResponse:
    if not Tag.objects.filter(name="a").exists():  # finds: check-then-act
        Tag.objects.create(name="a")
    return redirect("/")


# POST: protected 1 tag
@require_POST
@transaction.atomic
def a_block_does_not_help(request: HttpRequest) -> HttpResponse:
    if not Tag.objects.filter(name="a").exists():  # finds: check-then-act
        Tag.objects.create(name="a")
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def get_or_create_of_no_unique(request: HttpRequest) -> HttpResponse:
    Tag.objects.get_or_create(name="a")  # finds: check-then-act
    return redirect("/")


# POST: one-unit 1 rental
@require_POST
def update_or_create_of_no_unique(request: HttpRequest) -> HttpResponse:
    bike, customer = Bike.objects.get(), Customer.objects.get()
    wanted = {"bike": bike, "customer": customer}
    Rental.objects.update_or_create(**wanted, defaults={"state": "open"})  # finds: check-then-act
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def by_hand(request: HttpRequest) -> HttpResponse:
    try:
        tag = Tag.objects.get(name="a")  # finds: check-then-act
    except Tag.DoesNotExist:
        tag = Tag.objects.create(name="a")
    return HttpResponse(tag.name)


# POST: one-unit 1 tag
@require_POST
def by_first(request: HttpRequest) -> HttpResponse:
    tag = Tag.objects.filter(name="a").first()  # finds: check-then-act
    if tag is None:
        tag = Tag(name="a")
        tag.save()
    return HttpResponse(tag.name)


# POST: one-unit 1 rental
@require_POST
def leaves_if_there_is_one(request: HttpRequest) -> HttpResponse:
    bike = Bike.objects.get()
    if Rental.objects.filter(bike=bike, state="open").exists():  # finds: check-then-act
        return redirect("/taken")
    Rental.objects.create(bike=bike, customer=Customer.objects.get())
    return redirect("/")


# POST: one-unit 1 coupon
@require_POST
def in_a_form(request: HttpRequest) -> HttpResponse:
    form = CouponForm(request.POST, instance=Coupon(customer=Customer.objects.get()))
    if form.is_valid():
        form.save()
    return redirect("/")


# POST: one-unit 1 station
@require_POST
def catches_what_the_constraint_says(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except IntegrityError:
        return redirect("/taken")
    return redirect("/")
