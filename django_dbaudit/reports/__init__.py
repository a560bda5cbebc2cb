"""Findings out: every format, by its name on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django_dbaudit.reports import console, github, html, json, markdown, sarif
from django_dbaudit.reports.document import Document, Style

#: Each makes the text of a whole report.
FORMATS: Mapping[str, Callable[[Document, Style], str]] = {
    "console": console.render,
    "json": json.render,
    "sarif": sarif.render,
    "github": github.render,
    "markdown": markdown.render,
    "html": html.render,
}
