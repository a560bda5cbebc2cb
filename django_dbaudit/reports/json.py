"""The format for programs. ``report.schema.json`` beside this file is its published schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django_dbaudit.finding import Finding
from django_dbaudit.reports.document import Document, Style

#: Grows when a field changes its meaning or goes; new fields alone do not raise it.
VERSION = 1


def render(document: Document, style: Style) -> str:
    report = {
        "version": VERSION,
        "tool": {"name": document.tool, "version": document.version},
        "command": document.command,
        "databases": [asdict(each) for each in document.databases],
        "findings": [_finding(each) for each in document.findings],
        "known": [_finding(each) for each in document.known],
        "suppressed": [_finding(each) for each in document.suppressed],
        "not_run": [
            {"rule": each.rule, "name": each.name, "database": each.database, "reason": each.reason}
            for each in document.not_run
        ],
        "failures": list(document.failures),
        "summary": document.counts,
        **document.details,
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    values = asdict(finding)
    del values["identity"]
    if finding.subject.method is None:
        del values["subject"]["method"]
    return {
        **values,
        "severity": finding.severity.value,
        "evidence": dict(finding.evidence),
        "related": [asdict(each) for each in finding.related],
        "fingerprint": finding.fingerprint,
    }
