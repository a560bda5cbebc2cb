from __future__ import annotations

from django.contrib import admin

from reviews.models import Review


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    autocomplete_fields = ("flavor", "author")
    list_display = ("flavor", "author", "rating", "is_published", "created_at")
    list_filter = ("rating", "is_published")
    list_select_related = ("flavor", "author")
