"""Serializers of the rental."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework import serializers

from corpus.models import AuditLog, Bike, Payment, Rental, Station


class StationSerializer(serializers.ModelSerializer):
    class Meta:
        model = Station
        fields = ("name",)


class BikeSerializer(serializers.ModelSerializer):
    """With a relation of many to many."""

    class Meta:
        model = Bike
        fields = ("frame", "station", "tags")


class ReadOnlyTagsSerializer(serializers.ModelSerializer):
    class Meta:
        model = Bike
        fields = ("frame", "station", "tags")
        read_only_fields = ("tags",)


class PaymentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Payment
        fields = ("amount",)


class RentalSerializer(serializers.ModelSerializer):
    """Makes its payments too."""

    payments = PaymentSerializer(many=True)

    class Meta:
        model = Rental
        fields = ("bike", "customer", "payments")

    def create(self, validated_data: dict[str, Any]) -> Rental:
        payments = validated_data.pop("payments")
        rental = Rental.objects.create(**validated_data)
        for payment in payments:
            Payment.objects.create(rental=rental, **payment)
        return rental


class AtomicRentalSerializer(RentalSerializer):
    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Rental:
        rental: Rental = super().create(validated_data)
        return rental


class LoggedStationSerializer(StationSerializer):
    def save(self, **kwargs: Any) -> Any:
        AuditLog.objects.create(text="station")
        return super().save(**kwargs)
