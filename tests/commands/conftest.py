"""What tests of commands share."""

from __future__ import annotations

from typing import Any

import pytest

from django_dbaudit.project.effects import remarks


@pytest.fixture
def no_views(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project without a view: only what lies in the database is found."""
    settings.ROOT_URLCONF = "no_views"
    # Of every module that is loaded, which tests of views may have been before.
    monkeypatch.setattr(remarks, "read", tuple)
