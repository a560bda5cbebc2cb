"""Orders for other programs: the customer's own, and a new one with its lines in one go."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import permissions, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import CreateModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from flavors.models import Flavor
from orders.checkout import SoldOutError, create_lines, create_order, lock_stock, take_scoops
from orders.models import Order, OrderLine


class OrderLineSerializer(serializers.ModelSerializer):
    flavor: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = OrderLine
        fields = ("position", "flavor", "scoops", "price")


class OrderSerializer(serializers.ModelSerializer):
    lines = OrderLineSerializer(many=True, read_only=True)
    flavors = serializers.SlugRelatedField(
        slug_field="slug", many=True, write_only=True, queryset=Flavor.objects.all()
    )
    scoops = serializers.IntegerField(min_value=1, max_value=5, write_only=True)

    class Meta:
        model = Order
        fields = ("reference", "status", "total", "created_at", "lines", "flavors", "scoops")
        read_only_fields = ("reference", "status", "total", "created_at")

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Order:
        """Create the order with its lines: nested writes belong in one transaction."""
        flavors, scoops = validated_data["flavors"], validated_data["scoops"]
        lock_stock(flavors, scoops)
        order = create_order(validated_data["customer"], flavors, scoops)
        create_lines(order, flavors, scoops)
        take_scoops(flavors, scoops)
        return order


class OrderViewSet(CreateModelMixin, viewsets.ReadOnlyModelViewSet):
    """A customer's own orders."""

    serializer_class = OrderSerializer
    permission_classes = (permissions.IsAuthenticated,)
    lookup_field = "reference"

    def get_queryset(self) -> QuerySet[Order]:
        return (
            Order.objects.filter(customer=self.request.user.pk)
            .prefetch_related("lines__flavor")
            .order_by("-created_at")
        )

    def perform_create(self, serializer: Any) -> None:
        try:
            serializer.save(customer=self.request.user)
        except SoldOutError:
            raise ValidationError({"flavors": "Sold out."}) from None

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, reference: str) -> Response:
        order = self.get_object()
        order.status = Order.Status.CANCELLED
        order.save(update_fields=["status"])
        return Response(self.get_serializer(order).data)
