"""What Django needs to know of us."""

from __future__ import annotations

from django.apps import AppConfig


class DBAuditConfig(AppConfig):
    name = "django_dbaudit"
    verbose_name = "Database audit"
    default_auto_field = "django.db.models.BigAutoField"
