"""Where the customers are. What differs from place to place comes from the environment."""

from __future__ import annotations

import django

from settings.base import *  # noqa: F403  # settings build on each other so, in Django
from settings.base import database, get_secret

DEBUG = False
SECRET_KEY = get_secret("SECRET_KEY")
ALLOWED_HOSTS = get_secret("ALLOWED_HOSTS").split(",")

DATABASES = {"default": database(get_secret("DATABASE_URL"))}
# A forgotten session must not hold its locks for ever, nor a query run for ever.
DATABASES["default"].setdefault("OPTIONS", {})["options"] = (
    "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
)

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

# Django 6.1 gathered the settings of mail in one.
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {
                "host": get_secret("EMAIL_HOST"),
                "username": get_secret("EMAIL_HOST_USER"),
                "password": get_secret("EMAIL_HOST_PASSWORD"),
                "use_tls": True,
                "timeout": 10,
            },
        }
    }
else:
    EMAIL_HOST = get_secret("EMAIL_HOST")
    EMAIL_HOST_USER = get_secret("EMAIL_HOST_USER")
    EMAIL_HOST_PASSWORD = get_secret("EMAIL_HOST_PASSWORD")
    EMAIL_USE_TLS = True
    EMAIL_TIMEOUT = 10
