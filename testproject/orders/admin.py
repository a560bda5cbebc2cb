from __future__ import annotations

from django.contrib import admin

from orders.models import Order, OrderLine, Receipt


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    autocomplete_fields = ("flavor",)
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    autocomplete_fields = ("customer",)
    inlines = (OrderLineInline,)
    list_display = ("reference", "customer", "status", "total", "created_at")
    list_filter = ("status",)
    list_select_related = ("customer",)
    search_fields = ("=reference",)


@admin.register(OrderLine)
class OrderLineAdmin(admin.ModelAdmin):
    autocomplete_fields = ("order", "flavor")
    list_display = ("order", "position", "flavor", "scoops", "price")
    list_select_related = ("order", "flavor")


@admin.register(Receipt)
class ReceiptAdmin(admin.ModelAdmin):
    list_display = ("pk", "order", "printed_at")
    list_select_related = ("order",)
    raw_id_fields = ("order",)
