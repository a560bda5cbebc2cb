"""Buying, and what the people behind the counter do about it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import DetailView, ListView

from orders.checkout import (
    SoldOutError,
    create_lines,
    create_order,
    lock_stock,
    send_cancellation,
    send_confirmation,
    take_scoops,
)
from orders.forms import CheckoutForm
from orders.models import Order, Receipt
from users.models import User
from users.requests import UserRequest


@login_required
def checkout(request: UserRequest) -> HttpResponse:
    form = CheckoutForm(request.POST or None)
    if not form.is_valid():
        return render(request, "orders/checkout.html", {"form": form})
    flavors, scoops = list(form.cleaned_data["flavors"]), form.cleaned_data["scoops"]
    try:
        # Right: the order, its lines and the stock change together or not at all.
        with transaction.atomic():
            lock_stock(flavors, scoops)
            order = create_order(request.user, flavors, scoops)
            create_lines(order, flavors, scoops)
            take_scoops(flavors, scoops)
            # Right: no mail about an order that is rolled back, and no lock held while it is sent.
            transaction.on_commit(partial(send_confirmation, order, request.user.email))
    except SoldOutError:
        form.add_error(None, "Sorry, somebody else had the last scoop.")
        return render(request, "orders/checkout.html", {"form": form})
    return redirect(order)


@login_required
def checkout_in_pieces(request: UserRequest) -> HttpResponse:
    form = CheckoutForm(request.POST or None)
    if not form.is_valid():
        return render(request, "orders/checkout.html", {"form": form})
    flavors, scoops = list(form.cleaned_data["flavors"]), form.cleaned_data["scoops"]
    # Sin: split-writes. Three commits: whatever fails in between leaves an order without lines, or
    # ice cream sold that is still in the books.
    order = create_order(request.user, flavors, scoops)
    create_lines(order, flavors, scoops)
    take_scoops(flavors, scoops)
    send_confirmation(order, request.user.email)
    return redirect(order)


class OrderList(LoginRequiredMixin, ListView):
    """A customer's own orders, the latest first."""

    request: UserRequest
    paginate_by = 20

    def get_queryset(self) -> QuerySet[Order]:
        return (
            Order.objects.filter(customer=self.request.user)
            .prefetch_related("lines__flavor")
            .order_by("-created_at")
        )


class OrderDetail(LoginRequiredMixin, DetailView):
    """One of a customer's own orders."""

    request: UserRequest
    slug_field = slug_url_kwarg = "reference"

    def get_queryset(self) -> QuerySet[Order]:
        return (
            Order.objects.filter(customer=self.request.user)
            .select_related("receipt")
            .prefetch_related("lines__flavor")
        )


@login_required
@require_POST
def cancel(request: UserRequest, reference: str) -> HttpResponse:
    order = get_object_or_404(Order, reference=reference, customer=request.user)
    with transaction.atomic():
        order.status = Order.Status.CANCELLED
        order.save(update_fields=["status"])
        # Right: sent once it is true.
        transaction.on_commit(partial(send_cancellation, order, request.user.email))
    return redirect(order)


@login_required
@require_POST
def cancel_and_mail_at_once(request: UserRequest, reference: str) -> HttpResponse:
    order = get_object_or_404(Order, reference=reference, customer=request.user)
    with transaction.atomic():
        order.status = Order.Status.CANCELLED
        order.save(update_fields=["status"])
        # Sin: mail-in-transaction. The row stays locked while the mail server thinks, and a
        # rollback cannot unsend.
        send_cancellation(order, request.user.email)
    return redirect(order)


@staff_member_required
@require_GET
def counter(request: HttpRequest) -> HttpResponse:
    """What is to be scooped next."""
    # Right: the partial index order_open_idx holds exactly these, in this order.
    waiting = (
        Order.objects.filter(status="open")
        .select_related("customer")
        .prefetch_related("lines__flavor")
        .order_by("created_at")[:25]
    )
    return render(request, "orders/counter.html", {"waiting": waiting})


@staff_member_required
@require_POST
def serve(request: UserRequest, reference: str) -> HttpResponse:
    """Hand over the ice cream and print the receipt, once, however often the button is pressed."""
    with transaction.atomic():
        order = get_object_or_404(Order.objects.select_for_update(), reference=reference)
        if order.status == Order.Status.OPEN:
            order.status = Order.Status.SERVED
            order.save(update_fields=["status"])
            Receipt.objects.create(order=order)
    return redirect("orders:counter")


@staff_member_required
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Find the orders of whoever telephones, by mail address in any case."""
    email = request.GET.get("email", "")
    # Right: the expression index user_email_upper_idx answers __iexact.
    customer = User.objects.filter(email__iexact=email).first() if email else None
    orders = Order.objects.filter(customer=customer).order_by("-created_at")[:20]
    context = {"email": email, "customer": customer, "orders": orders if customer else []}
    return render(request, "orders/find.html", context)


@staff_member_required
@require_GET
def takings(request: HttpRequest) -> HttpResponse:
    # Right: a statement that only reads needs no transaction.
    return render(request, "orders/takings.html", {"rows": takings_by_status()})


@staff_member_required
@require_GET
@transaction.atomic
def takings_in_transaction(request: HttpRequest) -> HttpResponse:
    # Sin: read-only-transaction. BEGIN and COMMIT for nothing, and the connection sits idle in
    # transaction while the template renders.
    return render(request, "orders/takings.html", {"rows": takings_by_status()})


def takings_by_status() -> Sequence[Mapping[str, object]]:
    # Sin: heavy-sequential-scans. Every order that ever was, each time somebody looks.
    orders = Order.objects.values("status").annotate(orders=Count("pk"), total=Sum("total"))
    return list(orders.order_by("status"))


class Echo:
    """A file that hands back what is written to it, for csv.writer to write into a response."""

    def write(self, value: str) -> str:
        return value


@staff_member_required
@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    # Right: read in pieces, sent in pieces, nothing written.
    orders = Order.objects.select_related("customer").order_by("-pk")[:500]
    return csv_response(csv_row(order) for order in orders.iterator(chunk_size=200))


@staff_member_required
@require_POST
def export_and_mark(request: HttpRequest) -> StreamingHttpResponse:
    orders = Order.objects.select_related("customer").order_by("-pk")[:50]
    return csv_response(marked_rows(orders))


def marked_rows(orders: QuerySet[Order]) -> Iterator[str]:
    for order in orders:
        # Sin: write-while-streaming. The view has returned long ago: no transaction of its own can
        # hold these, and a customer who hangs up leaves half of them marked.
        order.exported_at = timezone.now()
        order.save(update_fields=["exported_at"])
        yield csv_row(order)


def csv_row(order: Order) -> str:
    row: str = csv.writer(Echo()).writerow(
        [order.reference, order.customer.username, order.status, order.total, order.created_at]
    )
    return row


def csv_response(rows: Iterator[str]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        rows,
        content_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="orders.csv"'},
    )
