"""The freezer and who fills it. For staff only."""

from __future__ import annotations

from django.contrib.admin.views.decorators import staff_member_required
from django.db import transaction
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from flavors.models import Flavor
from stock.forms import DeliveryForm
from stock.models import StockItem, StockMove, Supplier


@staff_member_required
@require_GET
def report(request: HttpRequest) -> HttpResponse:
    """Every flavor, the emptiest tub first."""
    items = StockItem.objects.select_related("flavor").order_by("scoops", "flavor__title")
    return render(request, "stock/report.html", {"items": items})


@staff_member_required
@require_GET
def moves(request: HttpRequest, slug: str) -> HttpResponse:
    """What came in and went out of one flavor."""
    flavor = get_object_or_404(Flavor, slug=slug)
    # Right: answered from the covering index stock_move_sums alone, without reading the table.
    sums = StockMove.objects.filter(flavor=flavor.pk).aggregate(moves=Count("scoops"), scoops=Sum("scoops"))
    return render(request, "stock/moves.html", {"flavor": flavor, "sums": sums})


@staff_member_required
@require_GET
def supplier(request: HttpRequest, pk: int) -> HttpResponse:
    """What a supplier brought lately."""
    found = get_object_or_404(Supplier, pk=pk)
    deliveries = (
        StockMove.objects.filter(supplier=found).select_related("flavor").order_by("-moved_at")[:30]
    )
    return render(request, "stock/supplier.html", {"supplier": found, "deliveries": deliveries})


@staff_member_required
def deliver(request: HttpRequest) -> HttpResponse:
    """Book a delivery: the move, and the tub it went into."""
    form = DeliveryForm(request.POST or None)
    if not form.is_valid():
        return render(request, "stock/deliver.html", {"form": form})
    with transaction.atomic():
        # Right: locked before it is read, so that nobody else's delivery is overwritten.
        item = StockItem.objects.select_for_update().get(flavor=form.cleaned_data["flavor"])
        item.scoops += form.cleaned_data["scoops"]
        item.save(update_fields=["scoops"])
        form.save()
    return redirect("stock:report")
