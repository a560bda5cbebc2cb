"""What the activity rules share: which sessions are ours to judge, and how one is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlparse
from sqlparse import lexer
from sqlparse import tokens

from django_dbaudit.finding import Subject
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Session, Sessions

#: Characters of a query that a message shows.
SHOWN = 100


def of_database(sessions: Sessions, server: Server) -> Iterator[Session]:
    """Sessions of the alias' own database: those of others belong to another alias' report."""
    return (each for each in sessions.items if each.database == server.database)


def unseen(sessions: Sessions) -> str | None:
    """The reason to give when other roles' sessions could not be looked into."""
    if not sessions.hidden:
        return None
    return (
        f"only in part: {sessions.hidden} sessions of other roles cannot be seen; "
        "needs membership in pg_read_all_stats (or pg_monitor)"
    )


def since(moment: datetime | None, server: Server) -> timedelta:
    # clock_timestamp() was read in another statement, so a session may seem to begin after it.
    return max(server.taken_at - moment, timedelta(0)) if moment else timedelta(0)


def subject(session: Session) -> Subject:
    return Subject("session", f"pid {session.pid}")


def name(session: Session) -> str:
    """``pid 4711 (shop worker, app@shop)``."""
    who = f"{session.user}@{session.database}"
    return f"pid {session.pid} ({', '.join(filter(None, [session.application_name, who]))})"


def identity(session: Session) -> tuple[str, ...]:
    """What is the same when the same code does it again: no process id, no literals."""
    return (
        session.application_name,
        session.user or "",
        session.database or "",
        shape(session.query),
    )


def evidence(session: Session) -> dict[str, str | int | list[str] | None]:
    return {
        "pid": session.pid,
        "application_name": session.application_name,
        "user": session.user,
        "database": session.database,
        "client_address": session.client_address,
        "state": session.state,
        "wait_event": session.wait_event,
        "query": session.query,
    }


def one_line(query: str) -> str:
    """The statement without comments and line ends, cut for a message."""
    text = " ".join(_words(query))
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def shape(query: str) -> str:
    """The statement with its literals left out."""
    return " ".join(
        "?" if kind in tokens.Literal else text
        for kind, text in lexer.tokenize(query)
        if kind not in tokens.Comment and not text.isspace()
    )


def keyword(query: str) -> str:
    """The first word of the statement, in capitals: SELECT, VACUUM, COPY."""
    return next(iter(_words(query)), "").upper()


def _words(query: str) -> list[str]:
    return sqlparse.format(query, strip_comments=True).split()
