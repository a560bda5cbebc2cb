"""The whole tool on a whole project, from nothing: server, shop, traffic, trouble, audit.

    python testproject/run_demo.py [--base DIR]

The server is left running, so that one can look around in it; the last lines say how, and how to
stop it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import postgres_server

HERE = Path(__file__).resolve().parent
DATABASE = "ice_cream"

#: What our commands exit with when they have something to show.
FOUND = 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    default = HERE.parent / ".demo-pg"
    parser.add_argument("--base", type=Path, default=default, help="Where the server lives.")
    base = parser.parse_args().base
    began = time.monotonic()
    try:
        server = postgres_server.start(base)
    except postgres_server.PostgresError as error:
        print(error, file=sys.stderr)
        return 2
    os.environ["DATABASE_URL"] = server.url(DATABASE)
    try:
        say(began, f"PostgreSQL {server.version} runs on port {server.port}")
        prepare(began)
        show(began)
    except subprocess.CalledProcessError as error:
        print(f"\nThe demonstration ends here: {error}", file=sys.stderr)
        return 2
    say(began, "Done")
    print(farewell(base, server.url(DATABASE)))
    return 0


def prepare(began: float) -> None:
    """A shop with data in it, whose pages have been visited."""
    manage("shell", "-c", CREATE_DATABASE, "-v", "0", DATABASE_URL=maintenance_url())
    manage("shell", "-c", CREATE_EXTENSIONS, "-v", "0")
    manage("migrate", "--verbosity", "0")
    say(began, "Migrated")
    if not manage_succeeds("shell", "-v", "0", "-c", IS_FILLED):
        manage("fill")
        say(began, "Filled")
    manage("replay")
    say(began, "Replayed traffic")


def show(began: float) -> None:
    """The reports, while live sins are being committed."""
    with misbehaving():
        say(began, "Sessions misbehave; now the audit")
        for command in ("dbaudit", "indexreport", "queryreport", "transactionreport"):
            print(f"\n$ python manage.py {command}\n", flush=True)
            manage(command, allowed=(0, FOUND))
            print()


#: Through Django, because not every installation has psql or createdb.
CREATE_DATABASE = f"""
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", ["{DATABASE}"])
    if not cursor.fetchone():
        cursor.execute('CREATE DATABASE "{DATABASE}"')
"""
#: What advice on indexes needs, as far as the server has it.
CREATE_EXTENSIONS = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute(
        "SELECT name FROM pg_available_extensions WHERE name IN ('pg_stat_statements', 'hypopg')"
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {name}")
"""
IS_FILLED = """
import sys
from flavors.models import Flavor
sys.exit(0 if Flavor.objects.exists() else 1)
"""


def manage(*arguments: str, allowed: tuple[int, ...] = (0,), **environ: str) -> None:
    done = subprocess.run(argv(*arguments), cwd=HERE, env={**os.environ, **environ}, check=False)
    if done.returncode not in allowed:
        raise subprocess.CalledProcessError(done.returncode, ["manage.py", arguments[0]])


def manage_succeeds(*arguments: str) -> bool:
    done = subprocess.run(argv(*arguments), cwd=HERE, check=False, stdout=subprocess.DEVNULL)
    return done.returncode == 0


@contextlib.contextmanager
def misbehaving() -> Iterator[None]:
    """Sessions that are idle in transaction, slow, blocked and too many, while this lasts."""
    process = subprocess.Popen(
        argv("misbehave"), cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    # The pipes are there, as asked for; leaving the block closes them, and that ends the process.
    with process:
        ready = process.stdout.readline() if process.stdout else ""
        if ready.strip() != "ready":
            raise subprocess.CalledProcessError(process.wait(), ["manage.py", "misbehave"])
        try:
            yield
        finally:
            if process.stdin:
                process.stdin.close()


def argv(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def maintenance_url() -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl()


def say(began: float, what: str) -> None:
    print(f"[{time.monotonic() - began:5.1f} s] {what}", flush=True)


def farewell(base: Path, url: str) -> str:
    return f"""
The server is still there for you to look at:

    export DATABASE_URL={url}
    cd testproject
    {sys.executable} manage.py runserver
    {sys.executable} manage.py dbaudit --explain duplicate-index

Stop it with:  python testproject/postgres_server.py stop --base {base}
Throw it away: remove {base} once it is stopped
"""


if __name__ == "__main__":
    sys.exit(main())
