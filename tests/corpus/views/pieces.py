"""Views that commit in pieces; the general case, and what hides the second piece."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model, login
from django.core.mail import send_mail
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from corpus.forms import BikeForm, CustomerForm, LoggedForm
from corpus.models import (
    AuditLog,
    Bike,
    Customer,
    ElectricBike,
    Invoice,
    Payment,
    Rental,
    Station,
    Tag,
)


# POST: split 2 rental bike
@require_POST  # finds: split-writes
def rents(request: HttpRequest, pk: int) -> HttpResponse:
    bike = get_object_or_404(Bike, pk=pk)
    Rental.objects.create(bike=bike, customer=Customer.objects.get())
    bike.state = "out"
    bike.save()
    return redirect("/")


# POST: split 3 rental payment bike
@require_POST  # finds: split-writes
def brings_back(request: HttpRequest, pk: int) -> HttpResponse:
    rental = get_object_or_404(Rental, pk=pk)
    rental.state = "done"
    rental.save(update_fields=["state"])
    Payment(rental=rental, amount=3).save()
    Bike.objects.filter(rentals=rental).update(state="free")
    return redirect("/")


# POST: split 2 bike
@require_POST  # finds: split-writes
def one_table_twice(request: HttpRequest) -> HttpResponse:
    Bike.objects.filter(state="out").update(state="free")
    Bike.objects.filter(state="new").update(state="free")
    return redirect("/")


def pay(rental: Rental) -> None:
    Payment.objects.create(rental=rental)
    rental.state = "paid"
    rental.save()


# POST: split 2 payment rental
@require_POST  # finds: split-writes
def in_a_helper(request: HttpRequest, pk: int) -> HttpResponse:
    pay(get_object_or_404(Rental, pk=pk))
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def after_a_branch(request: HttpRequest) -> HttpResponse:
    if request.POST.get("tag"):
        Tag.objects.create(name="a")
    Station.objects.create(name="b")
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def in_a_handler_after_a_write(request: HttpRequest) -> HttpResponse:
    try:
        Tag.objects.create(name="a")
        send_mail("a", "b", None, ["c@example.com"])
    except OSError:
        Station.objects.create(name="b")
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def in_finally(request: HttpRequest) -> HttpResponse:
    try:
        Tag.objects.create(name="a")
    finally:
        Station.objects.create(name="b")
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def in_else(request: HttpRequest) -> HttpResponse:
    try:
        Tag.objects.create(name="a")
    except ValueError:
        return redirect("/a")
    else:
        Station.objects.create(name="b")
    return redirect("/")


# POST: split 2 bike tag
@require_POST  # finds: split-writes
def by_cursor(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE corpus_bike SET state = %s", ["free"])
        cursor.execute("DELETE FROM corpus_tag")
    return redirect("/")


# POST: split 2 bike tag
@require_POST  # finds: split-writes
def by_a_table_expression(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("WITH gone AS (DELETE FROM corpus_tag RETURNING 1) SELECT count(*) FROM gone")
    Bike.objects.update(state="free")
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def by_partial(request: HttpRequest) -> HttpResponse:
    make = functools.partial(Tag.objects.create, name="a")
    make()
    functools.partial(Station.objects.create, name="b")()
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def by_a_table_of_functions(request: HttpRequest) -> HttpResponse:
    steps: list[Any] = [lambda: Tag.objects.create(name="a")]
    for step in steps:
        step()
        break
    Station.objects.create(name="b")
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def by_name(request: HttpRequest) -> HttpResponse:
    getattr(Tag.objects, "create")(name="a")  # noqa: B009  # what is tried
    Station._default_manager.create(name="b")
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def in_a_generator(request: HttpRequest) -> HttpResponse:
    def rows() -> Iterator[int]:
        Tag.objects.create(name="a")
        yield 1

    next(rows())
    Station.objects.create(name="b")
    return redirect("/")


def recorded(view: Any) -> Any:
    @functools.wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        AuditLog.objects.create(text="seen")
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return inner


# POST: split 2 auditlog tag
@require_POST  # finds: split-writes
@recorded
def below_a_decorator(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    return redirect("/")


# POST: split 4 tag
@require_POST  # finds: split-writes
def logs_in(request: HttpRequest) -> HttpResponse:
    # The session is made anew, the old one goes, and last_login is noted: that is the framework's.
    Tag.objects.create(name="a")
    login(request, get_user_model().objects.get())
    return redirect("/")


# POST: split 3
@require_POST
def only_logs_in(request: HttpRequest) -> HttpResponse:
    login(request, get_user_model().objects.get())
    return redirect("/")


# Receivers.


# POST: split 2 customer profile
@require_POST  # finds: receiver-writes
def signs_up(request: HttpRequest) -> HttpResponse:
    Customer.objects.create(email="a@example.com")
    return redirect("/")


# POST: split 2 customer profile
@require_POST  # finds: receiver-writes
def signs_up_by_form(request: HttpRequest) -> HttpResponse:
    form = CustomerForm(request.POST)
    if form.is_valid():
        form.save()
    return redirect("/")


# POST: one-unit 1 customer
@require_POST
def receiver_of_new_rows_alone(request: HttpRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=pk)
    customer.name = "b"
    customer.save()
    return redirect("/")


# POST: split 3 customer profile tag
@require_POST  # finds: split-writes
def a_receiver_and_more(request: HttpRequest) -> HttpResponse:
    Customer.objects.create(email="a@example.com")
    Tag.objects.create(name="a")
    return redirect("/")


# One call, two pieces.


# POST: split 2 bike bike_tags auditlog
@require_POST  # finds: hidden-second-write
def a_form_with_a_relation(request: HttpRequest) -> HttpResponse:
    form = BikeForm(request.POST)
    if form.is_valid():
        form.save()
    return redirect("/")


# POST: split 2 bike bike_tags auditlog
@require_POST  # finds: split-writes
def a_form_whose_relations_come_later(request: HttpRequest) -> HttpResponse:
    form = BikeForm(request.POST)
    if form.is_valid():
        bike = form.save(commit=False)
        bike.state = "new"
        bike.save()
        form.save_m2m()
    return redirect("/")


# POST: split 2 counter invoice
@require_POST  # finds: hidden-second-write
def a_model_that_saves_more(request: HttpRequest, pk: int) -> HttpResponse:
    Invoice.objects.create(rental=get_object_or_404(Rental, pk=pk))
    return redirect("/")


# POST: split 2 rental auditlog
@require_POST  # finds: hidden-second-write
def a_form_that_saves_more(request: HttpRequest) -> HttpResponse:
    form = LoggedForm(request.POST)
    if form.is_valid():
        form.save()
    return redirect("/")


# POST: split 2 bike_tags auditlog tag
@require_POST  # finds: hidden-second-write
def creates_through_a_relation(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Bike, pk=pk).tags.create(name="a")
    return redirect("/")


# POST: split 2 electricbike bike
@require_POST  # finds: multi-table-update
def updates_two_tables_of_one_row(request: HttpRequest) -> HttpResponse:
    ElectricBike.objects.filter(battery=0).update(battery=100, state="free")
    return redirect("/")


# POST: split 2 rental payment
@require_POST  # finds: split-writes
def early_return_after_both(request: HttpRequest) -> HttpResponse:
    rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
    if request.POST.get("pay"):
        Payment.objects.create(rental=rental)
        return redirect("/paid")
    return redirect("/")


# POST: split 2 rental payment
@require_POST  # finds: split-writes
def before_it_fails(request: HttpRequest) -> HttpResponse:
    rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
    Payment.objects.create(rental=rental)
    raise ValueError
