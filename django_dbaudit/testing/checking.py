"""``with check():`` fails the test around it on what the block, and the requests within it, did."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from django_dbaudit import baseline as baselines
from django_dbaudit.baseline import Baseline
from django_dbaudit.conf import Config, get_config
from django_dbaudit.testing.judging import Terms, Verdict, judge
from django_dbaudit.traffic import handlers
from django_dbaudit.traffic.recorder import Recorded, record


@contextlib.contextmanager
def check(
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    max_queries: int | None = None,
    *,
    baseline: str | Path = "",
    complaints: Callable[[Verdict, Baseline], str] = Verdict.complaints,
) -> Iterator[Recorded]:
    """Record the block; an `AssertionError` lists what it did against these rules.

    Rules are given by code, by the beginning of one or by name, in a list or separated by commas. A rule
    named in ``select`` fails the test with any finding; without ``select`` all rules of traffic do, from
    ``DBAUDIT['FAIL_ON']`` on. ``max_queries`` is the number of statements that may be sent. Findings in
    the file ``baseline``, by default ``DBAUDIT['BASELINE']``, are known and pass. An `AuditError` says
    which of the arguments is wrong. If the block raises, nothing is judged. ``complaints`` makes the text
    of the failure, for test runners that keep account.
    """
    # pytest's: a failure is to show the test's line and not this one.
    __tracebackhide__ = True
    config = get_config()
    terms = Terms.of(select, ignore, max_queries)
    known = known_findings(baseline, config)
    with handlers.watched(), record() as recorded:
        yield recorded
    text = complaints(judge(recorded.facts, terms, config), known)
    if text:
        raise AssertionError(text)


def known_findings(baseline: str | Path, config: Config) -> Baseline:
    path = baseline or config.baseline
    return baselines.load(Path(path)) if path else {}
