"""The rehearsal: production's settings, with secrets of its own in the environment."""

from __future__ import annotations

from settings.production import *  # noqa: F403  # settings build on each other so, in Django

# An hour: a mistake made here should not lock the testers out for a year.
SECURE_HSTS_SECONDS = 3_600
