"""What the shop sells."""

from __future__ import annotations

from django.db import models
from django.urls import reverse


class Category(models.Model):
    """Sorbet, gelato, frozen yoghurt..."""

    name = models.CharField(max_length=50)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Flavor(models.Model):
    """An ice cream one can order by the scoop."""

    title = models.CharField(max_length=100)
    # Unique, but by a constraint below: on a field of text, unique=True would add a second index
    # for LIKE 'prefix%', which nothing here asks for.
    slug = models.SlugField(max_length=100, db_index=False)
    category = models.ForeignKey(Category, on_delete=models.PROTECT)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=6, decimal_places=2)
    is_available = models.BooleanField(default=True)
    likes = models.PositiveIntegerField(default=0)
    review_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="flavor_slug_unique"),
            models.CheckConstraint(condition=models.Q(price__gt=0), name="flavor_price_positive"),
        ]
        indexes = [
            # Right: one index on the column the menu is ordered by.
            models.Index(fields=["title"], name="flavor_title_idx"),
            # Sin: duplicate-index. The same column once more: every write pays for both.
            models.Index(fields=["title"], name="flavor_title_copy"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("flavors:detail", args=[self.slug])
