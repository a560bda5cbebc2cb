"""What the thread behind the requests promises: it keeps what it can, and is felt by nobody."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from django.db import connections

from django_dbaudit.store.traffic import flusher as module
from django_dbaudit.store.traffic.flusher import IDLE_SECONDS, LONGEST_PAUSE
from django_dbaudit.traffic import recorder, trouble
from django_dbaudit.traffic.facts import Traffic, merge
from kept import Kept, dated, flusher, whole_view
from scratch import Scratch

ONE = Traffic((whole_view(),))
TESTS = Path(__file__).parent.parent

#: A shop of one view that asks once, answered as a server of one process would.
SITE = """
import os, sys
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="x", ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"], USE_TZ=True,
    INSTALLED_APPS=["django_dbaudit"],
    MIDDLEWARE=["django_dbaudit.traffic.middleware.TrafficMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **eval(sys.argv[1])}},
    DBAUDIT={"FLUSH_SECONDS": float(sys.argv[2])},
)
django.setup()
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection, connections
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path

def view(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse()

urlpatterns = [path("", view)]
handler = WSGIHandler()

def ask(times):
    for _ in range(times):
        response = handler(RequestFactory().get("/").environ, lambda *_: None)
        assert response.status_code == 200
        response.close()

def until_kept(times):
    with connection.cursor() as cursor:
        found = 0
        while found < times:
            cursor.execute("SELECT coalesce(sum(requests), 0) FROM django_dbaudit_recordedview")
            (found,) = cursor.fetchone()
"""


@pytest.fixture
def kept(scratch: Scratch) -> Kept:
    return Kept(scratch)


def serve(kept: Scratch, what: str, seconds: float = 300) -> str:
    """Run a site that does this; what it writes to stderr."""
    settings = connections[kept.alias].settings_dict
    known = {name: settings[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SITE + textwrap.dedent(what), repr(known), str(seconds)],
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_what_was_counted_is_written_once(kept: Kept) -> None:
    writer = flusher(kept.config, ONE)
    for _ in range(3):
        writer.flush()
    writer.close()
    today = datetime.now(timezone.utc).date()
    assert merge(kept.read()) == merge(dated(today, *ONE.views))
    assert kept.read(since=today) == kept.read()


def test_the_connection_is_closed_when_there_is_nothing_to_write(kept: Kept) -> None:
    writer = flusher(replace(kept.config, flush_seconds=IDLE_SECONDS / 2), ONE)

    def sessions() -> int:
        (row,) = kept.scratch.run(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'django-dbaudit'"
        )
        return int(row[0])

    writer.flush()
    assert sessions() == 1
    writer.flush()
    writer.flush()
    kept.scratch.wait_until(lambda: sessions() == 0)


def test_a_process_that_nobody_asks_opens_no_connection(kept: Kept) -> None:
    writer = flusher(kept.config)
    writer.flush()
    assert writer._store is None


def test_a_connection_that_went_stale_is_no_news(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    writer = flusher(kept.config, ONE, ONE)
    writer.flush()
    kept.scratch.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'django-dbaudit'"
    )
    writer.flush()
    writer.close()
    assert kept.read().requests == 2
    assert caplog.records == []


def test_a_store_without_tables_is_told_of_once_and_loses_nothing(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    table = "django_dbaudit_recordedcommit"
    kept.scratch.run(f"ALTER TABLE {table} RENAME TO elsewhere")
    writer = flusher(kept.config, ONE, ONE)
    pauses = [writer.flush() for _ in range(12)]
    (record,) = caplog.records
    assert "migrate django_dbaudit" in record.getMessage()
    assert pauses[5] > pauses[0] * 4, "it asks ever more seldom"
    assert max(pauses) <= LONGEST_PAUSE * 1.25

    kept.scratch.run(f"ALTER TABLE elsewhere RENAME TO {table}")
    for _ in range(3):
        writer.flush()
    writer.close()
    assert kept.read().requests == 2
    assert [each.getMessage() for each in caplog.records[1:]] == ["Traffic is kept again."]


def test_no_more_is_taken_while_the_store_is_down(kept: Kept) -> None:
    writer = flusher(replace(kept.config, store="gone"), ONE, ONE, ONE)
    for _ in range(5):
        writer.flush()
    assert len(writer._totals.left) == 2, "what is counted stays where it is bounded"  # type: ignore[attr-defined]  # PosedTotals


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("REVOKE INSERT ON django_dbaudit_recordedquery FROM {role}", "permission denied"),
        ("REVOKE ALL ON django_dbaudit_recordedview FROM {role}", "GRANT SELECT, INSERT, UPDATE"),
        ("ALTER ROLE {role} NOLOGIN", "Cannot open the store"),
    ],
)
def test_whatever_the_store_refuses_is_a_warning(
    kept: Kept, caplog: pytest.LogCaptureFixture, spoil: str, says: str
) -> None:
    with kept.scratch.role("keeper") as role:
        kept.scratch.run(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            spoil.format(role=role),
        )
        connections.settings["keeper"] = {
            **connections.settings[kept.scratch.alias],
            "USER": role,
            "PASSWORD": role,
        }
        try:
            writer = flusher(replace(kept.config, store="keeper"), ONE)
            writer.flush()
            writer.close()
        finally:
            del connections["keeper"]
            del connections.settings["keeper"]
    (record,) = caplog.records
    assert says in record.getMessage()


def test_a_lock_that_somebody_holds_is_waited_for_no_longer_than_allowed(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    with kept.scratch.session() as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE django_dbaudit_recordedview")
        writer = flusher(replace(kept.config, statement_timeout=0.2), ONE)
        writer.flush()
        cursor.execute("ROLLBACK")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    writer.flush()
    writer.close()
    assert kept.read().requests == 1


def test_data_that_can_never_be_written_does_not_stop_what_comes_after(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    too_many = Traffic((whole_view(view="spoilt", requests=2**70),))
    writer = flusher(kept.config, too_many, ONE)
    writer.flush()
    writer.flush()
    writer.close()
    assert [each.view for each in kept.read().views] == ["shop.views.cart"]
    assert len(caplog.records) == 2


def test_a_defect_of_ours_is_told_and_the_next_is_written(
    kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble.rearm()
    writer = flusher(kept.config, ONE, ONE)
    with monkeypatch.context() as patched:
        patched.setattr(module, "write", lambda *_: 1 / 0)
        writer.flush()
    writer.flush()
    writer.close()
    assert kept.read().requests == 1
    (record,) = caplog.records
    assert record.exc_info


def test_no_thread_is_started_in_tests(client: object, db: None) -> None:
    module.install()
    module._on_request()
    assert module._own.thread is None
    assert not any(each.name == "django-dbaudit traffic" for each in threading.enumerate())


def test_what_a_process_has_counted_is_written_when_it_ends(kept: Kept) -> None:
    assert serve(kept.scratch, "ask(3)") == ""
    (view,) = kept.read().views
    assert (view.requests, view.executions) == (3, 3)


def test_it_is_written_while_the_process_lives_on(kept: Kept) -> None:
    serve(
        kept.scratch,
        """
        ask(2)
        until_kept(2)
        os._exit(0)
        """,
        seconds=0.1,
    )
    assert kept.read().requests == 2


def test_each_child_of_a_fork_writes_its_own_and_the_parent_its_own(kept: Kept) -> None:
    """As in gunicorn with --preload: loaded, and even used, before the fork."""
    errors = serve(
        kept.scratch,
        """
        import warnings
        # Of Python itself, for any thread that runs at a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        ask(1)
        until_kept(1)
        children = []
        for _ in range(3):
            connections.close_all()
            child = os.fork()
            if not child:
                ask(10)
                sys.exit(0)
            children.append(child)
        assert [os.waitpid(each, 0)[1] for each in children] == [0, 0, 0]
        ask(100)
        """,
        seconds=0.5,
    )
    assert errors == ""
    assert kept.read().requests == 1 + 30 + 100


def test_a_store_that_is_down_at_the_end_does_not_keep_the_process(scratch: Scratch) -> None:
    (line,) = serve(scratch, "ask(3)").splitlines()
    assert line.startswith("Traffic is not kept: ")


def test_the_request_is_answered_with_a_store_that_is_not_there(scratch: Scratch) -> None:
    errors = serve(
        scratch,
        """
        from django.conf import settings
        from django_dbaudit.conf import get_config
        settings.DBAUDIT = {"STORE": "nowhere", "FLUSH_SECONDS": 0.1}
        get_config.cache_clear()
        ask(50)
        """,
    )
    (line,) = errors.splitlines()
    assert "DBAUDIT['STORE'] is 'nowhere'" in line


def test_the_recorder_has_one_listener_however_often_it_is_installed() -> None:
    module.install()
    module.install()
    assert recorder.listeners.count(module._on_request) == 1
