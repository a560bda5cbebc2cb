"""How an audit grows with the database: statements sent, time, memory.

    python benchmarks/scale.py [--models] [TABLES ...]        default: 100 5000

Each size is a database of its own on a fresh server. Every table has a primary key, a foreign key and
three more indexes, one of them a duplicate: 20,000 indexes on 5,000 tables. With ``--models`` the tables
are those of as many Django models, whose fields declare the indexes; then Django's own start takes long,
too.

The audit runs in a process of its own, as ``manage.py dbaudit`` and ``indexreport``. What is told is what
it takes over Django's own start, ``manage.py check --tag database``: the processor time of that process,
and that of the server's processes which serve it. Their sum, and not the clock on the wall, is the
measure: each waits while the other works, and other work on the machine makes it hardly longer. ``MB`` is
the most memory that the process had, Django's own included. Each is the least of three runs.
Linux only, because of ``/proc``.

The target: 20,000 indexes on 5,000 tables in 3 s over Django's start and 200 MB, and as many statements
as for one table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHOP = HERE.parent / "testproject"
sys.path.insert(0, str(SHOP))

import postgres_server  # noqa: E402  # lies in the shop

RUNS = 3

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
#: Tables made in one transaction, each of which holds its locks until the end; models in one file.
BATCH = 200

SETTINGS = """\
from settings.local import *
from settings.local import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "scale"]
"""
# The primary key, the foreign key, and the two indexes that db_index asks for on text.
MODEL = """
class T{n}(models.Model):
    parent = models.ForeignKey("self", models.CASCADE)
    name = models.CharField(max_length=50, db_index=True)
    made = models.DateTimeField()
"""

#: Counts our statements, and the processor time of the server's process that executes them.
SERVED = """
import json, os
from django.core.management import call_command
from django.db.backends.signals import connection_created

# The database and the store are looked at by a process each.
sent, busy = 0, {{}}

def measure(execute, sql, params, many, context):
    global sent
    try:
        return execute(sql, params, many, context)
    finally:
        sent += 1
        pid = context["connection"].connection.info.backend_pid
        with open(f"/proc/{{pid}}/stat") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        busy[pid] = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

connection_created.connect(
    lambda connection, **_: connection.execute_wrappers.append(measure)
    if connection.settings_dict["OPTIONS"].get("application_name") == "django-dbaudit" else None,
    weak=False,
)
try:
    call_command({command!r}, output="/dev/null")
except SystemExit:
    pass
print(json.dumps([sent, sum(busy.values())]))
"""

HEAD = "{:>7} {:<12} {:>10} {:>8} {:>8} {:>13} {:>5}"
ROW = "{:>7} {:<12} {:>10} {:>8.2f} {:>8.2f} {:>13.2f} {:>5.0f}"


@dataclass(frozen=True)
class Project:
    """The shop on one database, and how its manage.py is run there."""

    environ: Mapping[str, str]

    def shell(self, code: str) -> str:
        return self._run("shell", "-v", "0", "-c", code).stdout

    def manage(self, *arguments: str) -> None:
        self._run(*arguments)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=SHOP,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )

    def cost(self, *arguments: str) -> tuple[float, float]:
        """Processor time of a whole process in seconds, and the most memory it had in MB."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=SHOP,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, _, usage = os.wait4(process.pid, 0)
        return usage.ru_utime + usage.ru_stime, megabytes(usage)

    def served(self, command: str) -> tuple[int, float]:
        """Statements that a command sends, and the seconds that the server works for it."""
        sent, busy = json.loads(self.shell(SERVED.format(command=command)))
        return sent, busy


def megabytes(usage: resource.struct_rusage) -> float:
    # In kilobytes, but in bytes on macOS.
    return usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how an audit grows with the database.")
    parser.add_argument("sizes", metavar="TABLES", type=int, nargs="*", default=[100, 5000])
    parser.add_argument("--models", action="store_true", help="with as many Django models")
    options = parser.parse_args()
    print(HEAD.format("tables", "command", "statements", "client s", "server s", "s over start", "MB"))
    with (
        tempfile.TemporaryDirectory() as place,
        postgres_server.temporary(settings={"max_locks_per_transaction": "1024"}) as server,
    ):
        for size in options.sizes:
            where = Path(place) / str(size)
            name = f"scale_{size}"
            Project(environ(where, server.url())).shell(cursor(f"CREATE DATABASE {name}"))
            project = Project(environ(where, server.url(name)))
            if options.models:
                write_models(where, size)
                project = Project({**project.environ, "DJANGO_SETTINGS_MODULE": "scale_settings"})
                project.manage("migrate", "--run-syncdb", "-v", "0")
            else:
                project.shell(cursor(*schema(size)))
            measure(project, size)


def environ(where: Path, url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    paths = os.pathsep.join([str(where), *filter(None, [os.environ.get("PYTHONPATH")])])
    # Compiled, as what is installed is.
    return {
        **kept,
        "DATABASE_URL": url,
        "PYTHONPATH": paths,
        "PYTHONPYCACHEPREFIX": str(where / "compiled"),
    }


def cursor(*statements: str) -> str:
    lines = [f"c.execute({each!r})" for each in statements]
    return "\n".join(["from django.db import connection", "c = connection.cursor()", *lines])


def schema(size: int) -> Iterator[str]:
    for first in range(1, size + 1, BATCH):
        yield SCHEMA.format(first=first, last=min(first + BATCH - 1, size))


def write_models(where: Path, size: int) -> None:
    package = where / "scale" / "models"
    package.mkdir(parents=True)
    (where / "scale_settings.py").write_text(SETTINGS)
    (where / "scale" / "__init__.py").touch()
    numbers = range(1, size + 1)
    files = [numbers[start : start + BATCH] for start in range(0, size, BATCH)]
    for place, batch in enumerate(files):
        models = "".join(MODEL.format(n=n) for n in batch)
        (package / f"part_{place}.py").write_text(f"from django.db import models\n{models}")
    imports = "".join(f"from scale.models.part_{place} import *\n" for place in range(len(files)))
    (package / "__init__.py").write_text(imports)


def measure(project: Project, size: int) -> None:
    project.cost("dbaudit")  # compiles, and warms the server's caches
    start = min(project.cost("check", "--tag", "database")[0] for _ in range(RUNS))
    print(ROW.format(size, "(start)", 0, start, 0, 0, project.cost("check", "--tag", "database")[1]))
    for command in ("dbaudit", "indexreport"):
        costs = [project.cost(command, "--output", os.devnull) for _ in range(RUNS)]
        served = [project.served(command) for _ in range(RUNS)]
        client, server = min(costs)[0] - start, min(seconds for _, seconds in served)
        memory = min(memory for _, memory in costs)
        print(ROW.format(size, command, served[0][0], client, server, client + server, memory), flush=True)


if __name__ == "__main__":
    main()
