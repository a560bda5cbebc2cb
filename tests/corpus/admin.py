"""The rental's pages for its staff, on a site of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from corpus.models import AuditLog, Bike, Rental, Station, Tag

site = admin.AdminSite("corpus")


@admin.register(Tag, site=site)
class TagAdmin(admin.ModelAdmin):
    """As it comes: only the entry of its log stands apart when rows are deleted."""


@admin.register(Station, site=site)
class StationAdmin(admin.ModelAdmin):
    def save_model(
        self, request: HttpRequest, obj: Station, form: Any, change: bool
    ) -> None:  # as Django has it
        super().save_model(request, obj, form, change)
        AuditLog.objects.create(text="station")
        send_mail("a", "b", None, ["c@example.com"])  # finds: side-effect-in-transaction


@admin.register(Bike, site=site)
class BikeAdmin(admin.ModelAdmin):  # finds: admin-action-not-atomic
    actions = ("free",)

    @admin.action(description="Set free")
    def free(self, request: HttpRequest, queryset: QuerySet[Bike]) -> None:
        for bike in queryset:
            bike.state = "free"
            bike.save()
            AuditLog.objects.create(text=bike.frame)


@admin.register(Rental, site=site)
class RentalAdmin(admin.ModelAdmin):
    actions = ("close",)

    @admin.action(description="Close")
    @transaction.atomic
    def close(self, request: HttpRequest, queryset: QuerySet[Rental]) -> None:
        for rental in queryset:
            rental.state = "closed"
            rental.save()
            AuditLog.objects.create(text="closed")
