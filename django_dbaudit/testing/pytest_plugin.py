"""The pytest plugin: a marker and a fixture that fail tests on rules, and options that record the suite.

pytest loads this module in every run, in projects without Django too. So it imports pytest alone, and
the rest of us when a marker, a fixture or an option asks for it. See ``docs/testing.rst``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django_dbaudit.testing.session import Session

MARKER = """\
dbaudit(select=(), ignore=(), max_queries=None): fail the test if what it makes the database do breaks \
rules of django-dbaudit (those in select, less those in ignore), or takes more than so many statements."""

session_key: pytest.StashKey[Session] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("django-dbaudit")
    group.addoption(
        "--dbaudit-record",
        metavar="FILE",
        help="Write the traffic of all the tests' requests to a facts file, for dbaudit --load-facts; "
        "or to the tables of django-dbaudit, if FILE is the word store.",
    )
    group.addoption(
        "--dbaudit-baseline",
        metavar="FILE",
        help="Findings in this file fail no test. Default: the ini option dbaudit_baseline, "
        "else DBAUDIT['BASELINE'].",
    )
    group.addoption(
        "--dbaudit-write-baseline",
        metavar="FILE",
        help="Write the findings of all marked tests to a baseline, and fail none for them.",
    )
    parser.addini("dbaudit_baseline", "Baseline of django-dbaudit for marked tests.", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    given = [config.getoption(f"dbaudit_{each}") for each in ("record", "baseline", "write_baseline")]
    if any(given) or config.getini("dbaudit_baseline"):
        # A wrong file is told before the tests, not after.
        _session(config)


def _session(config: pytest.Config) -> Session:
    if session_key not in config.stash:
        # See the module's docstring.
        from django_dbaudit.errors import AuditError  # noqa: PLC0415  # as above
        from django_dbaudit.testing.session import Session  # noqa: PLC0415  # as above

        try:
            config.stash[session_key] = Session(config)
        except AuditError as error:
            raise pytest.UsageError(f"django-dbaudit: {error}") from None
    return config.stash[session_key]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    ours = session.config.stash.get(session_key, None)
    if ours is None:
        return (yield)
    with ours.recording():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = True
    marker = item.get_closest_marker("dbaudit")
    if marker is None:
        return (yield)
    # See the module's docstring.
    from django_dbaudit.testing.marked import Marked  # noqa: PLC0415  # as above

    marked = Marked(item, marker, _session(item.config))
    with marked.recorded() as recorded:
        outcome = yield
    marked.judge(recorded)
    return outcome


@pytest.fixture(scope="session")
def dbaudit(pytestconfig: pytest.Config) -> Callable[..., Any]:
    """``with dbaudit("QRY001", max_queries=10) as traffic:`` fails the test on what the block does.

    As ``django_dbaudit.testing.check``, with the baseline of this run.
    """
    # See the module's docstring.
    from django_dbaudit.testing.checking import check  # noqa: PLC0415  # as above

    return functools.partial(check, complaints=_session(pytestconfig).complaints)


def pytest_deselected(items: list[pytest.Item]) -> None:
    ours = items[0].config.stash.get(session_key, None) if items else None
    if ours is not None:
        ours.is_whole = False


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    ours = session.config.stash.get(session_key, None)
    if ours is not None:
        ours.finish(session)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Of pytest-xdist: a worker is done, and has left what it saw; or it has crashed."""
    ours = node.config.stash.get(session_key, None)
    left = getattr(node, "workeroutput", {}).get("django_dbaudit")
    if left is not None:
        _session(node.config).absorb(left)
    elif ours is not None and ours.is_recording:
        ours.problems[f"worker {node.gateway.id} crashed: what it recorded is lost"] = None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ours = config.stash.get(session_key, None)
    for line in ours.summary() if ours is not None else ():
        terminalreporter.write_line(f"django-dbaudit: {line}", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    # Only now are the databases the project's own again and open to us: pytest-django sees to both.
    ours = config.stash.get(session_key, None)
    if ours is not None:
        for line in ours.write():
            config.get_terminal_writer().line(f"django-dbaudit: {line}")
