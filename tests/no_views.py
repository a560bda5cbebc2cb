"""A URLconf without a view, for tests of what lies in a database."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
