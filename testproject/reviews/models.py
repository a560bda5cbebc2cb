"""What customers say."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from flavors.models import Flavor


class Review(models.Model):
    """One customer's opinion of one flavor."""

    # Right: no index of its own, because review_once_each begins with the same column.
    flavor = models.ForeignKey(Flavor, on_delete=models.CASCADE, related_name="reviews", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    # Sin: low-selectivity-index. Five values, each in a good part of the rows: the index leads to too
    # many of them to be worth its keep.
    rating = models.PositiveSmallIntegerField(
        db_index=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    body = models.TextField()
    # Sin: unused-index. Kept in case of abuse, and never asked for by any page.
    ip_address = models.GenericIPAddressField(null=True, blank=True, db_index=True)
    is_published = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flavor", "author"], name="review_once_each"),
        ]
        indexes = [
            # Right: a partial index that the page of each flavor reads, newest first.
            models.Index(
                fields=["flavor", "-created_at"],
                name="review_published_idx",
                condition=models.Q(is_published=True),
            ),
            # Right: the expression is the one that search writes, so the search can use it.
            GinIndex(SearchVector("body", config="english"), name="review_body_search"),
        ]

    def __str__(self) -> str:
        return f"{self.rating} stars"
