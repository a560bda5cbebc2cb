from __future__ import annotations

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "reviews"

    def ready(self) -> None:
        # Imported for its receiver.
        import reviews.receivers  # noqa: F401, PLC0415  # connects them, once apps are ready
