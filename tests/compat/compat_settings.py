"""What Django's ``runtests.py`` needs to know of the server; see `django_suites`."""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

_url = urlsplit(os.environ["COMPAT_URL"])
_server = {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": _url.hostname,
    "PORT": str(_url.port),
    "USER": unquote(_url.username or ""),
    "PASSWORD": unquote(_url.password or ""),
}
DATABASES = {
    "default": {**_server, "NAME": "compat", "TEST": {"NAME": "compat"}},
    "other": {**_server, "NAME": "compat_other", "TEST": {"NAME": "compat_other"}},
}
SECRET_KEY = "compat"  # of nothing
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
TEST_RUNNER = "compat_runner.Runner"
