"""Who bought what."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from flavors.models import Flavor


def new_reference() -> str:
    """Make up the reference a customer is given, which must not be guessable."""
    return secrets.token_hex(6).upper()


class Order(models.Model):
    """One customer's order at one moment."""

    class Status(models.TextChoices):
        OPEN = "open"
        READY = "ready"
        SERVED = "served"
        CANCELLED = "cancelled"

    # Sin: redundant-index. Django gives a foreign key an index of its own, and
    # order_customer_recent below begins with the same column.
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    reference = models.CharField(max_length=12, default=new_reference)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    total = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    created_at = models.DateTimeField(default=timezone.now)
    # Sin: null-heavy-index. Hardly an order is ever exported, and the index holds them all. A partial
    # one, with condition=Q(exported_at__isnull=False), would hold those that are.
    exported_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="order_reference_unique"),
        ]
        indexes = [
            models.Index(fields=["customer", "-created_at"], name="order_customer_recent"),
            # Right: a partial index. The counter asks for the few open orders only, so the index
            # holds only those and stays small.
            models.Index(fields=["created_at"], name="order_open_idx", condition=models.Q(status="open")),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.reference])


class OrderLine(models.Model):
    """So many scoops of one flavor."""

    # Right: no index of its own, because order_line_position begins with the same column.
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    # Sin: unindexed-foreign-key. Nothing covers it: deleting a flavor reads the whole table.
    flavor = models.ForeignKey(Flavor, on_delete=models.PROTECT, db_index=False)
    position = models.PositiveSmallIntegerField()
    scoops = models.PositiveSmallIntegerField(default=1)
    price = models.DecimalField(max_digits=6, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position"),
        ]

    def __str__(self) -> str:
        return f"{self.scoops} scoops, line {self.position}"


class Receipt(models.Model):
    """What the till printed."""

    # Sin: sequence-near-limit. Four bytes: the till stops at 2,147,483,647. Order has the
    # project's BigAutoField, which will not run out.
    id = models.AutoField(primary_key=True)
    order = models.OneToOneField(Order, on_delete=models.CASCADE)
    printed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"receipt {self.pk}"
