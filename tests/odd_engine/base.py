"""Where Django looks for the wrapper."""

from __future__ import annotations

from django.db.backends.postgresql.base import DatabaseWrapper as DjangosWrapper


class DatabaseWrapper(DjangosWrapper):
    pass
