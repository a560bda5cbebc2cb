"""Runs each test of Django's within ``record()``, and each request through our middleware, if so asked."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any, cast
from unittest import TestCase, TextTestResult

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.test.runner import DiscoverRunner

import django_dbaudit
from django_dbaudit.traffic import trouble

OURS = "django_dbaudit.traffic.middleware.TrafficMiddleware"
IS_ARMED = bool(os.environ["COMPAT_ARMED"])

load_middleware = BaseHandler.load_middleware


def load_ours_first(self: BaseHandler, is_async: bool = False) -> None:
    theirs = settings.MIDDLEWARE
    settings.MIDDLEWARE = [OURS, *theirs]
    try:
        load_middleware(self, is_async)
    finally:
        settings.MIDDLEWARE = theirs


class Troubles(logging.Handler):
    """Counts what went wrong with us, every time."""

    number = 0

    def emit(self, record: logging.LogRecord) -> None:
        Troubles.number += 1
        trouble.rearm()
        with Path(os.environ["COMPAT_RESULT"]).with_suffix(".troubles").open("a") as file:
            file.write(self.format(record) + "\n")


class Result(TextTestResult):
    """Notes how each test came out."""

    recorded = 0
    outcomes: dict[str, str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcomes = {}
        self._block: Any = None

    def startTest(self, test: TestCase) -> None:  # noqa: N802  # unittest's
        super().startTest(test)
        if IS_ARMED:
            self._block = django_dbaudit.record()
            self._traffic = self._block.__enter__()

    def stopTest(self, test: TestCase) -> None:  # noqa: N802  # as above
        if self._block is not None:
            self._block.__exit__(None, None, None)
            Result.recorded += sum(view.executions for view in self._traffic.facts.views)
        super().stopTest(test)

    def addSuccess(self, test: TestCase) -> None:  # noqa: N802  # as above
        super().addSuccess(test)
        self.outcomes.setdefault(test.id(), "passed")

    def addFailure(self, test: TestCase, err: Any) -> None:  # noqa: N802  # as above
        super().addFailure(test, err)
        self.outcomes[test.id()] = "failed"

    def addError(self, test: TestCase, err: Any) -> None:  # noqa: N802  # as above
        super().addError(test, err)
        self.outcomes[test.id()] = "failed"

    def addSubTest(self, test: TestCase, subtest: TestCase, err: Any) -> None:  # noqa: N802  # as above
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.outcomes[test.id()] = "failed"

    def addSkip(self, test: TestCase, reason: str) -> None:  # noqa: N802  # as above
        super().addSkip(test, reason)
        self.outcomes[test.id()] = "skipped"

    def addExpectedFailure(self, test: TestCase, err: Any) -> None:  # noqa: N802  # as above
        super().addExpectedFailure(test, err)
        self.outcomes[test.id()] = "failed as expected"

    def addUnexpectedSuccess(self, test: TestCase) -> None:  # noqa: N802  # as above
        super().addUnexpectedSuccess(test)
        self.outcomes[test.id()] = "passed unexpectedly"


class Runner(DiscoverRunner):
    """Writes the outcomes to a file."""

    def get_resultclass(self) -> Any:
        return Result

    def run_suite(self, suite: Any, **kwargs: Any) -> Any:
        if IS_ARMED:
            BaseHandler.load_middleware = load_ours_first  # type: ignore[method-assign]  # that is the point
            logging.getLogger("django_dbaudit.traffic").addHandler(Troubles())
        result = cast(Result, super().run_suite(suite, **kwargs))
        found = {"outcomes": result.outcomes, "recorded": Result.recorded, "troubles": Troubles.number}
        Path(os.environ["COMPAT_RESULT"]).write_text(json.dumps(found))
        return result
