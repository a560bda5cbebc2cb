"""How an audit grows with the database: statements sent, time, memory.

    python benchmarks/scale.py [TABLES ...]        default: 100 2000

Each size is a database of its own on a fresh server: every table has a primary key, a foreign key and
three more indexes, one of them a duplicate. The audit runs in a process of its own, the whole of
``manage.py indexreport`` and of ``dbaudit``; "over Django's start" is that less ``manage.py version``.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHOP = HERE.parent / "testproject"
sys.path.insert(0, str(SHOP))

import postgres_server  # noqa: E402  # lies in the shop

SCHEMA = """
DO $$
BEGIN
    FOR n IN {first}..{last} LOOP
        EXECUTE format('CREATE TABLE t%s (id bigserial PRIMARY KEY, parent_id bigint REFERENCES t%s,
            name text, made timestamptz)', n, n);
        EXECUTE format('CREATE INDEX t%s_parent ON t%s (parent_id)', n, n);
        EXECUTE format('CREATE INDEX t%s_name ON t%s (name)', n, n);
        EXECUTE format('CREATE INDEX t%s_copy ON t%s (name)', n, n);
    END LOOP;
END $$
"""
#: Tables made in one transaction, each of which holds its locks until the end.
BATCH = 200

COUNT = """
import sys
from django.core.management import call_command
from django.db.backends.signals import connection_created

sent = 0

def count(execute, sql, params, many, context):
    global sent
    sent += 1
    return execute(sql, params, many, context)

connection_created.connect(
    lambda connection, **_: connection.execute_wrappers.append(count)
    if connection.settings_dict["OPTIONS"].get("application_name") == "django-dbaudit" else None,
    weak=False,
)
try:
    call_command({command!r}, output="/dev/null")
except SystemExit:
    pass
print(sent)
"""


def main(sizes: list[int]) -> None:
    print(f"{'tables':>7} {'command':<12} {'statements':>10} {'s':>6} {'s over start':>13} {'MB':>5}")
    with postgres_server.temporary(settings={"max_locks_per_transaction": "256"}) as server:
        for size in sizes:
            os.environ["DATABASE_URL"] = server.url(f"scale_{size}")
            build(server.url("postgres"), f"scale_{size}", size)
            start = min(timed("version")[0] for _ in range(3))
            for command in ("dbaudit", "indexreport"):
                seconds, megabytes = min(timed(command, "--output", "/dev/null") for _ in range(3))
                print(
                    f"{size:>7} {command:<12} {statements(command):>10} {seconds:>6.2f} "
                    f"{seconds - start:>13.2f} {megabytes:>5.0f}",
                    flush=True,
                )


def build(url: str, name: str, size: int) -> None:
    batches = [
        SCHEMA.format(first=first, last=min(first + BATCH - 1, size)) for first in range(1, size + 1, BATCH)
    ]
    shell(f"c.execute('CREATE DATABASE {name}')", url)
    shell("\n".join(f"c.execute({batch!r})" for batch in batches), os.environ["DATABASE_URL"])


def shell(code: str, url: str) -> str:
    lead = "from django.db import connection\nc = connection.cursor()\n" if "c.execute" in code else ""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", lead + code],
        cwd=SHOP,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def statements(command: str) -> int:
    return int(shell(COUNT.format(command=command), os.environ["DATABASE_URL"]).strip())


def timed(*arguments: str) -> tuple[float, float]:
    """Seconds of a whole process, and the most memory it had, in MB."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=SHOP, stdout=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(process.pid, 0)
    return time.perf_counter() - began, memory(usage)


def memory(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1024


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [100, 2000])
