"""A test with the marker ``dbaudit``: what its call phase did is recorded and judged."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

import pytest
from django.apps import apps

from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.testing.checking import known_findings
from django_dbaudit.testing.judging import Terms, judge, without
from django_dbaudit.testing.session import Session
from django_dbaudit.traffic import frames, handlers
from django_dbaudit.traffic.recorder import Recorded, record

#: Directories of which all code is the tests' own.
OF_TESTS = frozenset({"test", "tests"})


class Marked:
    """The test, on its way. What is wrong with its marker fails it; what is wrong with us does not."""

    def __init__(self, item: pytest.Item, marker: pytest.Mark, session: Session) -> None:
        self._item = item
        self._session = session
        try:
            if not apps.ready:
                raise AuditError(
                    "Django is not set up; pytest-django does that, by DJANGO_SETTINGS_MODULE."
                )
            self._config = get_config()
            self._terms = Terms.of(*marker.args, **marker.kwargs)
            self._known = {} if session.has_own_baseline else known_findings("", self._config)
        except (AuditError, TypeError) as error:
            pytest.fail(f"@pytest.mark.dbaudit: {error}", pytrace=False)

    @contextlib.contextmanager
    def recorded(self) -> Iterator[Recorded]:
        with handlers.watched(), record() as recorded:
            yield recorded

    def judge(self, recorded: Recorded) -> None:
        """Fail the test on what it did, in the words of the rules."""
        files = _files(self._item)
        try:
            traffic = without(recorded.facts, lambda path: _is_of_tests(path) or path in files)
            verdict = judge(traffic, self._terms, self._config)
        except AuditError as error:
            pytest.fail(f"@pytest.mark.dbaudit: {error}", pytrace=False)
        except Exception as error:  # noqa: BLE001  # a defect of ours fails no test
            self._session.problems[f"a defect, please report it: {type(error).__name__}: {error}"] = None
            return
        complaints = self._session.complaints(verdict, self._known)
        if complaints:
            pytest.fail(complaints, pytrace=False)


def _is_of_tests(path: str) -> bool:
    """Whether the file holds tests, or what sets their scene, by its place alone."""
    parts: Sequence[str] = PurePath(path).parts
    return parts[-1:] == ("conftest.py",) or not OF_TESTS.isdisjoint(parts[:-1])


def _files(item: pytest.Item) -> set[str]:
    """Those that tests were found in, and those of the classes that this one is made of."""
    files = {each.path for each in item.session.items}
    # Their setUp is a part of the call.
    for cls in inspect.getmro(getattr(item, "cls", None) or object):
        with contextlib.suppress(TypeError, OSError):
            files.add(Path(inspect.getfile(cls)))
    return {frames.shown(str(each)) for each in files}
