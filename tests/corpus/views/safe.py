"""GET, which should change nothing."""

from __future__ import annotations

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views import View
from django.views.decorators.http import require_GET, require_http_methods

from corpus.forms import StationForm
from corpus.models import AuditLog, Bike, Profile, Rental, Station, Tag


# GET: one-unit 1 station
@require_GET
def makes_what_is_missing(request: HttpRequest) -> HttpResponse:
    station, _ = Station.objects.get_or_create(name="home")
    return HttpResponse(station.name)


# GET: one-unit 1 station
@require_GET
def makes_what_is_missing_by_hand(request: HttpRequest) -> HttpResponse:
    try:
        station = Station.objects.get(name="home")
    except Station.DoesNotExist:
        station = Station.objects.create(name="home")
    return HttpResponse(station.name)


# GET: one-unit 1 bike
@require_GET
def notes_the_visit(request: HttpRequest, pk: int) -> HttpResponse:
    Bike.objects.filter(pk=pk).update(last_seen=timezone.now())
    return HttpResponse()


# GET: one-unit 1 profile
@require_GET
def counts_the_visit(request: HttpRequest, pk: int) -> HttpResponse:
    Profile.objects.filter(pk=pk).update(views=F("views") + 1)
    return HttpResponse()


# GET: one-unit 1 auditlog
@require_GET
def keeps_a_log(request: HttpRequest) -> HttpResponse:
    AuditLog.objects.create(text="seen")
    return HttpResponse()


# GET: reads-only 0
# POST: one-unit 1 tag
@require_http_methods(["GET", "POST"])
def asks_first(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        Tag.objects.create(name="a")
    return HttpResponse()


# GET: one-unit 1 rental
@require_GET  # finds: safe-method-writes
def closes(request: HttpRequest, pk: int) -> HttpResponse:
    rental = get_object_or_404(Rental, pk=pk)
    rental.state = "closed"
    rental.save(update_fields=["state"])
    return redirect("/")


# GET: one-unit 1 tag bike_tags
@require_GET  # finds: safe-method-writes
def deletes(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Tag, pk=pk).delete()
    return redirect("/")


# GET: one-unit 1 tag
# POST: one-unit 1 tag
def whatever_the_method(request: HttpRequest) -> HttpResponse:  # finds: safe-method-writes
    Tag.objects.create(name="a")
    return redirect("/")


# GET: one-unit 1 station
class Resets(View):  # finds: safe-method-writes
    def get(self, request: HttpRequest) -> HttpResponse:
        Station.objects.update(free=0)
        return redirect("/")


# GET: reads-only 0
# POST: one-unit 1 station
def a_form_without_data(request: HttpRequest) -> HttpResponse:
    form = StationForm(request.POST or None)
    if not form.is_valid():
        return HttpResponse(form.as_p())
    form.save()
    return redirect("/")


# PUT: reads-only 0
# POST: one-unit 1 station
@require_http_methods(["POST", "PUT"])
def an_empty_form(request: HttpRequest) -> HttpResponse:
    # Django reads no form from the body of a PUT.
    form = StationForm(request.POST)
    if form.is_valid():
        form.save()
    return redirect("/")
