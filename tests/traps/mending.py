"""A copy of the trap schema in which every fix that is SQL has been carried out, all together."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from django_dbaudit.finding import Finding
from scratch import Scratch
from traps.database import Laid, below
from traps.trap import Trap

#: What a fix may hold besides statements.
_BETWEEN = re.compile(r";[ ]*(?:\n|$)")


@dataclass(frozen=True, slots=True)
class Mended:
    scratch: Scratch
    #: What the server said to a fix that it did not take.
    failures: tuple[tuple[Finding, str], ...]

    def failures_of(self, trap: Trap) -> list[str]:
        return [why for finding, why in self.failures if below(trap, finding.subject.name) is not None]


@contextlib.contextmanager
def mended(admin: BaseDatabaseWrapper, laid: Laid) -> Iterator[Mended]:
    # A database can be copied when nobody is in it.
    connections[laid.scratch.alias].close()
    template = connections.settings[laid.scratch.alias]["NAME"]
    with Scratch.created(admin, f"TEMPLATE {template}") as copy:
        for trap in laid.traps:
            copy.run(f"SET search_path = {trap.name}, public", *trap.by_hand, "RESET search_path")
        # An index that two rules would drop is dropped once.
        wanted = {statement: finding for finding in laid.findings for statement in statements(finding)}
        failures = tuple(
            (finding, why)
            for statement, finding in wanted.items()
            if (why := _carried_out(copy, statement))
        )
        yield Mended(copy, failures)


def statements(finding: Finding) -> list[str]:
    """The statements of a fix that is SQL and nothing else."""
    if finding.fix is None or finding.fix.kind != "sql":
        return []
    return [each for each in _BETWEEN.split(finding.fix.text) if each.strip()]


def _carried_out(scratch: Scratch, statement: str) -> str:
    try:
        scratch.run(statement)
    except Error as error:
        return f"{statement}: {error}"
    return ""


def plan(scratch: Scratch, trap: Trap, query: str, without: str = "") -> list[str]:
    """What the planner does for a query, whatever the index; ``without`` one of them, if named.

    Never a sequential scan or a sort where there is another way: what is left of them has to be.
    """
    with scratch.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL search_path = {trap.name}, public"
        )
        if without:
            cursor.execute(f'DROP INDEX "{without}"')
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")
        ((answer,),) = cursor.fetchall()
        cursor.execute("ROLLBACK")
    return sorted(_steps(answer[0]["Plan"]))


def _steps(node: dict[str, Any]) -> Iterator[str]:
    # A bitmap of an index, or the index itself: which of them is a matter of numbers.
    kind = node["Node Type"].replace("Bitmap Index Scan", "Index Scan")
    conditions = [each for each in ("Index Cond", "Filter") if each in node]
    if kind != "Bitmap Heap Scan" or "Filter" in conditions:
        yield " ".join([kind, *conditions])
    for child in node.get("Plans", ()):
        yield from _steps(child)
