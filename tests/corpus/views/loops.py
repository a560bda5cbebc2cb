"""Loops that write, and loops that only look so."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from corpus.forms import BikeFormSet, RentalFormSet
from corpus.models import AuditLog, Bike, Rental, Station, Tag


# POST: protected 1 bike
@require_POST
def all_in_one_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        for bike in Bike.objects.all():
            bike.state = "free"
            bike.save()
    return redirect("/")


# POST: one-unit 1 bike
@require_POST
def no_loop_at_all(request: HttpRequest) -> HttpResponse:
    Bike.objects.filter(state="out").update(rides=F("rides") + 1)
    return redirect("/")


# POST: one-unit 1 tag bike_tags
@require_POST
def leaves_with_the_first(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        if tag.name == request.POST.get("name"):
            tag.delete()
            return redirect("/")
    return redirect("/none")


# POST: one-unit 1 tag
@require_POST
def collects_and_writes_once(request: HttpRequest) -> HttpResponse:
    made = []
    for name in request.POST.getlist("names"):
        made.append(Tag(name=name))  # noqa: PERF401  # as projects have it
    Tag.objects.bulk_create(made)
    return redirect("/")


# POST: split loop bike
@require_POST  # finds: write-loop
def saves_each(request: HttpRequest) -> HttpResponse:
    for bike in Bike.objects.all():
        bike.state = "free"
        bike.save()
    return redirect("/")


# POST: split loop tag
@require_POST  # finds: write-loop
def in_a_comprehension(request: HttpRequest) -> HttpResponse:
    made = [Tag.objects.create(name=name) for name in request.POST.getlist("names")]
    return HttpResponse(len(made))


# POST: split loop rental bike
@require_POST  # finds: write-loop
def two_tables_each(request: HttpRequest) -> HttpResponse:
    for rental in Rental.objects.filter(state="open"):
        rental.state = "done"
        rental.save()
        Bike.objects.filter(pk=rental.bike_id).update(state="free")
    return redirect("/")


def forget(tag: Tag) -> None:
    tag.delete()


# POST: split loop tag bike_tags
@require_POST  # finds: write-loop
def in_a_helper(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.filter(name="old"):
        forget(tag)
    return redirect("/")


# POST: split loop tag bike_tags
@require_POST  # finds: write-loop
def by_map(request: HttpRequest) -> HttpResponse:
    list(map(forget, Tag.objects.all()))
    return redirect("/")


# POST: split loop station
@require_POST  # finds: write-loop
def while_there_are_some(request: HttpRequest) -> HttpResponse:
    left = 3
    while left:
        Station.objects.create(name=f"s{left}")
        left -= 1
    return redirect("/")


# POST: split loop bike
@require_POST  # finds: write-loop
def a_formset(request: HttpRequest) -> HttpResponse:
    formset = BikeFormSet(request.POST)
    if formset.is_valid():
        formset.save()
    return redirect("/")


# POST: split loop rental payment invoice
@require_POST  # finds: write-loop
def an_inline_formset(request: HttpRequest) -> HttpResponse:
    formset = RentalFormSet(request.POST, instance=Bike.objects.get())
    if formset.is_valid():
        formset.save()
    return redirect("/")


# POST: split loop auditlog tag
@require_POST  # finds: split-writes
def a_loop_and_more(request: HttpRequest) -> HttpResponse:
    for name in request.POST.getlist("names"):
        Tag.objects.create(name=name)
    AuditLog.objects.create(text="tags")
    return redirect("/")


# POST: mixed loop rental payment invoice bike
@require_POST  # finds: partly-covered-view
def a_block_for_each(request: HttpRequest) -> HttpResponse:
    for rental in Rental.objects.all():
        with transaction.atomic():
            rental.delete()
            Bike.objects.filter(pk=rental.bike_id).update(state="free")
    return redirect("/")


def walk(station: Station, depth: int) -> None:
    station.save()
    if depth:
        walk(station, depth - 1)


# POST: split loop station
@require_POST  # finds: write-loop
def recurses(request: HttpRequest) -> HttpResponse:
    walk(Station.objects.get(), 3)
    return redirect("/")


# POST: split loop tag
@require_POST  # finds: write-loop
def skips_some(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        if not tag.name:
            continue
        tag.name = tag.name.strip()
        tag.save()
    return redirect("/")
