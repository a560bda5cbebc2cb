"""What a database error means for an audit, in words for its reader."""

from __future__ import annotations

INSUFFICIENT_PRIVILEGE = "42501"
LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"
#: A relation went away between two looks at the catalog: worth a second try, as a lock is.
VANISHED = frozenset({LOCK_NOT_AVAILABLE, "42P01", "42704", "XX000"})


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
