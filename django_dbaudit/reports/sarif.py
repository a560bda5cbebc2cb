"""SARIF 2.1.0, for code scanning.

GitHub refuses a whole file over one result without a physical location. So what has no line in the
project's code (a session, an index that no model declares) is laid to ``manage.py``, which every
project has, without a line; its logical location says what it is really about.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from django_dbaudit.finding import Finding, Location, NotRun, Severity
from django_dbaudit.reports import page, wording
from django_dbaudit.reports.document import Document, RuleHelp, Style

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
#: What relative paths are relative to: the directory the command ran in.
BASE = "%SRCROOT%"
#: Where results stand that have no place in the project's code.
NOWHERE = "manage.py"
#: Characters that GitHub shows of a description.
DESCRIPTION = 1024


def render(document: Document, style: Style) -> str:
    run = _Run(document).as_json()
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


class _Run:
    """One run of the tool, with what its results look up."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.results = (*document.findings, *document.known, *document.suppressed)
        self.rule_index = {each.code: index for index, each in enumerate(document.rules)}
        self.at_line = Counter((each.rule, each.location) for each in self.results)

    def as_json(self) -> dict[str, Any]:
        document = self.document
        driver = {
            "name": document.tool,
            "version": document.version,
            "rules": [_rule(each) for each in document.rules],
        }
        return {
            "tool": {"driver": driver},
            # Each command is a category of its own: uploading one leaves the other's alerts alone.
            "automationDetails": {"id": f"{document.tool}/{document.command}/"},
            "originalUriBaseIds": {BASE: {"description": _text("Where the command ran.")}},
            "invocations": [
                {
                    "executionSuccessful": not document.failures,
                    "toolExecutionNotifications": [self.notification(each) for each in document.not_run],
                }
            ],
            "results": [self.result(each) for each in self.results],
        }

    def result(self, finding: Finding) -> dict[str, Any]:
        is_known = finding.status == "known"
        suppression = _SUPPRESSIONS.get(finding.status)
        return {
            **self.reference(finding.rule, "ruleId", "ruleIndex"),
            "level": LEVELS[finding.severity],
            "message": _text(_message(finding)),
            "locations": [_location(finding)],
            "relatedLocations": _related_locations(finding),
            "partialFingerprints": self.fingerprints(finding),
            "baselineState": "unchanged" if is_known else "new",
            "suppressions": [suppression] if suppression else [],
            "properties": {
                "database": finding.database,
                "subject": str(finding.subject),
                "evidence": dict(finding.evidence),
            },
        }

    def reference(self, code: str, id_key: str, index_key: str) -> dict[str, Any]:
        index = self.rule_index.get(code)
        return {id_key: code} if index is None else {id_key: code, index_key: index}

    def fingerprints(self, finding: Finding) -> dict[str, str]:
        """Our own; and GitHub's, which knows no other, where it would not come to a good one itself.

        GitHub hashes the text of the line. That says nothing where there is no line, and would make
        one alert of two findings on one line, as of a model that has its table on two aliases.
        """
        ours = {"dbaudit/v1": finding.fingerprint}
        if finding.location and self.at_line[finding.rule, finding.location] == 1:
            return ours
        return {**ours, "primaryLocationLineHash": f"{finding.fingerprint}:1"}

    def notification(self, each: NotRun) -> dict[str, Any]:
        where = f" on {each.database}" if each.database else ""
        return {
            "associatedRule": self.reference(each.rule, "id", "index"),
            "level": "note",
            "message": _text(f"{each.name} did not run{where}, or only in part: {each.reason}"),
        }


#: By the status of a finding.
_SUPPRESSIONS = {
    "known": {"kind": "external", "status": "accepted", "justification": "Known from the baseline."},
    "suppressed": {"kind": "inSource", "status": "accepted"},
}


def _rule(help_: RuleHelp) -> dict[str, Any]:
    paragraphs = help_.page.split("\n\n")
    description = " ".join(" ".join(paragraphs[:2]).split())
    return {
        "id": help_.code,
        "name": help_.name,
        "shortDescription": _text(help_.summary),
        "fullDescription": _text(_shortened(description) or help_.summary),
        "help": {**_text(help_.page), "markdown": page.to_markdown(help_.page)},
        "defaultConfiguration": {"level": LEVELS[help_.severity]},
        "properties": {"tags": ["django", "postgresql"]},
    }


def _shortened(text: str) -> str:
    return text if len(text) <= DESCRIPTION else f"{text[: DESCRIPTION - 1]}…"


def _text(text: str) -> dict[str, Any]:
    return {"text": text}


def _message(finding: Finding) -> str:
    """The finding's own, with what has no better place: what is related but nowhere, and the fix."""
    parts = [finding.message]
    if elsewhere := [wording.related(each) for each in finding.related if not each.location]:
        parts.append(f"See {', '.join(elsewhere)}.")
    if finding.fix:
        parts.append(f"Fix: {finding.fix.text}")
    return "\n\n".join(parts)


def _location(finding: Finding) -> dict[str, Any]:
    subject = finding.subject
    return {
        "physicalLocation": _physical(finding.location),
        "logicalLocations": [
            {
                "name": subject.name.rpartition(".")[2],
                "fullyQualifiedName": subject.name,
                "kind": subject.kind,
            }
        ],
    }


def _related_locations(finding: Finding) -> Sequence[dict[str, Any]]:
    placed = [each for each in finding.related if each.location]
    return [
        {
            "id": number,
            "message": _text(f"{wording.kind(each.kind)} {each.name}"),
            "physicalLocation": _physical(each.location),
        }
        for number, each in enumerate(placed, start=1)
    ]


def _physical(location: Location | None) -> dict[str, Any]:
    if location is None:
        return {"artifactLocation": {"uri": NOWHERE, "uriBaseId": BASE}}
    return {"artifactLocation": _artifact(location.path), "region": {"startLine": location.line}}


def _artifact(path: str) -> dict[str, str]:
    pure = PurePath(path)
    if pure.is_absolute():
        return {"uri": pure.as_uri()}
    return {"uri": quote(pure.as_posix()), "uriBaseId": BASE}
