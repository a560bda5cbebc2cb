"""Starts a real PostgreSQL for the demo, the tests and the benchmarks.

From a shell::

    python testproject/postgres_server.py start
    python testproject/postgres_server.py stop

From Python: ``start(base)`` for a server that stays, ``temporary()`` for one that goes with the
process that asked for it, ``replica(server)`` for a read replica. Standard library only, Unix only.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from postgres_binaries import (
    MARKER,
    Account,
    PostgresError,
    account_for,
    ask,
    environment,
    locate_base,
    make_base,
    reachable_bin_directory,
    temporary_base,
    version_number,
)
from postgres_directory import (
    HOST,
    USER,
    clear_stale,
    configure,
    home_of,
    initialise,
    is_ready,
    last_port,
    log_end,
    make_home,
    postmaster,
    serves,
    stop_postmaster,
    wait_until,
)

__all__ = ["PostgresError", "Server", "find", "replica", "start", "stop", "temporary"]

DEFAULT_BASE = Path(__file__).resolve().parent.parent / ".demo-pg"

_NOTHING: Mapping[str, str] = MappingProxyType({})
_THROWAWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

# The end of a temporary server, whether its owner says so or is killed: both end the read.
# A server too young to have the file leaves by itself, within a minute of losing its directory;
# an initdb that lost its owner half-way still makes files while they are being removed.
_WATCHDOG = """
read -r _
for file in "$0"/*/data/postmaster.pid; do
    [ -e "$file" ] && kill -s QUIT "$(head -n 1 "$file")"
    left=50
    while [ -e "$file" ] && [ $left -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
done
for _ in 1 2 3 4 5; do rm -rf "$0" && break; sleep 0.2; done
"""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server that was started here, and how to reach it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    data_directory: Path
    bin_directory: Path
    version_number: int
    base: Path

    @property
    def version(self) -> str:
        """The version as people write it."""
        major, minor = divmod(self.version_number, 10_000)
        return f"{major}.{minor}"

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases, in the form DATABASE_URL takes."""
        credentials = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{credentials}@{self.host}:{self.port}/{quote(database, safe='')}"

    def is_running(self) -> bool:
        """Whether this very server, and not another one on its port, answers now."""
        data = self.data_directory
        if not is_ready(data, self.port):
            return False
        if not (self.bin_directory / "psql").exists():
            return postmaster(data) is not None and _accepts(self.port)
        return _psql(self, "SHOW data_directory") == str(data)

    def stop(self) -> None:
        """Stop the server; its data stays."""
        with _locked(self.base, account_for(self.base)):
            stop_postmaster(self.data_directory)

    def crash(self) -> None:
        """End the server without a checkpoint and without keeping its statistics."""
        with _locked(self.base, account_for(self.base)):
            stop_postmaster(self.data_directory, immediately=True)


def start(base: Path, *, settings: Mapping[str, str] = _NOTHING) -> Server:
    """Return the running server of a base, started or even created first where need be.

    ``settings`` are postgresql.conf parameters; a server that runs already keeps those it has.
    """
    base, account = locate_base(base)
    make_base(base, account)
    with _locked(base, account):
        bin_directory = reachable_bin_directory(account, base)
        initialise(make_home(base, version_number(bin_directory), account), bin_directory, account)
        server = _described(base, bin_directory)
        if _is_up(server):
            return server
        configure(server.data_directory, bin_directory, account, settings)
        return _launch(server, account)


def find(base: Path) -> Server | None:
    """Return the running server of a base, or nothing; nothing is started or made."""
    base, account = locate_base(base)
    if not (base / MARKER).exists():
        return None
    with _locked(base, account):
        bin_directory = reachable_bin_directory(account, base)
        if not (home_of(base, version_number(bin_directory)) / "data").exists():
            return None
        server = _described(base, bin_directory)
        return server if server.is_running() else None


def stop(base: Path) -> bool:
    """Stop every server of a base, whatever its major version; say whether there was one."""
    base, account = locate_base(base)
    if not (base / MARKER).exists():
        return False
    with _locked(base, account):
        stopped = [stop_postmaster(data) for data in base.glob("*/data")]
    return any(stopped)


@contextlib.contextmanager
def temporary(*, settings: Mapping[str, str] = _NOTHING) -> Iterator[Server]:
    """Give a fast, forgetful server of our own, gone at the end even if we are killed."""
    with _guarded_base(account_for()) as base:
        yield start(base, settings={**_THROWAWAY, **settings})


@contextlib.contextmanager
def replica(server: Server) -> Iterator[Server]:
    """Give a streaming read replica of a running server, gone at the end like ``temporary``."""
    account = account_for(server.base)
    with _guarded_base(account) as base:
        home = make_home(base, server.version_number, account)
        _copy(server, home / "data", account)
        account.write(home / "password", server.password)
        copy = _launch(_described(base, server.bin_directory), account)
        streaming = "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'"
        if not wait_until(lambda: _psql(copy, streaming) == "1"):
            raise PostgresError(f"the replica does not stream:\n{log_end(copy.data_directory)}")
        yield copy


def _copy(server: Server, data: Path, account: Account) -> None:
    command: list[str | Path] = [server.bin_directory / "pg_basebackup", "-D", data, "-R", "-N"]
    command += ["-X", "stream", "-c", "fast", "-w"]
    command += ["-h", server.host, "-p", str(server.port), "-U", server.user]
    variables = environment(server.bin_directory, PGPASSWORD=server.password)
    answer = account.run(*command, environment=variables)
    if answer.returncode:
        raise PostgresError(f"pg_basebackup failed: {answer.stderr.strip()}")


@contextlib.contextmanager
def _locked(base: Path, account: Account) -> Iterator[None]:
    descriptor = os.open(base / MARKER, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        account.own(base / MARKER)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _guarded_base(account: Account) -> Iterator[Path]:
    base = temporary_base(account)
    watchdog = subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, base],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account.terms(),
    )
    try:
        yield base
    finally:
        # A line, not only the end of the pipe: a forked child of ours may hold that open.
        watchdog.communicate(b"\n")
        # Where only root may write to the parent, the watchdog leaves the empty directory.
        shutil.rmtree(base, ignore_errors=True)


def _described(base: Path, bin_directory: Path) -> Server:
    version = version_number(bin_directory)
    home = home_of(base, version)
    return Server(
        host=HOST,
        port=last_port(home / "data"),
        user=USER,
        password=(home / "password").read_text(),
        data_directory=home / "data",
        bin_directory=bin_directory,
        version_number=version,
        base=base,
    )


def _is_up(server: Server) -> bool:
    """Wait for a server that is on its way up or down; clear what stands in the way of a start."""
    data = server.data_directory
    clear_stale(data)
    wait_until(lambda: postmaster(data) is None or server.is_running())
    if postmaster(data) is None:
        return False
    if server.is_running():
        return True
    raise PostgresError(f"the server in {data} runs but does not answer:\n{log_end(data)}")


def _launch(server: Server, account: Account) -> Server:
    for port in _free_ports(server.port):
        ours = replace(server, port=port)
        if _comes_up(ours, _spawn(ours, account)):
            return ours
        end = log_end(ours.data_directory)
        # Another process took the port first, or a killed server's children are about to leave.
        if "could not bind" not in end and "pre-existing shared memory" not in end:
            break
    raise PostgresError(f"PostgreSQL does not start:\n{end}")


def _spawn(server: Server, account: Account) -> int:
    # Not pg_ctl, which makes shell text of a path, and takes any live process with a stale
    # number for a server. The shell leaves at once, so the server is not our child.
    command: list[str | Path] = ["/bin/sh", "-c", 'exec "$@" >"$0" 2>&1 & echo $!']
    command += [server.data_directory.parent / "log", server.bin_directory / "postgres"]
    command += ["-D", server.data_directory, "-p", str(server.port)]
    return int(account.run(*command, environment=environment(server.bin_directory)).stdout)


def _comes_up(server: Server, pid: int) -> bool:
    wait_until(lambda: server.is_running() or not serves(pid, server.data_directory))
    return server.is_running()


def _psql(server: Server, query: str) -> str:
    where = ("-h", server.host, "-p", str(server.port), "-U", server.user, "-d", "postgres")
    variables = {"PGPASSWORD": server.password, "PGCONNECT_TIMEOUT": "5"}
    answer = ask(server.bin_directory, "psql", "-XAtqw", *where, "-c", query, **variables)
    return answer.stdout.removesuffix("\n")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except OSError:
        return False
    return True


def _free_ports(preferred: int) -> Iterator[int]:
    # The last port first: whoever has the URL in a shell need not take a new one.
    for wanted in (preferred, 0, 0, 0, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, wanted))
            port: int = probe.getsockname()[1]
            probe.close()
            yield port


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, or 1 where no server runs, or 2 where something is wrong."""
    parser = argparse.ArgumentParser(prog="postgres_server.py", description=_SUMMARY)
    parser.add_argument("action", choices=_ACTIONS, help="what to do with the server")
    parser.add_argument(
        "--base", type=Path, default=DEFAULT_BASE, help="where it lives (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        return _ACTIONS[options.action](options.base)
    except (PostgresError, OSError) as error:
        print(f"postgres_server.py: {error}", file=sys.stderr)
        return 2


def _start_command(base: Path) -> int:
    print(start(base).url())
    option = "" if base == DEFAULT_BASE else f" --base {shlex.quote(str(base))}"
    print(f"Stop it with: python {shlex.quote(sys.argv[0])} stop{option}")
    return 0


def _stop_command(base: Path) -> int:
    print("stopped" if stop(base) else "no server was running")
    return 0


def _status_command(base: Path) -> int:
    server = find(base)
    if server is None:
        print("not running")
        return 1
    print(f"running: PostgreSQL {server.version}, port {server.port}, {server.data_directory}")
    return 0


def _url_command(base: Path) -> int:
    server = find(base)
    if server is None:
        print("no server is running: start one first", file=sys.stderr)
        return 1
    print(server.url())
    return 0


_SUMMARY = "A PostgreSQL server for the demo, the tests and the benchmarks."
_ACTIONS: Mapping[str, Callable[[Path], int]] = {
    "start": _start_command,
    "stop": _stop_command,
    "status": _status_command,
    "url": _url_command,
}

if __name__ == "__main__":
    sys.exit(main())
