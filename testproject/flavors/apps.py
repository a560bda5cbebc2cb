from __future__ import annotations

from django.apps import AppConfig


class FlavorsConfig(AppConfig):
    name = "flavors"
