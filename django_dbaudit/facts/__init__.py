"""The facts that rules ask for, by type: read from the server and the project, or from a file."""

from __future__ import annotations

from django_dbaudit.facts.gathering import gather
from django_dbaudit.facts.kinds import (
    ALL,
    FROM_PROJECT,
    FROM_SERVER,
    FROM_STORE,
    OF_CODE,
    OF_SCHEMA,
    OF_STATEMENTS,
    SHARED,
)
from django_dbaudit.facts.known import (
    ABSENT,
    NOT_GATHERED,
    OF_THE_CODE,
    AliasFacts,
    Facts,
    Unavailable,
)
from django_dbaudit.facts.saving import FILE, load, save

__all__ = [
    "ABSENT",
    "ALL",
    "FILE",
    "FROM_PROJECT",
    "FROM_SERVER",
    "FROM_STORE",
    "NOT_GATHERED",
    "OF_CODE",
    "OF_SCHEMA",
    "OF_STATEMENTS",
    "OF_THE_CODE",
    "SHARED",
    "AliasFacts",
    "Facts",
    "Unavailable",
    "gather",
    "load",
    "save",
]
