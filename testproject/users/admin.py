from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from users.models import User


@admin.register(User)
class CustomerAdmin(UserAdmin):
    list_display = ("username", "email", "newsletter", "loyalty_points", "is_staff")
    list_filter = ("newsletter", "is_staff", "is_active")
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        ("The shop", {"fields": ("newsletter", "loyalty_points")}),
    )
