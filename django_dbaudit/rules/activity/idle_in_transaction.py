"""A session sits in an open transaction and does nothing.

While a transaction is open its locks stay, and VACUUM cannot remove any row version that it might
still see, in the whole database. A web process that waits for another service inside ``atomic()``, a
worker that forgot to commit, or a shell left open at lunch holds up everybody else.

**What counts.** Sessions of this database in the state *idle in transaction*, aborted or not, for
longer than ``IDLE_IN_TRANSACTION_SECONDS`` (60 by default). One that others wait for is an error.

**What it could not see.** Without ``pg_read_all_stats`` the state of other roles' sessions is hidden;
then the rule says that it ran only in part.

**How to fix it.** Keep calls to other services out of ``atomic()`` blocks; use ``transaction.on_commit``.
Set ``idle_in_transaction_session_timeout`` for the role, so that the server ends such sessions.
``SELECT pg_terminate_backend(pid)`` ends one now and rolls it back.

*Source:* `pg_stat_activity
<https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW>`__.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django_dbaudit import words
from django_dbaudit.analysis import sessions as analysis
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Sessions
from django_dbaudit.rule import Rule

#: The server's own words for the two states.
STATES = ("idle in transaction", "idle in transaction (aborted)")

rule = Rule(code="ACT001", severity=Severity.WARNING, since="0.1")


@rule.check
def idle_in_transaction(
    sessions: Sessions, server: Server, thresholds: Thresholds
) -> Iterator[Finding | NotRun]:
    bound = timedelta(seconds=thresholds.idle_in_transaction_seconds)
    for session in analysis.of_database(sessions, server):
        idle = analysis.since(session.state_changed_at, server)
        if session.state not in STATES or idle < bound:
            continue
        victims = [each.pid for each in sessions.items if session.pid in each.blocked_by]
        holds = f", holds locks on {', '.join(session.locked_tables)}" * bool(session.locked_tables)
        blocks = f" and blocks {words.count(len(victims), 'session')}" * bool(victims)
        yield rule.finding(
            analysis.subject(session),
            f"{analysis.name(session)} has been {session.state} for "
            f"{words.duration(idle)}{holds}{blocks}; its last statement: "
            f"{analysis.one_line(session.query)}",
            severity=Severity.ERROR if victims else None,
            evidence={
                **analysis.evidence(session),
                "idle_seconds": round(idle.total_seconds(), 1),
                "transaction_seconds": round(
                    analysis.since(session.transaction_started_at, server).total_seconds(), 1
                ),
                "locked_tables": list(session.locked_tables),
                "blocks": [str(pid) for pid in victims],
                "xmin_age": session.xmin_age,
            },
            identity=analysis.identity(session),
            fix=Fix("sql", f"SELECT pg_terminate_backend({session.pid});"),
        )
    unseen = analysis.unseen(sessions, server)
    if unseen:
        yield rule.not_run(unseen)
