"""A session waits for a lock that another one holds, or queues for.

A request that waits for a lock holds its own connection and its own locks, so others come to wait for
it in turn. The session at the root of the queue is the one to look at; often it is idle in
transaction, or a migration that waits for ACCESS EXCLUSIVE with all others behind it.

**What counts.** Sessions of this database that have waited for a lock longer than
``BLOCKED_SESSION_SECONDS`` (5 by default). Who blocks whom is the server's own answer,
``pg_blocking_pids``, so that a session that only queues ahead counts too. A concurrent index build that
waits for older transactions to end (a lock on a *virtualxid*) is an information: that is how it works.

**How to fix it.** End or commit the root session. Set ``lock_timeout`` in migrations, so that they
give up instead of holding up the site; keep transactions short; take locks in one order everywhere.
A prepared transaction (two-phase commit) has no session to end: commit or roll it back by its gid.

*Source:* `Explicit locking <https://www.postgresql.org/docs/current/explicit-locking.html>`__.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from django_dbaudit import words
from django_dbaudit.analysis import sessions as analysis
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Related, Severity
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Session, Sessions
from django_dbaudit.rule import Rule

# pg_blocking_pids gives 0 for a prepared transaction, which no session holds any more.
PREPARED = Related("session", "a prepared transaction")
FIND_PREPARED = """\
-- Then COMMIT PREPARED or ROLLBACK PREPARED the one in the way, by its gid.
SELECT gid, owner, prepared FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared;"""

rule = Rule(code="ACT003", severity=Severity.ERROR, since="0.1")


@rule.check
def blocked_session(
    sessions: Sessions, server: Server, thresholds: Thresholds
) -> Iterator[Finding | NotRun]:
    bound = timedelta(seconds=thresholds.blocked_session_seconds)
    by_pid = {session.pid: session for session in sessions.items}
    for session in analysis.of_database(sessions, server):
        # waitstart is set a moment after the wait begins; until then the statement's start will do.
        waited = analysis.since(session.waiting_since or session.query_started_at, server)
        if session.blocked_by and waited >= bound:
            yield _finding(session, waited, by_pid)


def _finding(session: Session, waited: timedelta, by_pid: Mapping[int, Session]) -> Finding:
    path = _path_to_root(session, by_pid)
    root = path[-1]
    statement = f"; it runs: {analysis.one_line(session.query)}" if not session.hidden else ""
    return rule.finding(
        analysis.subject(session),
        f"{analysis.name(session)} has waited {words.duration(waited)} for {_lock(session)}, blocked by "
        f"{_describe(root, by_pid)}{statement}",
        evidence={
            **analysis.evidence(session),
            "waited_seconds": round(waited.total_seconds(), 1),
            "lock_type": session.lock_type,
            "lock_mode": session.lock_mode,
            "lock_relation": session.lock_relation,
            "blocked_by": [str(pid) for pid in session.blocked_by],
            "root": root,
        },
        related=[Related("session", f"pid {pid}") if pid else PREPARED for pid in path],
        identity=analysis.identity(session),
        severity=Severity.INFO if session.lock_type == "virtualxid" else None,
        fix=None if session.lock_type == "virtualxid" else _way_out(root, by_pid.get(root)),
    )


def _way_out(pid: int, root: Session | None) -> Fix:
    if pid == 0:
        return Fix("sql", FIND_PREPARED)
    if root is not None and root.backend_type == "autovacuum worker":
        return Fix("text", "Let VACUUM finish; it gives way by itself unless it prevents wraparound.")
    if root is None or root.state is None or root.state.startswith("idle"):
        return Fix("sql", f"SELECT pg_terminate_backend({pid});")
    return Fix(
        "sql", f"-- It is at work: better wait, if it can be waited for.\nSELECT pg_cancel_backend({pid});"
    )


def _lock(session: Session) -> str:
    if session.lock_type in ("transactionid", "tuple"):
        # A row is locked by the transaction that changed it, and so is waited for as one.
        return "a row lock"
    return f"{session.lock_mode or 'a lock'} on {session.lock_relation or session.lock_type or '?'}"


def _path_to_root(session: Session, by_pid: Mapping[int, Session]) -> list[int]:
    """From who blocks this session to the first on the way that itself waits for nobody.

    A deadlock in the making is a circle; the path then ends where it would begin anew.
    """
    path: list[int] = []
    step: Session | None = session
    while step and step.blocked_by and step.blocked_by[0] not in (session.pid, *path):
        path.append(step.blocked_by[0])
        step = by_pid.get(path[-1])
    return path or list(session.blocked_by[:1])


def _describe(pid: int, by_pid: Mapping[int, Session]) -> str:
    blocker = by_pid.get(pid)
    if blocker is None:
        return f"pid {pid}" if pid else "a prepared transaction"
    return f"{analysis.name(blocker)}{f', {blocker.state}' if blocker.state else ''}"
