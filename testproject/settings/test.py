"""The shop under test: as production where it matters, fast where it does not."""

from __future__ import annotations

import os
from importlib.util import find_spec

import django

from settings.base import *  # noqa: F403  # settings build on each other so, in Django
from settings.base import INSTALLED_APPS, database

# Apps of odd models, and of queries rightly and wrongly asked, live beside the tests. The commands that
# tests start as processes of their own see the shop alone.
INSTALLED_APPS = [*INSTALLED_APPS, *filter(find_spec, ("corpus", "oddities", "situations"))]

DEBUG = False
SECRET_KEY = "django-insecure-test-only"
ALLOWED_HOSTS = ["localhost", "testserver"]

DATABASES = {"default": database(os.environ.get("DATABASE_URL", "postgres:///ice_cream"))}
# A test database is dropped at the end, which a connection kept alive would forbid.
DATABASES["default"]["CONN_MAX_AGE"] = 0

# The default hasher is slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Mail stays in memory, where a test can read it. Django 6.1 renamed the setting.
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
else:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
