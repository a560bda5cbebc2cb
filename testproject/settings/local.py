"""A developer's machine."""

from __future__ import annotations

import os

import django

from settings.base import *  # noqa: F403  # settings build on each other so, in Django
from settings.base import database

DEBUG = True
# Good for nothing but a developer's machine: every other environment must bring its own.
SECRET_KEY = os.environ.get("SECRET_KEY", "django-insecure-local-only")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

DATABASES = {"default": database(os.environ.get("DATABASE_URL", "postgres:///ice_cream"))}
# runserver starts a thread a request, and each would leave its connection open.
DATABASES["default"]["CONN_MAX_AGE"] = 0

# No mail leaves a developer's machine. Django 6.1 renamed the setting.
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# The demonstration's server is small and minutes old, and its troublemakers are seconds old. On a server of
# yours leave all this out: the defaults are meant for it.
DBAUDIT = {
    "THRESHOLDS": {
        "UNUSED_INDEX_DAYS": 0,
        "LARGE_INDEX_PAGES": 8,
        "LOW_SELECTIVITY_DAYS": 0,
        "LOW_SELECTIVITY_SCANS_PER_DAY": 100,
        "SEQUENTIAL_SCAN_DAYS": 0,
        "SEQUENTIAL_SCAN_PAGES": 100,
        "SEQUENTIAL_SCANS_PER_DAY": 10,
        "SEQUENTIAL_ROWS_PER_DAY": 100_000,
        "RARELY_USED_DAYS": 0,
        "MISSING_INDEX_LEAST_SECONDS_PER_DAY": 0.001,
        "IDLE_IN_TRANSACTION_SECONDS": 0.5,
        "LONG_RUNNING_QUERY_SECONDS": 0.5,
        "BLOCKED_SESSION_SECONDS": 0.5,
    },
}
