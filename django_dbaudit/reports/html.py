"""One HTML file that needs nothing else: no network, and no script but its own.

It is made by an `Engine` apart from the project's templates, whose settings say nothing about it. Its
Content-Security-Policy names the one style and the one script that it holds by their hashes: were
something of the database's ever to come through unescaped, no browser would run it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.template import Context, Engine, Template
from django.utils.safestring import SafeString, mark_safe

from django_dbaudit.finding import Finding
from django_dbaudit.reports import page, wording
from django_dbaudit.reports.document import Document, RuleHelp, Style, Table

TEMPLATES = Path(__file__).parent / "templates"


def render(document: Document, style: Style) -> str:
    # Every number comes as text: the project's localisation would change it otherwise.
    return _template().render(Context(_context(document), use_l10n=False, use_tz=False)) + "\n"


@functools.cache
def _template() -> Template:
    return Engine(dirs=[str(TEMPLATES)]).get_template("report.html")


@functools.cache
def _part(name: str) -> tuple[SafeString, str]:
    """A part of the page that is ours, and the source expression that a policy knows it by."""
    text = (TEMPLATES / name).read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return mark_safe(text), f"sha256-{digest}"  # noqa: S308  # ours, from a file of this package


def _context(document: Document) -> dict[str, Any]:
    say_alias = len(document.databases) > 1
    ids = _Ids()
    css, css_source = _part("report.css")
    script, script_source = _part("report.js")
    return {
        "css": css,
        "css_source": css_source,
        "script": script,
        "script_source": script_source,
        "document": document,
        "summary": f"{document.summary[0].upper()}{document.summary[1:]}.",
        "databases": [(each.alias, wording.server(each)) for each in document.databases],
        "counts": [
            {"severity": severity, "text": wording.count(number, severity)}
            for severity, number in document.counts.items()
            if number
        ],
        "groups": list(_groups(document, ids, say_alias=say_alias)),
        "known": [_finding(each, ids, say_alias=say_alias) for each in document.known],
        "known_count": f"{len(document.known):,}",
        "not_run": list(_not_run(document)),
        "tables": [_table(each) for each in document.tables],
    }


class _Ids:
    """An id for each finding: its fingerprint, which two sessions with one statement share."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, finding: Finding) -> str:
        self._seen[finding.fingerprint] += 1
        times = self._seen[finding.fingerprint]
        return finding.fingerprint if times == 1 else f"{finding.fingerprint}-{times}"


def _groups(document: Document, ids: _Ids, *, say_alias: bool) -> Iterator[dict[str, Any]]:
    helps = {each.code: each for each in document.rules}
    for severity, rule, findings in wording.by_rule(document.findings):
        yield {
            "severity": severity.value,
            "rule": rule,
            "name": findings[0].name,
            "count": wording.count(len(findings), "finding"),
            **_help(helps.get(rule)),
            "findings": [_finding(each, ids, say_alias=say_alias) for each in findings],
        }


def _help(help_: RuleHelp | None) -> dict[str, Any]:
    if help_ is None:
        return {}
    # The summary stands above the page, which begins with it.
    rest = help_.page.partition("\n\n")[2]
    return {"help": help_.summary, "page": page.to_html(rest) if rest else ""}


def _finding(finding: Finding, ids: _Ids, *, say_alias: bool) -> dict[str, Any]:
    prose, code = wording.prose_and_code(finding.fix) if finding.fix else ("", "")
    return {
        "severity": finding.severity.value,
        "rule": finding.rule,
        "name": finding.name,
        "subject": str(finding.subject),
        "message": finding.message,
        "facts": list(_facts(finding, say_alias=say_alias)),
        "evidence": wording.evidence(finding),
        "prose": prose,
        "code": code,
        "id": ids.of(finding),
    }


def _facts(finding: Finding, *, say_alias: bool) -> Iterator[tuple[str, str]]:
    if say_alias and finding.database:
        yield "alias", finding.database
    if finding.location:
        yield "at", str(finding.location)
    for each in finding.related:
        yield "see", wording.related(each)


def _not_run(document: Document) -> Iterator[dict[str, str]]:
    for (alias, reason), rules in document.not_run_by_reason().items():
        yield {
            "rules": _listed(f"{each.rule} {each.name}" for each in rules),
            "alias": alias,
            "reason": reason,
        }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _table(table: Table) -> dict[str, Any]:
    rows = [
        {
            "severity": row.severity.value if row.severity else "",
            "cells": [
                {"title": column.title, "is_number": column.is_number, "text": text}
                for column, text in zip(table.columns, row.cells, strict=True)
            ],
        }
        for row in table.rows
    ]
    return {"title": table.title, "columns": table.columns, "rows": rows}
