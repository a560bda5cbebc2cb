from __future__ import annotations

import contextlib
import copy
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.db import Error, connections
from django.db.backends.postgresql.psycopg_any import is_psycopg3

from activity import execute
from aliases import alias_like
from django_dbaudit import facts
from django_dbaudit.conf import Config
from django_dbaudit.postgres import failure, queries
from django_dbaudit.postgres.connection import GuardedConnection
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Sessions
from postgres_binaries import Account, account_for
from scratch import Scratch

GUARDED = ("statement_timeout", "lock_timeout", "search_path", "transaction_read_only")


@pytest.fixture(autouse=True)
def _any_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query with a blank in it is no file's name but the statement itself."""
    of_file = queries.get

    def get(name: str, server_version: int) -> str:
        return name if " " in name else of_file(name, server_version)

    monkeypatch.setattr(queries, "get", get)


def guarded(alias: str, **config: Any) -> GuardedConnection:
    return GuardedConnection(alias, Config(**config))


def settings_of(ask: Any) -> dict[str, Any]:
    (row,) = ask("SELECT " + ", ".join(f"current_setting('{name}') AS {name}" for name in GUARDED))
    return row if isinstance(row, dict) else dict(zip(GUARDED, row, strict=True))


def code_of(connection: GuardedConnection, query: str) -> str | None:
    with pytest.raises(Error) as raised:
        connection.rows(query)
    return failure.sqlstate(raised.value)


def within(connection: GuardedConnection, query: str) -> list[tuple[Any, ...]]:
    """Ask in the same session, outside of what guards it."""
    with connection._wrapper.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def unavailable(seen: facts.Facts) -> dict[str, facts.Unavailable]:
    (alias,) = seen.aliases
    return {
        kind.__name__: fact for kind, fact in alias.known.items() if isinstance(fact, facts.Unavailable)
    }


def everything(alias: str) -> facts.Facts:
    kinds = set(facts.ALL.values()).difference(facts.OF_STATEMENTS)
    return facts.gather([alias], kinds, Config(store=alias))


# The guard.


def test_nothing_can_be_written(scratch: Scratch) -> None:
    scratch.run("CREATE SEQUENCE counter")
    with guarded(scratch.alias) as connection:
        assert code_of(connection, "SELECT nextval('public.counter')") == "25006"
    assert scratch.run("SELECT is_called FROM counter") == [(False,)]


def test_a_long_statement_is_cancelled(scratch: Scratch) -> None:
    with guarded(scratch.alias, statement_timeout=0.05) as connection:
        assert code_of(connection, "SELECT pg_sleep(60)") == failure.QUERY_CANCELED


def test_a_long_wait_for_a_lock_is_given_up(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with guarded(scratch.alias, lock_timeout=0.05) as connection, scratch.session() as holder:
        execute(holder, "BEGIN", "LOCK TABLE flavor")
        assert code_of(connection, "SELECT count(*) FROM public.flavor") == failure.LOCK_NOT_AVAILABLE


def test_the_guard_is_on_while_a_query_runs_and_off_after(scratch: Scratch) -> None:
    with guarded(scratch.alias, statement_timeout=7, lock_timeout=0.25) as connection:
        before = settings_of(lambda query: within(connection, query))
        assert settings_of(connection.rows) == {
            "statement_timeout": "7s",
            "lock_timeout": "250ms",
            "search_path": "pg_catalog",
            "transaction_read_only": "on",
        }
        assert settings_of(lambda query: within(connection, query)) == before
        code_of(connection, "SELECT 1 / 0")
        assert settings_of(lambda query: within(connection, query)) == before


def test_no_transaction_stays_open(scratch: Scratch) -> None:
    with guarded(scratch.alias) as connection:
        connection.rows("SELECT 1 AS one")
        code_of(connection, "SELECT 1 / 0")
        sessions = scratch.fact(Sessions).items
    # Another run of the tests may be at work on the same server.
    here = [each for each in sessions if each.database == scratch.alias]
    (ours,) = [each for each in here if each.application_name == "django-dbaudit"]
    assert (ours.state, ours.query) == ("idle", "ROLLBACK")


def test_a_failing_query_leaves_the_session_usable(scratch: Scratch) -> None:
    with guarded(scratch.alias) as connection:
        (before,) = connection.rows("SELECT pg_backend_pid() AS pid")
        assert code_of(connection, "SELECT 1 / 0") == "22012"
        assert list(connection.rows("SELECT pg_backend_pid() AS pid")) == [before]


def test_a_function_of_the_same_name_is_not_called(scratch: Scratch) -> None:
    scratch.run(
        "CREATE FUNCTION public.current_database() RETURNS name LANGUAGE sql AS $$SELECT 'trap'::name$$",
        f'ALTER DATABASE "{scratch.alias}" SET search_path = public, pg_catalog',
    )
    with guarded(scratch.alias) as connection:
        assert list(connection.rows("SELECT current_database() AS name")) == [{"name": scratch.alias}]


def test_the_server_can_tell_who_we_are(scratch: Scratch) -> None:
    query = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    with guarded(scratch.alias) as connection:
        assert list(connection.rows(query)) == [{"application_name": "django-dbaudit"}]


def test_no_session_of_ours_remains(scratch: Scratch) -> None:
    everything(scratch.alias)
    ours = "SELECT FROM pg_stat_activity WHERE application_name = 'django-dbaudit' AND datname = '{}'"
    scratch.wait_until(lambda: scratch.run(ours.format(scratch.alias)) == [])


def test_the_projects_settings_and_connection_are_as_they_were(scratch: Scratch) -> None:
    wrapper = connections[scratch.alias]
    scratch.run("SET statement_timeout = '3s'")
    (pid,) = scratch.run("SELECT pg_backend_pid()")
    before = copy.deepcopy((connections.settings[scratch.alias], wrapper.settings_dict))
    everything(scratch.alias)
    assert (connections.settings[scratch.alias], wrapper.settings_dict) == before
    assert scratch.run("SELECT pg_backend_pid(), current_setting('statement_timeout')") == [(*pid, "3s")]


def test_the_projects_own_connection_is_not_opened(scratch: Scratch) -> None:
    with alias_like(scratch.alias) as alias:
        everything(alias)
        assert connections[alias].connection is None


def test_an_open_transaction_of_the_project_is_left_alone(scratch: Scratch) -> None:
    scratch.run("BEGIN", "CREATE TABLE flavor (id int)")
    assert unavailable(everything(scratch.alias)).keys() >= {"Tables"}
    scratch.run("COMMIT")
    assert scratch.run("SELECT to_regclass('flavor')::text") == [("flavor",)]


# What goes wrong.


def test_a_session_that_is_ended_while_we_look_is_told_and_not_raised(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")

    def end_it(step: str) -> None:
        if step.endswith(": Indexes"):
            scratch.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE application_name = 'django-dbaudit' AND datname = '{scratch.alias}'"
            )

    seen = facts.gather([scratch.alias], set(facts.FROM_SERVER), Config(), end_it)
    gone = unavailable(seen)
    assert set(gone) == {kind.__name__ for kind in facts.FROM_SERVER} - {"Server", "Tables"}
    assert all(fact.failed for fact in gone.values())
    # What a driver says of it differs, and with the moment that it learns of it.
    assert "connection" in gone["Indexes"].reason


def test_statements_of_databases_in_another_encoding_can_be_read(scratch: Scratch) -> None:
    name = f"{scratch.alias}_latin1"
    provider = "LOCALE_PROVIDER libc" if scratch.fact(Server).version >= 150000 else ""
    scratch.run(
        f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING LATIN1 LOCALE 'C' {provider}",
    )
    try:
        with scratch.session(NAME=name) as other:
            execute(other, "SELECT 'crème'")
            queries = [each.query for each in scratch.fact(Sessions).items]
            # As an audit of that database itself has it, its own text is whole.
            with alias_like(scratch.alias, NAME=name) as alias:
                (seen,) = facts.gather([alias], {Sessions}, Config()).aliases
    finally:
        scratch.run(f'DROP DATABASE "{name}" WITH (FORCE)')
    assert "SELECT 'cr\ufffdme'" in queries
    assert "SELECT 'crème'" in [each.query for each in seen.get(Sessions).items]


# Whatever the project set.


@pytest.mark.parametrize(
    "own",
    [
        {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True},
        {"AUTOCOMMIT": False},
        {"ATOMIC_REQUESTS": True},
        {"TIME_ZONE": "Asia/Kathmandu"},
        {"OPTIONS": {"isolation_level": 3}},
        {"OPTIONS": {"options": "-c default_transaction_isolation=serializable -c DateStyle=SQL,DMY"}},
        {"OPTIONS": {"server_side_binding": True}},
        {"DISABLE_SERVER_SIDE_CURSORS": True},
    ],
    ids=str,
)
def test_an_audit_works_whatever_the_alias_sets(scratch: Scratch, own: dict[str, Any]) -> None:
    if "server_side_binding" in own.get("OPTIONS", {}) and not is_psycopg3:
        pytest.skip("server_side_binding is psycopg 3's")
    scratch.run("CREATE TABLE flavor (id int PRIMARY KEY)")
    with alias_like(scratch.alias, **own) as alias:
        assert unavailable(everything(alias)) == {}


@pytest.mark.parametrize("use_tz", [True, False])
@pytest.mark.parametrize("zone", ["America/St_Johns", "UTC"])
def test_times_are_the_servers_whatever_zone_the_project_is_in(
    scratch: Scratch, settings: Any, zone: str, use_tz: bool
) -> None:
    (started,) = scratch.run("SELECT extract(epoch FROM pg_postmaster_start_time())::float8")
    settings.USE_TZ = use_tz
    settings.TIME_ZONE = zone
    with alias_like(scratch.alias) as alias:
        (seen,) = facts.gather([alias], {Server}, Config()).aliases
    server = seen.get(Server)
    assert server.started_at.timestamp() == pytest.approx(*started)
    assert server.taken_at.tzinfo is not None


def test_a_pool_is_left_alone_and_none_is_opened(scratch: Scratch) -> None:
    if not is_psycopg3:
        pytest.skip("pools are psycopg 3's")
    pytest.importorskip("psycopg_pool")
    scratch.run("CREATE TABLE flavor (id int PRIMARY KEY)")
    # Django refuses a pool beside CONN_MAX_AGE.
    pooled = {"OPTIONS": {"pool": {"min_size": 2, "max_size": 2}}, "CONN_MAX_AGE": 0}
    with alias_like(scratch.alias, **pooled) as alias:
        wrapper: Any = connections[alias]
        assert unavailable(everything(alias)) == {}
        assert alias not in wrapper._connection_pools
        # One in use is not ours to empty either.
        execute(wrapper, "SELECT 1")
        try:
            assert unavailable(everything(alias)) == {}
            assert wrapper.settings_dict["OPTIONS"] == pooled["OPTIONS"]
            execute(wrapper, "SELECT 1")
        finally:
            wrapper.close()
            wrapper.close_pool()


def test_an_assumed_role_is_assumed(scratch: Scratch) -> None:
    query = "SELECT current_user AS now, session_user AS login"
    scratch.run("CREATE TABLE flavor (id int PRIMARY KEY)")
    with (
        scratch.role(f"{scratch.alias}_owner") as role,
        alias_like(scratch.alias, OPTIONS={"assume_role": role}) as alias,
    ):
        with guarded(alias) as connection:
            (row,) = connection.rows(query)
        assert unavailable(everything(alias)) == {}
        (seen,) = everything(alias).aliases
    assert row["now"] == role != row["login"]
    assert not seen.get(Server).reads_all_stats


# Behind PgBouncer.


class Bouncer:
    """A pool of one server session, which each transaction may take over from any client."""

    def __init__(self, port: int) -> None:
        self.port = port

    def settings(self, scratch: Scratch, **more: Any) -> dict[str, Any]:
        return {"HOST": "127.0.0.1", "PORT": str(self.port), "DISABLE_SERVER_SIDE_CURSORS": True, **more}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _configure(directory: Path, port: int, account: Account) -> Path:
    server = dj_database_url.parse(os.environ["DATABASE_URL"])
    where = "host={HOST} port={PORT} user={USER} password={PASSWORD}".format(**server)
    lines = ["[databases]", f"* = {where}", "[pgbouncer]", f"listen_port = {port}"]
    lines += ["listen_addr = 127.0.0.1", "unix_socket_dir =", "auth_type = any"]
    lines += ["pool_mode = transaction", "default_pool_size = 1", ""]
    directory.chmod(0o755)
    path = directory / "pgbouncer.ini"
    account.write(path, "\n".join(lines))
    return path


@pytest.fixture(scope="module")
def bouncer() -> Iterator[Bouncer]:
    # Debian has it in /usr/sbin, which is not on everybody's path.
    binary = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary is None:
        pytest.skip("no pgbouncer binary")
    # It refuses to run as root, as PostgreSQL does.
    account, port = account_for(), _free_port()
    with tempfile.TemporaryDirectory() as directory:
        configuration = _configure(Path(directory), port, account)
        process = subprocess.Popen(
            [binary, "--quiet", configuration],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account.terms(),
        )
        try:
            while not _listens(port):
                assert process.poll() is None, "pgbouncer does not start"
            yield Bouncer(port)
        finally:
            process.terminate()
            process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_an_audit_works_behind_pgbouncer(scratch: Scratch, bouncer: Bouncer) -> None:
    scratch.run("CREATE TABLE flavor (id serial PRIMARY KEY)")
    with alias_like(scratch.alias, **bouncer.settings(scratch)) as alias:
        assert unavailable(everything(alias)) == {}


def test_the_next_client_of_a_pooled_session_finds_nothing_of_ours(
    scratch: Scratch, bouncer: Bouncer
) -> None:
    scratch.run("CREATE TABLE flavor (id serial PRIMARY KEY)")
    query = "SELECT pg_backend_pid(), " + ", ".join(f"current_setting('{name}')" for name in GUARDED)
    query += ", current_setting('application_name')"
    settings = bouncer.settings(scratch)
    with scratch.session("web", **settings) as client, client.cursor() as cursor:
        cursor.execute(query)
        before = cursor.fetchone()
        with alias_like(scratch.alias, **settings) as alias, guarded(alias) as connection:
            (ours,) = connection.rows("SELECT pg_backend_pid() AS pid")
            code_of(connection, "SELECT 1 / 0")
            # It is the same session of the server that the pool lends to both.
            assert ours["pid"] == before[0]
            cursor.execute(query)
            assert cursor.fetchone() == before
        assert unavailable(everything(scratch.alias)) == {}
        cursor.execute(query)
        assert cursor.fetchone() == before
