"""What a fact is read from; the guarded connection is one, a test's list of rows another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Source(Protocol):
    """Runs our queries by the names of their files."""

    @property
    def server_version(self) -> int:
        """In the server's own numbering: 180006 for 18.6."""

    def rows(self, query: str) -> Iterable[dict[str, Any]]:
        """The rows of one query, each as the JSON object that the server makes of it."""
