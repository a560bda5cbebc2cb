"""Workflow commands of GitHub Actions: each finding becomes an annotation, at its line if it has one.

GitHub shows the first ten annotations of a kind in a step; the findings come worst first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django_dbaudit.finding import Finding, NotRun, Severity
from django_dbaudit.reports import wording
from django_dbaudit.reports.document import Document, Style

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}

# The runner reads lines, so that these alone can end a message, and these alone a property.
_IN_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = {**_IN_MESSAGE, **str.maketrans({":": "%3A", ",": "%2C"})}


def render(document: Document, style: Style) -> str:
    return "".join(f"{line}\n" for line in _lines(document))


def _lines(document: Document) -> Iterator[str]:
    say_alias = len(document.databases) > 1
    for finding in document.findings:
        yield _finding(finding, say_alias=say_alias)
    for (alias, reason), rules in document.not_run_by_reason().items():
        yield _not_run(alias, reason, rules)
    # No command: it stands in the step's log.
    yield f"{document.command}: {document.summary}."


def _finding(finding: Finding, *, say_alias: bool) -> str:
    title = f"{finding.rule} {finding.name}"
    if say_alias and finding.database:
        title += f" on {finding.database}"
    message = [finding.message, *(f"See {wording.related(each)}" for each in finding.related)]
    if finding.fix:
        message.append(f"Fix: {finding.fix.text}")
    place = finding.location
    properties = {"file": place.path, "line": str(place.line)} if place else {}
    return _command(COMMANDS[finding.severity], {**properties, "title": title}, "\n".join(message))


def _not_run(alias: str, reason: str, rules: Sequence[NotRun]) -> str:
    names = ", ".join(dict.fromkeys(f"{each.rule} {each.name}" for each in rules))
    where = f" on {alias}" if alias else ""
    return _command("notice", {"title": f"Not run{where}, or only in part"}, f"{names}: {reason}")


def _command(command: str, properties: dict[str, str], message: str) -> str:
    given = ",".join(f"{key}={value.translate(_IN_PROPERTY)}" for key, value in properties.items())
    return f"::{command} {given}::{message.translate(_IN_MESSAGE)}"
