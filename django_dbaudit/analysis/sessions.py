"""What the activity rules share: which sessions are ours to judge, and how one is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from django_dbaudit import words
from django_dbaudit.finding import Subject
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Session, Sessions

#: Characters of a query that a message shows.
SHOWN = 100

#: Characters of a shape that tell one statement from another. Fewer than the 1 kB that the server
#: keeps, because where it cuts a statement depends on how long its literals are.
SHAPED = 800

# Note [Our own tokens]
# The server's text is often cut, in the middle of a literal or a comment too, and may be a megabyte
# long. sqlparse refuses long statements and takes "name" for a literal; we need five kinds of
# token, read one at a time, each of which may end where the text ends.
TOKEN = re.compile(
    r"""
      (?P<space> \s+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<literal>
        (?: [eE]'(?:[^'\\]|''|\\.?)*(?:'|\Z)
          | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|\Z)
          | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)
          | (?:\d[\w.]*|\.\d+)(?:(?<=[eE])[+-]\d+)?
          | (?:null|true|false)\b
          # Django's names of cursors and savepoints, which hold the thread's number.
          | "(?:_django_curs_|s\d+_x)\w+" )
        # A driver's cast goes with the value: '{1,2}'::int2[]
        (?: ::\w+(?:\[\])* )? )
    | (?P<name> "(?:[^"]|"")*(?:"|\Z) | [^\W\d][\w$]* )
    | (?P<other> \$\d+ | . )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def of_database(sessions: Sessions, server: Server) -> Iterator[Session]:
    """Sessions of the alias' own database: those of others belong to another alias' report."""
    return (each for each in sessions.items if each.database == server.database)


def unseen(sessions: Sessions, server: Server) -> str | None:
    """The reason to give when other roles' sessions of this database could not be looked into."""
    # What has no user is a process of the server's own, such as an autovacuum worker.
    number = sum(each.hidden and each.user is not None for each in of_database(sessions, server))
    if not number:
        return None
    return (
        f"only in part: {words.count(number, 'session')} of other roles cannot be seen; "
        "needs membership in pg_read_all_stats (or pg_monitor)"
    )


def since(moment: datetime | None, server: Server) -> timedelta:
    # clock_timestamp() was read in another statement, so a session may seem to begin after it.
    return max(server.taken_at - moment, timedelta(0)) if moment else timedelta(0)


def subject(session: Session) -> Subject:
    return Subject("session", f"pid {session.pid}")


def name(session: Session) -> str:
    """``pid 4711 (shop worker, app@shop)``."""
    who = f"{session.user}@{session.database}" if session.user else session.backend_type
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
        "query": statement(session.query),
    }


def one_line(query: str) -> str:
    """The statement as `statement` gives it, cut for a message."""
    text = statement(query, SHOWN)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def statement(query: str, length: int = SHAPED) -> str:
    """The statement on one line, without comments, and with ``?`` for its literals.

    Reports go into pull requests and mails, where nobody wants a customer's address.
    """
    parts: list[str] = []
    for token in TOKEN.finditer(query):
        is_literal = token["literal"] is not None
        parts.append(" " if token["space"] is not None else "?" if is_literal else token[0])
        length -= len(parts[-1].strip())
        if length < 0:
            break
    return " ".join("".join(parts).split())


def shape(query: str) -> str:
    """The statement with its literals left out, and of a list of them all but one."""
    found: list[str] = []
    length = 0
    for token in TOKEN.finditer(query):
        if token["space"] is None:
            found.append("?" if token["literal"] is not None else token[0])
            length += len(found[-1]) + 1
        if length > SHAPED:
            break
    text = re.sub(r"(?<=[=<>(,] )- \?", "?", " ".join(found))
    text = re.sub(r"\?(?: , \?)+", "?", text)
    return re.sub(r"\( \? \)(?: , \( \? \))+", "( ? )", text)[:SHAPED]


def keyword(query: str) -> str:
    """The first word of the statement, in capitals: SELECT, VACUUM, COPY."""
    names = (token["name"] for token in TOKEN.finditer(query))
    return next(filter(None, names), "").upper()
