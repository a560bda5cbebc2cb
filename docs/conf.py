"""How Sphinx builds these pages."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "django-dbaudit"
author = "the django-dbaudit contributors"
copyright = f"2026, {author}"
version = release = installed_version("django-dbaudit")

exclude_patterns = ["_build", "data"]
html_theme = "alabaster"
html_theme_options = {"description": "What will hurt your PostgreSQL database, and which line causes it."}
