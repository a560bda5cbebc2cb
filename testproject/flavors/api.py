"""The menu for other programs."""

from __future__ import annotations

from rest_framework import serializers, viewsets

from flavors.models import Flavor


class FlavorSerializer(serializers.ModelSerializer):
    category: serializers.StringRelatedField = serializers.StringRelatedField()

    class Meta:
        model = Flavor
        fields = ("title", "slug", "category", "description", "price", "is_available", "likes")


class FlavorViewSet(viewsets.ReadOnlyModelViewSet):
    """Every flavor, found by its slug."""

    queryset = Flavor.objects.select_related("category").order_by("title")
    serializer_class = FlavorSerializer
    lookup_field = "slug"
