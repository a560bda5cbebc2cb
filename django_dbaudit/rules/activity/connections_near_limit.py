"""So many connections are taken that new ones are about to be refused.

At the limit every further request fails with *too many clients already*, and so does the session of
whoever comes to help. Each server process takes memory, too, whether it works or not.

**What counts.** Client sessions against three limits: ``max_connections`` less the reserved ones
for the whole server, the CONNECTION LIMIT of this database, and that of our role. At
``CONNECTIONS_SHARE`` (80 % by default) of any of them the rule speaks up, at 95 % with an error.

**What is not counted.** Our own session, replication, background processes and parallel workers;
but without ``pg_read_all_stats`` a parallel worker of another role cannot be told from a client.

**How to fix it.** Most such sessions are idle: lower ``CONN_MAX_AGE`` or the number of workers and
threads, or put a pool (Django's ``"pool"`` option, PgBouncer) between. Raising ``max_connections``
comes last: it costs memory and needs a restart.

*Source:* `Connections and authentication
<https://www.postgresql.org/docs/current/runtime-config-connection.html>`__.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from django_dbaudit import words
from django_dbaudit.analysis import sessions as analysis
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity, Subject
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Session, Sessions
from django_dbaudit.rule import Rule

ERROR_SHARE = 0.95

rule = Rule(code="ACT004", severity=Severity.WARNING, since="0.1")


@rule.check
def connections_near_limit(
    sessions: Sessions, server: Server, thresholds: Thresholds
) -> Iterator[Finding | NotRun]:
    clients = [each for each in sessions.items if _is_client(each)]
    for subject, limit, taken in _limits(server, clients):
        share = len(taken) / limit if limit > 0 else 1.0
        if taken and share >= thresholds.connections_share:
            yield _finding(subject, limit, taken, share)
    unseen = analysis.unseen(sessions, server)
    if unseen:
        yield rule.not_run(unseen)


def _is_client(session: Session) -> bool:
    # What is hidden has no type, but is known to have a database and a user.
    is_client = session.backend_type in (None, "client backend") and session.user is not None
    return is_client and session.database is not None and session.leader_pid is None


def _limits(server: Server, clients: list[Session]) -> Iterator[tuple[Subject, int, list[Session]]]:
    ordinary = server.max_connections - server.reserved_connections
    yield Subject("parameter", "max_connections"), ordinary, clients
    if server.database_connection_limit is not None:
        own = [each for each in clients if each.database == server.database]
        yield Subject("database", server.database), server.database_connection_limit, own
    if server.role_connection_limit is not None:
        own = [each for each in clients if each.user == server.user]
        yield Subject("role", server.user), server.role_connection_limit, own


def _finding(subject: Subject, limit: int, taken: Sequence[Session], share: float) -> Finding:
    idle = sum(each.state == "idle" for each in taken)
    # What a role may not look into may be idle or not.
    how_idle = "" if any(each.hidden for each in taken) else f", {idle} of them idle"
    by_name = Counter(each.application_name or "(unnamed)" for each in taken)
    most = [f"{name}: {number}" for name, number in by_name.most_common(10)]
    of_what = {
        "parameter": "max_connections less the reserved ones",
        "database": f"the CONNECTION LIMIT of database {subject.name}",
        "role": f"the CONNECTION LIMIT of role {subject.name}",
    }[subject.kind]
    return rule.finding(
        subject,
        f"{len(taken)} of {words.count(limit, 'connection')} are taken ({words.percent(share)} of "
        f"{of_what}){how_idle}; most by {most[0]}.",
        severity=Severity.ERROR if share >= ERROR_SHARE else None,
        evidence={"taken": len(taken), "limit": limit, "idle": idle, "by_application": most},
        fix=Fix(
            "text",
            "Lower CONN_MAX_AGE or the number of workers, or put a pool between; raise the limit last.",
        ),
    )
