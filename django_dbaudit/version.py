"""The version of the installed package, for reports."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

NAME = "django-dbaudit"

try:
    VERSION = version(NAME)
except PackageNotFoundError:
    # Run from a checkout that was never installed.
    VERSION = "unknown"
