"""System checks: what is wrong with the ``DBAUDIT`` setting is told when the project starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError

MIDDLEWARE = "django_dbaudit.traffic.middleware.TrafficMiddleware"


def check_setting(**_: Any) -> list[checks.CheckMessage]:
    try:
        config = get_config()
    except AuditError as error:
        return [checks.Error(str(error), id="django_dbaudit.E001")]
    if MIDDLEWARE in settings.MIDDLEWARE and config.keep_traffic and config.store not in settings.DATABASES:
        return [
            checks.Warning(
                f"DBAUDIT['STORE'] is {config.store!r}, which DATABASES has not: traffic will not be kept.",
                hint="Name an alias of a PostgreSQL database, or set DBAUDIT['KEEP_TRAFFIC'] to False.",
                id="django_dbaudit.W001",
            )
        ]
    return []
