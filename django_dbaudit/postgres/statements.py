"""What the project's own statements cost, as the extension ``pg_stat_statements`` counts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import Error

from django_dbaudit.codec import decode
from django_dbaudit.postgres import extensions, failure
from django_dbaudit.postgres.failure import LackingError
from django_dbaudit.postgres.server import in_days
from django_dbaudit.postgres.source import Source

NAME = "pg_stat_statements"
#: Of the extension: from 1.9 on it tells statements from those inside functions.
OLDEST = (1, 9)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement and what it took. ``text`` has ``$1`` in the place of each constant."""

    text: str
    calls: int
    #: Milliseconds, of all calls together.
    total_ms: float
    #: Returned or written, by all calls together.
    rows: int
    #: When it was counted first; known from PostgreSQL 17 on.
    since: datetime | None = None
    #: View or call site that sends it, where somebody knows. Never the comment in ``text``, which is
    #: that of the first caller alone.
    sent_by: str | None = None

    @property
    def mean_ms(self) -> float:
        return self.total_ms / self.calls


@dataclass(frozen=True, slots=True)
class Statements:
    """Those that took most time, most first; ``total`` says how many there are."""

    items: tuple[Statement, ...]
    total: int
    #: Entries whose text our role may not see.
    hidden: int
    since: datetime
    taken_at: datetime

    def days(self, statement: Statement) -> float:
        """How long the statement has been counted."""
        return in_days(self.taken_at - (statement.since or self.since))


def read(source: Source) -> Statements:
    """A `LackingError` says what the server has not."""
    extension = extensions.read(source).get(NAME)
    if extension is None:
        raise LackingError(f"needs the {NAME} extension: CREATE EXTENSION {NAME}")
    if extension.version_number < OLDEST:
        raise LackingError(
            f"needs {NAME} 1.9, and the database has {extension.version}: ALTER EXTENSION {NAME} UPDATE"
        )
    try:
        (row,) = source.rows("statements", identifiers={"schema": extension.schema})
    except Error as error:
        if failure.sqlstate(error) == failure.NOT_IN_PREREQUISITE_STATE:
            raise LackingError(f"needs {NAME} in shared_preload_libraries") from None
        raise
    return decode(Statements, row)
