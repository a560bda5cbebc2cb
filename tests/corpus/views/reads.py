"""Views that write nothing, though some look as if they did."""

from __future__ import annotations

import copy
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_list_or_404, get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from corpus.forms import BikeForm, CouponForm, CustomerForm, StationForm
from corpus.models import Bike, Customer, Rental, Station


# GET: reads-only 0
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "x.html", {"bikes": Bike.objects.select_related("station")})


# GET: reads-only 0
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    bike = get_object_or_404(Bike, pk=pk)
    return render(request, "x.html", {"bike": bike, "tags": list(bike.tags.all())})


# GET: reads-only 0
@login_required
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    rentals = Rental.objects.filter(customer__email=request.user.get_username()).order_by("-pk")
    page = Paginator(rentals, 20).get_page(request.GET.get("page"))
    return render(request, "x.html", {"page": page})


# GET: reads-only 0
@require_GET
def totals(request: HttpRequest) -> HttpResponse:
    found = Rental.objects.values("bike").annotate(number=Count("pk"), paid=Sum("price"))
    return JsonResponse({"totals": list(found)})


# GET: reads-only 0
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "")
    found = Bike.objects.filter(Q(frame__icontains=words) | Q(station__name__icontains=words))
    if not found.exists():
        raise Http404
    return JsonResponse({"bikes": [bike.frame for bike in found]})


# GET: reads-only 0
@require_GET
def several(request: HttpRequest) -> HttpResponse:
    bikes = get_list_or_404(Bike, state="free")
    return JsonResponse({"number": len(bikes)})


# GET: reads-only 0
@require_GET
def raw(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM corpus_bike WHERE state = %s", ["update"])
        return HttpResponse(cursor.fetchone()[0])


# GET: reads-only 0
@require_GET
def raw_with_a_table_expression(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("WITH free AS (SELECT 1 FROM corpus_bike) SELECT count(*) FROM free")
        return HttpResponse(cursor.fetchone()[0])


# GET: reads-only 0
@require_GET
def cached(request: HttpRequest) -> HttpResponse:
    found = cache.get("bikes")
    if found is None:
        found = Bike.objects.count()
        cache.set("bikes", found, 60)
    return HttpResponse(found)


# POST: reads-only 0
@require_POST
def price(request: HttpRequest) -> HttpResponse:
    rental = Rental(bike=Bike.objects.get(), customer=Customer.objects.get(), price=3)
    rental.price += 1
    return HttpResponse(rental.price)


# POST: reads-only 0
@require_POST
def validates(request: HttpRequest) -> HttpResponse:
    form = StationForm(request.POST)
    return JsonResponse({"valid": form.is_valid()})


# POST: reads-only 0
@require_POST
def validates_without_saving(request: HttpRequest) -> HttpResponse:
    form = CustomerForm(request.POST)
    if form.is_valid():
        form.save(commit=False)
    return HttpResponse()


# POST: reads-only 0
@require_POST
def keeps_lists(request: HttpRequest) -> HttpResponse:
    basket: dict[str, Any] = {}
    basket.update(request.POST.dict())
    names = set(basket)
    names.add("x")
    names.discard("y")
    numbers = [1]
    numbers.remove(1)
    numbers.clear()
    return JsonResponse({"names": sorted(names)})


# POST: reads-only 0
@require_POST
def copies(request: HttpRequest) -> HttpResponse:
    bike = copy.copy(Bike.objects.get())
    bike.pk = None
    bike.state = "copy"
    return HttpResponse(bike.state)


# GET: reads-only 0
@require_GET
def leaves_before_it_writes(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        Bike.objects.update(state="free")
        Station.objects.update(free=0)
    return HttpResponse()


# POST: reads-only 0
@require_POST
def refuses(request: HttpRequest) -> HttpResponse:
    if not request.POST:
        raise PermissionDenied
    return HttpResponse(status=409)


# GET: reads-only 0
@require_GET
def builds_querysets(request: HttpRequest) -> HttpResponse:
    found = Bike.objects.annotate(more=F("rides") + 1)
    if request.GET.get("free"):
        found = found.filter(state="free")
    return JsonResponse({"more": [bike.more for bike in found[:10]]})


# GET: reads-only 0
@require_GET
def never_evaluated(request: HttpRequest) -> HttpResponse:
    Bike.objects.select_for_update().filter(state="free")
    return HttpResponse()


def label(bike: Bike) -> str:
    return f"{bike.frame} at {bike.station.name}"


# GET: reads-only 0
@require_GET
def calls_a_helper(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"labels": [label(bike) for bike in Bike.objects.all()]})


# POST: reads-only 0
@require_POST
def shows_a_form(request: HttpRequest) -> HttpResponse:
    form = BikeForm(instance=Bike.objects.get())
    return render(request, "x.html", {"form": form})


# POST: reads-only 0
@require_POST
def checks_a_coupon(request: HttpRequest) -> HttpResponse:
    form = CouponForm(request.POST)
    return JsonResponse({"valid": form.is_valid()})


# GET: reads-only 0
@require_GET
def reads_the_session(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.session.get("basket", ""))


# POST: reads-only 0
@require_POST
def sets_the_session(request: HttpRequest) -> HttpResponse:
    request.session["basket"] = request.POST.dict()
    return HttpResponse()


# GET: reads-only 0
@require_GET
def in_bulk(request: HttpRequest) -> HttpResponse:
    bikes = Bike.objects.in_bulk([1, 2])
    return JsonResponse({"frames": [bike.frame for bike in bikes.values()]})


# GET: reads-only 0
@require_GET
def first_or_none(request: HttpRequest) -> HttpResponse:
    bike = Bike.objects.filter(frame="x").first()
    if bike is None:
        return HttpResponse(status=404)
    return HttpResponse(bike.frame)
