"""What is to happen once requests are recorded, and not before: most commands and workers serve none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_dbaudit.conf import Config

#: Called by the middleware when Django loads it.
callbacks: list[Callable[[Config], None]] = []
