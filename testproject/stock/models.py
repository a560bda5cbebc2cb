"""What is in the freezer."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from flavors.models import Flavor


class Supplier(models.Model):
    """Who brings the milk and the mangos."""

    name = models.CharField(max_length=100)
    # Not unique: somebody once tried to make it so on the server, and failed. See the command
    # `fill`, which leaves the same invalid index behind.
    email = models.EmailField()

    class Meta:
        indexes = [
            # Sin: index-missing-from-database. Whoever tried dropped this one first, and the command
            # `fill` does too.
            models.Index(fields=["email"], name="stock_supplier_email_idx"),
        ]

    def __str__(self) -> str:
        return self.name


class StockItem(models.Model):
    """How many scoops of a flavor are left."""

    flavor = models.OneToOneField(Flavor, on_delete=models.CASCADE, related_name="stock")
    scoops = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.scoops} scoops"


class StockMove(models.Model):
    """A delivery, a sale or a melted tub."""

    # Right: one index for the foreign key, with the column its sums need included, so that the
    # stock page is answered from the index alone.
    flavor = models.ForeignKey(Flavor, on_delete=models.CASCADE, related_name="stock_moves", db_index=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, null=True, blank=True)
    scoops = models.IntegerField(help_text="Negative when it went out.")
    moved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["flavor"], include=["scoops"], name="stock_move_sums"),
        ]

    def __str__(self) -> str:
        return f"{self.scoops:+} scoops"
