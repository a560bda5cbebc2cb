"""Class-based views, generic and plain."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views import View
from django.views.generic import (
    CreateView,
    DeleteView,
    DetailView,
    FormView,
    ListView,
    RedirectView,
    TemplateView,
    UpdateView,
)

from corpus.forms import BikeForm, ContactForm, PlainBikeForm, StationForm
from corpus.models import AuditLog, Bike, Customer, Profile, Rental, Station, Tag


# GET: reads-only 0
class Bikes(ListView):
    queryset = Bike.objects.select_related("station")
    paginate_by = 20


# GET: reads-only 0
class OneBike(DetailView):
    model = Bike

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(tags=self.object.tags.all(), **kwargs)


# GET: reads-only 0
class Home(TemplateView):
    template_name = "x.html"


# GET: reads-only 0
class Elsewhere(RedirectView):
    url = "/"


# GET: reads-only 0
# POST: one-unit 1 station
class MakeStation(CreateView):
    model = Station
    fields = ("name",)
    success_url = "/"


# GET: reads-only 0
# POST: one-unit 1 bike
class ChangeBike(UpdateView):
    model = Bike
    form_class = PlainBikeForm
    success_url = "/"


# POST: one-unit 1 bike rental payment invoice electricbike bike_tags
class DropBike(DeleteView):
    model = Bike
    success_url = "/"


# GET: reads-only 0
# POST: one-unit 1 auditlog
class Contact(FormView):
    form_class = ContactForm
    success_url = "/"

    def form_valid(self, form: Any) -> HttpResponse:
        form.save()
        return super().form_valid(form)


# POST: protected 1 station auditlog
class MakeStationAtOnce(CreateView):
    model = Station
    fields = ("name",)
    success_url = "/"

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            AuditLog.objects.create(text="station")
        return answer


class Atomic:
    """A mixin, as projects have it."""

    @method_decorator(transaction.atomic)
    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(*args, **kwargs)  # type: ignore[misc]  # a view comes after it


# POST: protected 1 tag station
class ByMixin(Atomic, View):
    def post(self, request: HttpRequest) -> HttpResponse:
        Tag.objects.create(name="a")
        Station.objects.create(name="a")
        return redirect("/")


# POST: protected 1 tag station
@method_decorator(transaction.atomic, name="post")
class ByMethod(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        Tag.objects.create(name="a")
        Station.objects.create(name="a")
        return redirect("/")


# GET: reads-only 0
# POST: split 2 station auditlog
class MakeStationAndTell(CreateView):  # finds: split-writes
    model = Station
    fields = ("name",)
    success_url = "/"

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        AuditLog.objects.create(text="station")
        return answer


# POST: split 2 bike bike_tags auditlog
class MakeBike(CreateView):  # finds: hidden-second-write
    model = Bike
    form_class = BikeForm
    success_url = "/"


# POST: split 2 bike bike_tags auditlog
class ChangeWholeBike(UpdateView):  # finds: hidden-second-write
    model = Bike
    form_class = BikeForm
    success_url = "/"


# POST: split 2 customer profile
class SignUp(CreateView):  # finds: receiver-writes
    model = Customer
    fields = ("email",)
    success_url = "/"


# POST: split 2 rental bike
class Rents(View):  # finds: split-writes
    def post(self, request: HttpRequest) -> HttpResponse:
        rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
        self.take(rental.bike)
        return redirect("/")

    def take(self, bike: Bike) -> None:
        bike.state = "out"
        bike.save()


class Seen:
    """A mixin that writes on every request."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        AuditLog.objects.create(text="seen")
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # a view comes after it


# GET: one-unit 1 auditlog
# POST: split 2 auditlog tag
class SeenView(Seen, View):  # finds: split-writes
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def post(self, request: HttpRequest) -> HttpResponse:
        Tag.objects.create(name="a")
        return HttpResponse()


# POST: split 2 station auditlog
class StationAndNote(FormView):  # finds: split-writes
    form_class = StationForm
    success_url = "/"

    def form_valid(self, form: Any) -> HttpResponse:
        self.station = form.save()
        self.tell()
        return super().form_valid(form)

    def tell(self) -> None:
        AuditLog.objects.create(text=self.station.name)


# POST: one-unit 1 profile
class Language(UpdateView):
    model = Profile
    fields = ("language",)
    success_url = "/"


# POST: split 2 tag auditlog bike_tags
class DropTag(DeleteView):  # finds: split-writes
    model = Tag
    success_url = "/"

    def form_valid(self, form: forms.Form) -> HttpResponse:
        AuditLog.objects.create(text="gone")
        return super().form_valid(form)


# POST: mixed 2 station auditlog
class MakeStationInPart(CreateView):  # finds: partly-covered-view
    model = Station
    fields = ("name",)
    success_url = "/"

    @transaction.atomic
    def save(self, form: Any) -> None:
        self.object = form.save()

    def form_valid(self, form: Any) -> HttpResponse:
        self.save(form)
        AuditLog.objects.create(text="station")
        return redirect("/")
