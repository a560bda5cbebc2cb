"""A baseline: the findings that a team knows of, so that only new ones fail a build."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django_dbaudit.errors import AuditError
from django_dbaudit.finding import Finding

FILE_VERSION = 1


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
    return f'{{"baseline_version": {FILE_VERSION}, "findings": [\n{lines}\n]}}\n'


def load(path: Path) -> frozenset[str]:
    """The fingerprints in a baseline file; an `AuditError` says what is wrong with a bad one."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AuditError(
            f"Cannot read the baseline {path}: {error.strerror}. Write one with --write-baseline {path}."
        ) from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    version = document.get("baseline_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > FILE_VERSION:
        raise AuditError(
            f"The baseline {path} has version {version}, and this django-dbaudit reads up to "
            f"{FILE_VERSION}: upgrade django-dbaudit, or write the baseline anew."
        )
    if version != FILE_VERSION:
        raise _damaged(path, "it has no baseline_version")
    try:
        return frozenset([str(entry["fingerprint"]) for entry in document["findings"]])
    except (KeyError, TypeError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def compare(findings: Iterable[Finding], baseline: frozenset[str]) -> Compared:
    """Tell the findings that the baseline holds, marked ``known``, from those that are new."""
    found = tuple(findings)
    return Compared(
        new=tuple(each for each in found if each.fingerprint not in baseline),
        known=tuple(
            dataclasses.replace(each, status="known") for each in found if each.fingerprint in baseline
        ),
        gone=len(baseline - {each.fingerprint for each in found}),
    )


def _damaged(path: Path, why: str) -> AuditError:
    return AuditError(f"The baseline {path} is damaged ({why}); write it again.")
