"""The app of the corpus: it connects its receivers, as apps do."""

from __future__ import annotations

from django.apps import AppConfig


class CorpusConfig(AppConfig):
    name = "corpus"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import corpus.receivers  # noqa: F401  # connects them, once apps are ready
