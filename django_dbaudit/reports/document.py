"""What a report is made of, before any format: findings, what was not run, tables, a closing line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django_dbaudit.finding import Database, Finding, NotRun, Severity


@dataclass(frozen=True, slots=True)
class Style:
    """How much room there is, in columns, and whether colour is welcome."""

    width: int = 80
    color: bool = False


@dataclass(frozen=True, slots=True)
class RuleHelp:
    """What a report may say of a rule. ``page`` is reST, ``summary`` its first line."""

    code: str
    name: str
    severity: Severity
    summary: str
    page: str


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    #: Numbers stand on the right.
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Cells in the order of the columns; ``severity`` is that of the worst finding about the row."""

    cells: tuple[str, ...]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """All that a command has to say."""

    tool: str
    version: str
    command: str
    databases: tuple[Database, ...]
    #: Worst first; those that a baseline knows are in ``known`` instead.
    findings: tuple[Finding, ...]
    known: tuple[Finding, ...] = ()
    #: Those that a comment in the code answers.
    suppressed: tuple[Finding, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    #: Why we could not look as asked; empty if we could.
    failures: tuple[str, ...] = ()
    #: The rules that were asked for.
    rules: tuple[RuleHelp, ...] = ()
    #: For readers: shown by the formats for people.
    tables: tuple[Table, ...] = ()
    #: For programs: the command's own whole lists, as JSON values, by their key.
    details: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    #: One line of totals, if the command has any.
    totals: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many new findings of each severity, worst first."""
        counter = Counter(finding.severity for finding in self.findings)
        return {severity.value: counter[severity] for severity in reversed(Severity)}

    @property
    def summary(self) -> str:
        """``1 error, 3 warnings; 2 rules not run``, as the last line of a report."""
        parts = [
            f"{number} {name}{'' if number == 1 else 's'}" for name, number in self.counts.items() if number
        ]
        text = ", ".join(parts) or "no findings"
        if self.known:
            text += f"; {len(self.known)} known from the baseline"
        if self.suppressed:
            text += f"; {len(self.suppressed)} answered in the code"
        if self.not_run:
            rules = len({(each.rule, each.database) for each in self.not_run})
            text += f"; {rules} rule{'' if rules == 1 else 's'} not run, or only in part"
        return text

    def not_run_by_reason(self) -> dict[tuple[str, str], list[NotRun]]:
        """What was not run, under (alias, reason), because one reason often stops many rules."""
        grouped: dict[tuple[str, str], list[NotRun]] = {}
        for each in self.not_run:
            grouped.setdefault((each.database or "", each.reason), []).append(each)
        return grouped
