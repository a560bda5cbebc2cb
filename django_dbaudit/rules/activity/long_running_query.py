"""A statement has been running for longer than a request would wait.

Nobody waits a minute for a page: the client has long given up, while the statement goes on, takes a
connection and a processor, and keeps VACUUM from cleaning up behind it.

**What counts.** Statements of ordinary sessions of this database that have run for longer than
``LONG_RUNNING_QUERY_SECONDS`` (60 by default). Maintenance that is long by nature (VACUUM, CREATE
INDEX, REINDEX, COPY…) is an information.

**What is never reported.** Replication and background processes, autovacuum, the workers of a
parallel query beside their leader, and statements that wait for a lock: those are
``blocked-session``'s.

**How to fix it.** ``EXPLAIN (ANALYZE, BUFFERS)`` the statement. Set ``statement_timeout`` for the
role that serves requests. ``SELECT pg_cancel_backend(pid)`` stops one now.

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

MAINTENANCE = frozenset({"VACUUM", "ANALYZE", "CREATE", "REINDEX", "CLUSTER", "REFRESH", "COPY"})

rule = Rule(code="ACT002", severity=Severity.WARNING, since="0.1")


@rule.check
def long_running_query(
    sessions: Sessions, server: Server, thresholds: Thresholds
) -> Iterator[Finding | NotRun]:
    bound = timedelta(seconds=thresholds.long_running_query_seconds)
    for session in analysis.of_database(sessions, server):
        is_ordinary = session.backend_type == "client backend" and session.leader_pid is None
        running = analysis.since(session.query_started_at, server)
        if session.state != "active" or not is_ordinary or session.blocked_by or running < bound:
            continue
        is_maintenance = analysis.keyword(session.query) in MAINTENANCE
        yield rule.finding(
            analysis.subject(session),
            f"{analysis.name(session)} has been running one statement for "
            f"{words.duration(running)}: {analysis.one_line(session.query)}",
            severity=Severity.INFO if is_maintenance else None,
            evidence={
                **analysis.evidence(session),
                "running_seconds": round(running.total_seconds(), 1),
                "xmin_age": session.xmin_age,
            },
            identity=analysis.identity(session),
            # Cancelled, a concurrent build leaves an invalid index behind.
            fix=None if is_maintenance else Fix("sql", f"SELECT pg_cancel_backend({session.pid});"),
        )
    unseen = analysis.unseen(sessions, server)
    if unseen:
        yield rule.not_run(unseen)
