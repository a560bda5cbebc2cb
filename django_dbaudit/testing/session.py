"""What one run of pytest collects beside its tests: the suite's traffic, findings, our own troubles."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from django_dbaudit import baseline, words
from django_dbaudit.baseline import Baseline
from django_dbaudit.codec import decode, encode
from django_dbaudit.errors import AuditError
from django_dbaudit.finding import Finding
from django_dbaudit.management.writing import check_writable, write_file
from django_dbaudit.testing.destination import Destination
from django_dbaudit.traffic.facts import Traffic, merge

if TYPE_CHECKING:
    from django_dbaudit.testing.judging import Verdict


class Session:
    """One for each process of the run; a worker of pytest-xdist hands its own to the one that started it.

    An `AuditError` says which of the options is wrong.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        record = config.getoption("dbaudit_record")
        self._destination = Destination.of(record) if record else None
        self.rewritten = _path(config, config.getoption("dbaudit_write_baseline"))
        if self.rewritten:
            check_writable(self.rewritten)
        path = _path(config, config.getoption("dbaudit_baseline")) or _path(
            config, config.getini("dbaudit_baseline"), config.rootpath
        )
        #: Where it does not stand: `known` is then the project's, which tests need not match.
        self.has_own_baseline = path is not None
        self.known: Baseline = {}
        if path is not None and not (self.rewritten and not path.exists()):
            self.known = baseline.load(path)
        self.findings: dict[str, Finding] = {}
        self.problems: dict[str, None] = {}
        #: No test was left out.
        self.is_whole = True
        self._traffic = Traffic()

    @property
    def is_recording(self) -> bool:
        return self._destination is not None

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Record the suite, if that was asked for and the tests run in this process."""
        if not self.is_recording or self._config.pluginmanager.hasplugin("dsession"):
            yield
            return
        # Not before Django is set up, which may be done by a conftest.py: it loads models.
        from django_dbaudit.testing.suite import SuiteRecording  # noqa: PLC0415  # as above

        recording = SuiteRecording()
        try:
            recording.start()
        except AuditError as error:
            self.problems[f"nothing was recorded: {error}"] = None
        try:
            yield
        finally:
            self._traffic = merge(self._traffic, recording.stop())

    def complaints(self, verdict: Verdict, otherwise: Baseline) -> str:
        """What of it is new, to the run's baseline or to this one; and keep it all."""
        self.findings.update((each.fingerprint, each) for each in verdict.findings)
        self.problems.update(dict.fromkeys(verdict.failures))
        if self.rewritten:
            return verdict.excess
        return verdict.complaints(self.known if self.has_own_baseline else otherwise)

    def finish(self, session: pytest.Session) -> None:
        """The tests are over: hand over what a worker has, and note whether all of them ran."""
        if self._config.pluginmanager.hasplugin("dsession"):
            return
        if session.shouldstop or session.shouldfail or session.testscollected == 0:
            self.is_whole = False
        if any("::" in each for each in self._config.args):
            self.is_whole = False
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["django_dbaudit"] = json.dumps(
                {
                    "traffic": encode(self._traffic),
                    "findings": encode(tuple(self.findings.values())),
                    "problems": list(self.problems),
                    "is_whole": self.is_whole,
                }
            )

    def absorb(self, text: str) -> None:
        """Take what a worker has handed over."""
        left = json.loads(text)
        self._traffic = merge(self._traffic, decode(Traffic, left["traffic"]))
        findings = [decode(Finding, each) for each in left["findings"]]
        self.findings.update((each.fingerprint, each) for each in findings)
        self.problems.update(dict.fromkeys(left["problems"]))
        self.is_whole = self.is_whole and left["is_whole"]

    def summary(self) -> Iterator[str]:
        yield from self.problems
        unused = self.known.keys() - self.findings.keys()
        if unused and self.has_own_baseline and self.is_whole and not self.rewritten:
            entries = "1 entry" if len(unused) == 1 else f"{len(unused)} entries"
            yield f"{entries} of the baseline matched nothing; write it again with --dbaudit-write-baseline"

    def write(self) -> Iterator[str]:
        """Keep what was asked for, and say so."""
        if hasattr(self._config, "workeroutput"):
            return
        if self._destination is not None:
            yield self._destination.write(self._traffic)
        if self.rewritten is not None:
            try:
                write_file(self.rewritten, baseline.dump(self.findings.values()))
            except AuditError as error:
                yield str(error)
            else:
                yield f"Wrote {words.count(len(self.findings), 'finding')} to {self.rewritten}."


def _path(config: pytest.Config, given: str, base: Path | None = None) -> Path | None:
    # As typed on the command line it is meant from there; tests may change the working directory.
    return (base or config.invocation_params.dir) / os.path.expanduser(given) if given else None
