"""Makes and reads a PostgreSQL data directory: initdb, the configuration, postmaster.pid.

Standard library only, Unix only. ``postgres_server.py`` is built on this.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from postgres_binaries import Account, PostgresError, environment, has_module, version_number

HOST = "127.0.0.1"
USER = "postgres"

# Crash recovery on a busy machine is slow; a server that is well needs a tenth of a second.
_PATIENCE_SECONDS = 60.0
# The first version with a collation provider that needs neither libc's locales nor ICU.
_BUILTIN_LOCALES = 170_000
# The lines of postmaster.pid, counted from nought, and how many there are at least.
_PORT, _STATUS, _WHOLE = 3, 7, 8
_SETTINGS = {
    "listen_addresses": HOST,
    # A socket's path may have 107 bytes, and a base may be deeper than that.
    "unix_socket_directories": "",
    "max_connections": "50",
    "track_io_timing": "on",
}


def home_of(base: Path, version: int) -> Path:
    """Return where a base keeps one major version: a newer server cannot read older files."""
    return base / str(version // 10_000)


def make_home(base: Path, version: int, account: Account) -> Path:
    """Make the place for a major version's data directory, password and log."""
    home = home_of(base, version)
    if not home.exists():
        home.mkdir()
        home.chmod(0o700)
        account.own(home)
    return home


def initialise(home: Path, bin_directory: Path, account: Account) -> None:
    """Make a data directory with a password of its own, unless there is one."""
    if (home / "data").exists():
        return
    for unfinished in home.glob("new-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    account.write(home / "password", secrets.token_urlsafe(24))
    # Without C.UTF-8 (some systems' libc has none) full-text search knows only ASCII letters.
    for character_type in ("C.UTF-8", "en_US.UTF-8", "C"):
        new = Path(tempfile.mkdtemp(prefix="new-", dir=home))
        account.own(new)
        problem = _initdb(new, character_type, home / "password", bin_directory, account)
        if problem is None:
            # Only a whole data directory ever has the name.
            new.rename(home / "data")
            return
        shutil.rmtree(new, ignore_errors=True)
    raise PostgresError(f"initdb failed: {problem}")


def _initdb(
    new: Path, character_type: str, password: Path, bin_directory: Path, account: Account
) -> str | None:
    command: list[str | Path] = [bin_directory / "initdb", "-D", new, "-U", USER, "-E", "UTF8"]
    command += ["-A", "scram-sha-256", "--pwfile", password, "-N", "--no-instructions"]
    command += ["--locale=C", f"--lc-ctype={character_type}"]
    if version_number(bin_directory) >= _BUILTIN_LOCALES:
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    answer = account.run(*command, environment=environment(bin_directory))
    return answer.stderr.strip() if answer.returncode else None


def configure(data: Path, bin_directory: Path, account: Account, settings: Mapping[str, str]) -> None:
    """Write postgresql.conf: what initdb found right, then our settings, then the caller's."""
    lines = ["include 'postgresql.initdb.conf'"]
    for name, value in {**_SETTINGS, **_preloads(bin_directory), **settings}.items():
        if not re.fullmatch(r"[A-Za-z_][\w.]*", name):
            raise PostgresError(f"{name!r} is no name of a PostgreSQL setting.")
        escaped = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
        lines.append(f"{name} = '{escaped}'")
    ours, original = data / "postgresql.conf", data / "postgresql.initdb.conf"
    if not original.exists():
        ours.rename(original)
    account.write(ours, "\n".join(lines) + "\n")


def _preloads(bin_directory: Path) -> dict[str, str]:
    if not has_module(bin_directory, "pg_stat_statements"):
        return {}
    # The tests of one run send more statements than it keeps by default, and would push out each other's.
    return {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.max": "50000"}


def last_port(data: Path) -> int:
    """Return the port a data directory was served on last, 0 where it never was."""
    # PostgreSQL notes its own command line here, and does not forget it when it stops.
    with contextlib.suppress(OSError):
        options = (data / "postmaster.opts").read_text(errors="replace")
        if found := re.search(r'"-p" "(\d+)"', options):
            return int(found[1])
    return 0


def log_end(data: Path) -> str:
    """Return the last lines a server wrote."""
    try:
        log = (data.parent / "log").read_text(errors="replace")
    except OSError as error:
        return f"(no log: {error})"
    return "\n".join(log.splitlines()[-15:])


def postmaster(data: Path) -> int | None:
    """Return the number of the process that serves a data directory, if one does."""
    pid = _pid(data)
    return pid if pid and serves(pid, data) else None


def serves(pid: int, data: Path) -> bool:
    """Whether a process is this directory's server: a number alone may be anybody's by now."""
    if Path("/proc/self/cmdline").exists():
        try:
            # Not its cwd, which root without CAP_SYS_PTRACE may not read.
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return b"\0-D\0%b\0" % os.fsencode(data) in line
    command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, check=False)
    return b" -D %b " % os.fsencode(data) in answer.stdout


def is_ready(data: Path, port: int) -> bool:
    """Whether a server says that it takes connections on a port."""
    lines = [line.strip() for line in _pid_file(data)]
    return len(lines) >= _WHOLE and (lines[_PORT], lines[_STATUS]) == (str(port), "ready")


def clear_stale(data: Path) -> None:
    """Remove a postmaster.pid whose number is another living process's."""
    # PostgreSQL clears away a dead server's file itself, with more care than we could, but
    # believes any process that happens to have the number now.
    pid = _pid(data)
    if pid and not serves(pid, data) and _is_alive(pid):
        (data / "postmaster.pid").unlink(missing_ok=True)


def stop_postmaster(data: Path, *, immediately: bool = False) -> bool:
    """Stop the server of a data directory, ``immediately`` as in a crash; say whether there was one."""
    pid = postmaster(data)
    if pid is None:
        return False
    # Sessions are ended and everything is written; what ignores that is ended as in a crash.
    for sent in (signal.SIGINT, signal.SIGQUIT)[immediately:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sent)
        if wait_until(lambda: not serves(pid, data)):
            return True
    raise PostgresError(f"the server in {data} (process {pid}) does not stop.")


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; say whether it came true in time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return []


def _pid(data: Path) -> int | None:
    first = next(iter(_pid_file(data)), "")
    return int(first) if first.isdecimal() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
