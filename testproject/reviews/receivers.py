"""What happens whenever a review is saved, whoever saves it."""

from __future__ import annotations

from django.db.models import F
from django.db.models.signals import post_save
from django.dispatch import receiver

from flavors.models import Flavor
from reviews.models import Review


@receiver(post_save, sender=Review)
def count_review(instance: Review, created: bool, **kwargs: object) -> None:
    # Sin: receiver-that-writes. Nobody who reads the view PostReview, which saves in autocommit,
    # sees that there is a second write and so a second commit.
    if created:
        Flavor.objects.filter(pk=instance.flavor_id).update(review_count=F("review_count") + 1)
