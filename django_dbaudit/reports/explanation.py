"""A rule's page for a terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.markdown import Markdown

from django_dbaudit.reports import page
from django_dbaudit.reports.document import RuleHelp, Style

#: Longer lines of prose are hard to read.
PROSE = 100


def explain(help_: RuleHelp, style: Style) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=min(style.width, PROSE),
        color_system="standard" if style.color else None,
        force_terminal=style.color,
        legacy_windows=False,
    )
    console.print(f"{help_.code} {help_.name}", style="bold", highlight=False)
    console.print(f"{help_.severity.value}", style="dim", highlight=False)
    console.print()
    console.print(Markdown(page.to_markdown(help_.page), hyperlinks=False))
    return "\n".join(line.rstrip() for line in file.getvalue().split("\n"))
