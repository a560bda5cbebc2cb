"""Writes of which the server's counters and statistics are sure to know."""

from __future__ import annotations

from activity import execute
from scratch import Scratch


def write(scratch: Scratch, *statements: str) -> None:
    """Execute in a session of its own, which at its end tells the statistics all that it did."""
    with scratch.session() as session:
        execute(session, *statements)
        with session.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
    scratch.wait_until(lambda: not scratch.run(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"))


def settle(scratch: Scratch, *statements: str, table: str = "t") -> None:
    """The same, and then VACUUM and ANALYZE; before PostgreSQL 15 it takes a moment till that shows."""
    write(scratch, *statements)
    tree = f"relname = '{table}' OR relid IN (SELECT relid FROM pg_partition_tree('{table}'))"
    analyzed = f"SELECT min(analyze_count) FROM pg_stat_user_tables WHERE {tree}"
    before = scratch.run(analyzed)[0][0]
    scratch.run(f"VACUUM ANALYZE {table}")
    scratch.wait_until(lambda: scratch.run(analyzed)[0][0] > before)
