"""Asks PostgreSQL's planner, and HypoPG where it is installed; no statement is ever run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import Error

from django_dbaudit.postgres import failure
from django_dbaudit.postgres.extensions import Extension
from django_dbaudit.postgres.failure import LackingError
from django_dbaudit.postgres.plans import Plan, plan
from django_dbaudit.postgres.source import ProjectSource

SCRIPT = "plan_statements"
#: EXPLAINs in one call: enough to make the way there and back cheap, few enough to lose but little.
BATCH = 50
#: Share of the statement timeout after which a batch stops by itself, with what it has.
ENOUGH = 0.5
#: HypoPG's version from which on it can hide indexes.
HIDES = (1, 4)


@dataclass(frozen=True, slots=True)
class Job:
    """Statements to explain, in a world with one more index or one less, or as it is."""

    id: int
    #: By their numbers; complete, with no ``$1`` left in them.
    statements: tuple[tuple[int, str], ...]
    #: A CREATE INDEX.
    create: str | None = None
    #: Oid of an index.
    hide: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no plan; ``sqlstate`` as the server has it."""

    reason: str
    sqlstate: str | None = None


#: By job and statement. What is missing could not be asked in time.
Answers = dict[tuple[int, int], "Plan | Refusal"]


class Planner:
    """All that is asked of it, together, is bounded by DBAUDIT['PLANNING_TIMEOUT']."""

    def __init__(self, source: ProjectSource, hypopg: Extension | None) -> None:
        self._source = source
        self.hypopg = hypopg
        self._deadline = time.monotonic() + source.config.planning_timeout

    @property
    def can_hide(self) -> bool:
        return self.hypopg is not None and self.hypopg.version_number >= HIDES

    def ask(self, jobs: Iterable[Job]) -> Answers:
        """Answers to all jobs, as far as the time goes."""
        answers: Answers = {}
        for batch in _batches(jobs):
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            answers.update(self._ask(batch, left))
        return answers

    def _ask(self, batch: Sequence[Job], seconds: float) -> Answers:
        request = {
            "hypopg": self.hypopg.schema if self.hypopg else None,
            "can_hide": self.can_hide,
            "seconds": min(seconds, self._source.config.statement_timeout * ENOUGH),
            "jobs": [_encoded(job) for job in batch],
        }
        try:
            answer = self._source.answer(SCRIPT, request)
        except Error as error:
            if failure.sqlstate(error) in failure.NO_LANGUAGE:
                raise LackingError("needs the language plpgsql, and USAGE on it") from None
            reason = Refusal(failure.explain(error), failure.sqlstate(error))
            return {(job.id, number): reason for job in batch for number, _ in job.statements}
        return dict(_decoded(answer, batch))


def _batches(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    batch: list[Job] = []
    size = 0
    for job in jobs:
        for start in range(0, len(job.statements), BATCH):
            part = job.statements[start : start + BATCH]
            if size + len(part) > BATCH:
                yield batch
                batch, size = [], 0
            batch.append(Job(job.id, part, job.create, job.hide))
            size += len(part)
    if batch:
        yield batch


def _encoded(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "create": job.create,
        "hide": job.hide,
        "statements": [{"id": number, "text": text} for number, text in job.statements],
    }


def _decoded(
    answer: Iterable[dict[str, Any]], batch: Sequence[Job]
) -> Iterator[tuple[tuple[int, int], Plan | Refusal]]:
    statements = {job.id: [number for number, _ in job.statements] for job in batch}
    for each in answer:
        if "plan" in each:
            yield (each["job"], each["statement"]), plan(each["plan"])
            continue
        refusal = Refusal(each["error"], each.get("sqlstate"))
        # Without a statement it is the index that was refused, and so all that asks for it.
        for number in [each["statement"]] if "statement" in each else statements[each["job"]]:
            yield (each["job"], number), refusal
