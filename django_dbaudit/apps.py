"""What Django needs to know of us."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from django_dbaudit.checks import check_setting
from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError


class DBAuditConfig(AppConfig):
    name = "django_dbaudit"
    verbose_name = "Database audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        checks.register(check_setting)
        try:
            config = get_config()
        except AuditError:
            # Told by whoever needs the setting: our commands, the middleware when it is loaded.
            return
        if config.record:
            # Not earlier: they import models of Django's own.
            from django_dbaudit.store.traffic import flusher  # noqa: PLC0415
            from django_dbaudit.traffic import recorder  # noqa: PLC0415

            recorder.install()
            if config.keep_traffic:
                flusher.install()
