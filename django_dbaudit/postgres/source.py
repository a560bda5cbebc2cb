"""What a fact is read from; the guarded connection is one, a test's list of rows another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from django_dbaudit.conf import Config


class Source(Protocol):
    """Runs our queries by the names of their files."""

    @property
    def server_version(self) -> int:
        """In the server's own numbering: 180006 for 18.6."""

    @property
    def config(self) -> Config:
        """How much we may ask of the server, and from which number on rules speak up."""

    def rows(
        self,
        query: str,
        values: Mapping[str, object] | None = None,
        identifiers: Mapping[str, str] | None = None,
    ) -> Iterable[dict[str, Any]]:
        """The rows of one query, each as the JSON object that the server makes of it."""


class ProjectSource(Source, Protocol):
    """A source that can also look at things as the project does, whose names mean what it means."""

    def rows_as_project(self, query: str, values: Mapping[str, object]) -> Iterable[dict[str, Any]]:
        """As ``rows``, but with the project's own search path."""

    def answer(self, script: str, request: Any) -> Any:
        """Run a script that takes its request from a setting, and leaves its answer in one, as JSON."""
