from __future__ import annotations

from django.contrib import admin

from flavors.models import Category, Flavor


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(Flavor)
class FlavorAdmin(admin.ModelAdmin):
    list_display = ("title", "category", "price", "is_available", "likes")
    list_filter = ("is_available", "category")
    list_select_related = ("category",)
    prepopulated_fields = {"slug": ("title",)}
    readonly_fields = ("likes", "review_count")
    search_fields = ("title",)
