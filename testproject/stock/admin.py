from __future__ import annotations

from django.contrib import admin

from stock.models import StockItem, StockMove, Supplier


@admin.register(Supplier)
class SupplierAdmin(admin.ModelAdmin):
    list_display = ("name", "email")
    search_fields = ("name",)


@admin.register(StockItem)
class StockItemAdmin(admin.ModelAdmin):
    autocomplete_fields = ("flavor",)
    list_display = ("flavor", "scoops")
    list_select_related = ("flavor",)


@admin.register(StockMove)
class StockMoveAdmin(admin.ModelAdmin):
    autocomplete_fields = ("flavor", "supplier")
    list_display = ("flavor", "supplier", "scoops", "moved_at")
    list_select_related = ("flavor", "supplier")
