"""What Django needs to know of us."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from django_dbaudit.checks import check_setting
from django_dbaudit.conf import Config
from django_dbaudit.traffic import loading


class DBAuditConfig(AppConfig):
    name = "django_dbaudit"
    verbose_name = "Database audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        checks.register(check_setting)
        loading.callbacks.append(_keep_traffic)


def _keep_traffic(config: Config) -> None:
    if config.keep_traffic:
        # Here, because what Django starts without our middleware keeps nothing, and need not load this.
        from django_dbaudit.store.traffic import flusher  # noqa: PLC0415  # as above

        flusher.install()
