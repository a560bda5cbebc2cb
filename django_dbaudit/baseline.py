"""A baseline: the findings that a team knows of, so that only new ones fail a build."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from django_dbaudit.files import FileKind
from django_dbaudit.finding import Finding

FILE = FileKind("the baseline", "baseline_version", 1, "Write it anew with --write-baseline.")
#: Codes of what comes and goes by itself.
PASSING = "ACT"

#: For each fingerprint the rule's code and the alias.
Baseline: TypeAlias = "Mapping[str, tuple[str, str | None]]"


@dataclass(frozen=True, slots=True)
class Compared:
    """Findings as a baseline sorts them; ``gone`` are its entries that nothing matches any more."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    gone: int


def dump(findings: Iterable[Finding]) -> str:
    """The text of a baseline file: sorted, one entry a line, so that its diffs can be read."""
    entries = {
        each.fingerprint: {
            "fingerprint": each.fingerprint,
            "rule": each.rule,
            "name": each.name,
            "database": each.database,
            "subject": str(each.subject),
        }
        for each in findings
    }
    ordered = sorted(entries.values(), key=lambda e: (e["rule"], e["subject"], e["fingerprint"]))
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in ordered)
    return f'{{"{FILE.key}": {FILE.version}, "findings": [\n{lines}\n]}}\n'


def load(path: Path) -> Baseline:
    """Read a baseline file; an `AuditError` says what is wrong with a bad one."""
    return FILE.read(path, _decode)


def _decode(document: Mapping[str, Any]) -> Baseline:
    return {
        str(entry["fingerprint"]): (str(entry["rule"]), entry["database"]) for entry in document["findings"]
    }


def compare(
    findings: Iterable[Finding], baseline: Baseline, ran: Collection[tuple[str, str | None]] = ()
) -> Compared:
    """Tell the findings that the baseline holds, marked ``known``, from those that are new.

    ``ran`` are the rules, by code, that looked at a database, by alias: only what they no longer
    find is gone. What sessions do comes and goes by itself.
    """
    found = tuple(findings)
    if not baseline:
        return Compared(new=found, known=(), gone=0)
    # Once each: a fingerprint is worked out whenever it is asked for.
    by = [(each.fingerprint, each) for each in found]
    missing = baseline.keys() - {fingerprint for fingerprint, _ in by}
    return Compared(
        new=tuple(each for fingerprint, each in by if fingerprint not in baseline),
        known=tuple(
            dataclasses.replace(each, status="known") for fingerprint, each in by if fingerprint in baseline
        ),
        gone=sum(baseline[each] in ran and not baseline[each][0].startswith(PASSING) for each in missing),
    )
