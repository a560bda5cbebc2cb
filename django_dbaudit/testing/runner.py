"""``manage.py test`` that records what the requests of the suite do, in any number of processes."""

from __future__ import annotations

import argparse
import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandError
from django.test.runner import DiscoverRunner, ParallelTestSuite
from django.test.utils import get_runner

from django_dbaudit.errors import AuditError
from django_dbaudit.testing import suite
from django_dbaudit.testing.destination import Destination
from django_dbaudit.testing.suite import SuiteRecording
from django_dbaudit.traffic.facts import Traffic, merge

#: Where the traffic goes unless ``--dbaudit-record`` says otherwise.
DEFAULT = "dbaudit-traffic.json"
#: Name of the event in which a process of ``--parallel`` hands over its traffic.
EVENT = "dbaudit_traffic"
OURS = "django_dbaudit.testing.RecordingRunner"

if TYPE_CHECKING:
    Base = DiscoverRunner
    BaseSuite = ParallelTestSuite
else:
    Base = BaseSuite = object


class RecordingMixin(Base):
    """Put it before the project's own runner, or name ``RecordingRunner``, which does that itself."""

    def __init__(self, *args: Any, dbaudit_record: str = DEFAULT, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            self._destination = Destination.of(dbaudit_record)
        except AuditError as error:
            raise CommandError(str(error)) from None
        self._traffic = Traffic()
        self._parts: list[str] = []

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--dbaudit-record",
            metavar="FILE",
            default=DEFAULT,
            help="Where to write the traffic of the tests' requests: a facts file for --load-facts, or "
            f"the word store for the tables of django-dbaudit. Default: {DEFAULT}.",
        )

    @property
    def parallel_test_suite(self) -> Any:  # type: ignore[override]  # made for this runner: it reports to it
        """The project's, with processes that record."""
        base = super().parallel_test_suite
        inner = getattr(base, "runner_class", None)
        if inner is None:
            return base
        return type(
            base.__name__, (_Gathering, base), {"runner_class": _Recorded(inner), "parts": self._parts}
        )

    def run_suite(self, *args: Any, **kwargs: Any) -> Any:
        recording = SuiteRecording()
        recording.start()
        try:
            return super().run_suite(*args, **kwargs)
        finally:
            self._traffic = merge(recording.stop(), suite.unpack(self._parts))

    def run_tests(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().run_tests(*args, **kwargs)
        finally:
            # Only now are the project's databases its own again, the store among them.
            said = self._destination.write(self._traffic)
            print(said, file=sys.stderr)  # noqa: T201  # as the base class prints


class _Gathering(BaseSuite):
    """Takes what the processes hand over before the project's suite sees it."""

    parts: list[str]

    def handle_event(self, result: Any, tests: Any, event: Any) -> None:
        if event[0] == EVENT:
            self.parts.append(event[2])
        else:
            super().handle_event(result, tests, event)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The class that runs tests in a process, as the suite calls it; it is sent there by pickle."""

    runner_class: Any

    def __call__(self, *args: Any, **kwargs: Any) -> _RecordedRunner:
        return _RecordedRunner(self.runner_class(*args, **kwargs))


class _RecordedRunner:
    def __init__(self, runner: Any) -> None:
        self._runner = runner

    def run(self, tests: Any) -> Any:
        recording = SuiteRecording()
        recording.start()
        try:
            result = self._runner.run(tests)
        finally:
            traffic = recording.stop()
        if traffic.views:
            # -1, because it belongs to no test.
            result.events.append((EVENT, -1, suite.pack(traffic)))
        return result


@functools.cache
def _recording(base: type[Any]) -> type[Any]:
    return type("RecordingRunner", (RecordingMixin, base), {"__module__": __name__})


def recording_runner() -> type[Any]:
    """The runner that the settings name, or Django's own, made to record."""
    base = DiscoverRunner if settings.TEST_RUNNER == OURS else get_runner(settings)
    return base if issubclass(base, RecordingMixin) else _recording(base)


if TYPE_CHECKING:

    class RecordingRunner(RecordingMixin, DiscoverRunner):
        """What `recording_runner` makes, where the settings name no runner."""
