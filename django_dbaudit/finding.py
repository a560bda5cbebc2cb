"""What rules tell and reports show: the only thing that passes from one to the other."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Scalar: TypeAlias = "str | int | float | bool | None"
Evidence: TypeAlias = "Mapping[str, Scalar | list[str]]"


class Severity(enum.Enum):
    """How much a finding matters; ordered, ``INFO`` lowest."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)

    def __lt__(self, other: Severity) -> bool:
        return self.rank < other.rank

    def __le__(self, other: Severity) -> bool:
        return self.rank <= other.rank


@dataclass(frozen=True, slots=True)
class Location:
    """A line of the project's code; ``path`` is relative to the working directory where it can be."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding asks one to change: an index, a foreign key, a sequence, a session, a view.

    ``name`` is schema-qualified and unquoted; ``table`` is the table that the object belongs to.
    """

    kind: str
    name: str
    table: str | None = None
    method: str | None = None

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.name}"


@dataclass(frozen=True, slots=True)
class Related:
    """What explains a finding: the index that covers it, the session that blocks it."""

    kind: str
    name: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """The way out. ``kind`` is ``sql``, ``migration`` or ``text``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect, told so that a reader can check it and act on it.

    ``identity`` is what tells this finding from others of its rule: by default the subject. It
    holds nothing that moves, such as a line, a number of scans or a process id, because the
    fingerprint, and with it every baseline, is made from it.
    """

    rule: str
    name: str
    severity: Severity
    subject: Subject
    message: str
    evidence: Evidence = field(default_factory=dict)
    location: Location | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    database: str | None = None
    status: str = "new"
    identity: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that stay the same when lines move or numbers change."""
        subject = self.identity or (self.subject.name, self.subject.method or "")
        parts = [self.name, self.database or "", self.subject.kind, *subject]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class NotRun:
    """A rule that could not look, or not everywhere, and why: never counted as passed."""

    rule: str
    name: str
    reason: str
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Database:
    """A database that was asked for, as the report's head names it."""

    alias: str
    vendor: str
    server_version: str | None = None
    #: Alias of its primary: what is the same on both is reported there.
    replica_of: str | None = None


def worst_first(finding: Finding) -> tuple[int, str, str, str, str]:
    """Sort key: errors before warnings before infos, then a stable order that a reader can follow."""
    subject = finding.subject
    return (
        -finding.severity.rank,
        finding.rule,
        finding.database or "",
        subject.table or "",
        subject.name,
    )
