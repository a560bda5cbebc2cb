"""Reviews for other programs: everybody reads, customers write their own."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from rest_framework import serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import CreateModelMixin

from flavors.models import Flavor
from reviews.models import Review


class ReviewSerializer(serializers.ModelSerializer):
    flavor = serializers.SlugRelatedField(slug_field="slug", queryset=Flavor.objects.all())
    author: serializers.StringRelatedField = serializers.StringRelatedField()

    class Meta:
        model = Review
        fields = ("id", "flavor", "author", "rating", "body", "created_at")
        read_only_fields = ("created_at",)


class ReviewViewSet(CreateModelMixin, viewsets.ReadOnlyModelViewSet):
    """Published reviews, the latest first; one may add one's own."""

    queryset = Review.objects.filter(is_published=True).select_related("flavor", "author").order_by("-pk")
    serializer_class = ReviewSerializer

    def perform_create(self, serializer: Any) -> None:
        # Right: saving runs the receiver count_review, and both writes commit together.
        try:
            with transaction.atomic():
                serializer.save(author=self.request.user)
        except IntegrityError:
            raise ValidationError({"flavor": "You have reviewed this flavor already."}) from None
