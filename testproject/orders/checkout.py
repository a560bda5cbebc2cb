"""The steps of buying ice cream. Each writes; whoever calls them decides about the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.core.mail import send_mail
from django.db.models import F

from flavors.models import Flavor
from orders.models import Order, OrderLine
from stock.models import StockItem
from users.models import User


class SoldOutError(Exception):
    """There is less in the freezer than was asked for."""


def create_order(customer: User, flavors: Sequence[Flavor], scoops: int) -> Order:
    total = sum((flavor.price * scoops for flavor in flavors), Decimal(0))
    return Order.objects.create(customer=customer, total=total)


def create_lines(order: Order, flavors: Sequence[Flavor], scoops: int) -> None:
    OrderLine.objects.bulk_create(
        OrderLine(order=order, flavor=flavor, position=position, scoops=scoops, price=flavor.price)
        for position, flavor in enumerate(flavors, start=1)
    )


def take_scoops(flavors: Sequence[Flavor], scoops: int) -> None:
    StockItem.objects.filter(flavor__in=flavors).update(scoops=F("scoops") - scoops)


def lock_stock(flavors: Sequence[Flavor], scoops: int) -> None:
    """Keep others from the same tubs until the transaction ends, and see that enough is left."""
    # Right: locked inside a transaction, always in the same order, so that two customers who want
    # the same flavors wait for each other and never deadlock.
    items = StockItem.objects.select_for_update().filter(flavor__in=flavors).order_by("pk")
    if any(item.scoops < scoops for item in items):
        raise SoldOutError


def send_confirmation(order: Order, address: str) -> None:
    send_mail(
        f"Your order {order.reference}",
        f"Thank you! We scoop for {order.total} and call you.",
        None,
        [address],
    )


def send_cancellation(order: Order, address: str) -> None:
    send_mail(f"Order {order.reference} is cancelled", "See you soon.", None, [address])
