"""What a database error means for an audit, in words for its reader."""

from __future__ import annotations

INSUFFICIENT_PRIVILEGE = "42501"
LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"
#: What pg_stat_statements says where it was not loaded with the server.
NOT_IN_PREREQUISITE_STATE = "55000"
#: A relation or a column that a statement names does not exist.
GONE = frozenset({"42P01", "42703", "3F000"})
#: The language is not there, or is not ours to use.
NO_LANGUAGE = frozenset({"42704", "42501"})
#: A relation went away between two looks at the catalog: worth a second try, as a lock is.
VANISHED = frozenset({LOCK_NOT_AVAILABLE, "42P01", "42704", "XX000"})


class LackingError(Exception):
    """A fact cannot be had because the server lacks something, which is a normal state."""


def sqlstate(error: BaseException) -> str | None:
    """The five characters of the server's error code, from psycopg 3 or psycopg2."""
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return code if isinstance(code, str) else None


def first_line(error: BaseException) -> str:
    """What a driver's error says, without the position marks and hints on its further lines."""
    text = str(error).strip() or type(error).__name__
    return " ".join(text.splitlines()[0].split())


def explain(error: BaseException) -> str:
    """The reason to give for a query that failed."""
    code = sqlstate(error)
    if code == INSUFFICIENT_PRIVILEGE:
        return f"the role may not look: {first_line(error)}"
    if code == QUERY_CANCELED:
        return "it took longer than DBAUDIT['STATEMENT_TIMEOUT'] allows, and was cancelled"
    if code == LOCK_NOT_AVAILABLE:
        return "another session held a lock longer than DBAUDIT['LOCK_TIMEOUT'] allows us to wait"
    return f"the query failed: {first_line(error)}"
