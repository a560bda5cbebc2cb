"""The format for a terminal: the only one that knows colour and width."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import groupby

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from django_dbaudit.finding import Finding, Related, Severity
from django_dbaudit.reports.document import Document, Row, RuleHelp, Style, Table

#: Lines of prose that are longer are hard to read.
PROSE = 110
#: From this width on a table is set as one.
WIDE = 110

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def render(document: Document, style: Style) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=style.width,
        color_system="standard" if style.color else None,
        force_terminal=style.color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for part in _parts(document, style.width):
        console.print(part)
    # Rich fills lines up to the width; nobody wants the blanks in a file.
    return "\n".join(line.rstrip() for line in file.getvalue().split("\n"))


def _parts(document: Document, width: int) -> Iterator[RenderableType]:
    yield _head(document)
    for table in document.tables:
        yield ""
        yield _table(table, width)
    helps = {each.code: each for each in document.rules}
    for (_, code), group in groupby(document.findings, lambda each: (each.severity, each.rule)):
        yield ""
        yield from _group(list(group), helps.get(code), len(document.databases) > 1, width)
    if document.not_run:
        yield ""
        yield _not_run(document, width)
    yield ""
    if document.totals:
        yield Text(document.totals)
    yield Text(f"{document.summary[0].upper()}{document.summary[1:]}.", style="bold")


def _head(document: Document) -> Text:
    text = Text(f"{document.command}", style="bold")
    text.append(f"  {document.tool} {document.version}", style="not bold dim")
    for database in document.databases:
        name = {"postgresql": "PostgreSQL"}.get(database.vendor, database.vendor)
        server = f"{name} {database.server_version or ''}".strip()
        text.append(f"\n{database.alias}: {server}", style="not bold")
    return text


def _group(
    findings: list[Finding], help_: RuleHelp | None, say_alias: bool, width: int
) -> Iterator[RenderableType]:
    first = findings[0]
    title = Text(f"{first.severity.value.upper()} ", style=f"bold {COLOURS[first.severity]}")
    title.append(f"{first.rule} {first.name}", style="bold default")
    yield title
    if help_:
        yield Padding(Text(help_.summary, style="dim"), (0, 0, 0, 2))
    for finding in findings:
        body = _finding(finding, say_alias)
        yield Padding(body, (1, max(0, width - PROSE), 0, 2))


def _finding(finding: Finding, say_alias: bool) -> RenderableType:
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in _facts(finding, say_alias):
        grid.add_row(label, Text(value))
    return Group(Text(finding.message), grid) if grid.rows else Text(finding.message)


def _facts(finding: Finding, say_alias: bool) -> Iterator[tuple[str, str]]:
    if say_alias and finding.database:
        yield "alias", finding.database
    if finding.location:
        yield "at", str(finding.location)
    for related in finding.related:
        yield "see", _related(related)
    if finding.fix:
        yield "fix", finding.fix.text


def _related(related: Related) -> str:
    where = f" at {related.location}" if related.location else ""
    return f"{related.kind.replace('_', ' ')} {related.name}{where}"


def _table(table: Table, width: int) -> RenderableType:
    return _wide(table) if width >= WIDE else _narrow(table)


def _wide(table: Table) -> RenderableType:
    grid = Grid(
        title=table.title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 2),
        header_style="dim",
    )
    for column in table.columns:
        grid.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_number,
            overflow="fold",
        )
    for row in table.rows:
        grid.add_row(*(Text(cell) for cell in row.cells), style=_colour(row))
    return grid


def _narrow(table: Table) -> RenderableType:
    """First and last cell of a row on one line, what is between them named below."""
    titles = [column.title for column in table.columns[1:-1]]
    lines: list[RenderableType] = [Text(table.title, style="bold")]
    for row in table.rows:
        ends = Grid.grid(padding=(0, 2, 0, 0), expand=True)
        ends.add_column(overflow="fold", ratio=1)
        ends.add_column(justify="right")
        ends.add_row(Text(row.cells[0]), Text(row.cells[-1]), style=_colour(row))
        between = [f"{title} {cell}" for title, cell in zip(titles, row.cells[1:-1], strict=True) if cell]
        lines += [
            Padding(ends, (0, 0, 0, 2)),
            Padding(Text(", ".join(between), style="dim"), (0, 0, 0, 4)),
        ]
    return Group(*lines)


def _colour(row: Row) -> str | None:
    return COLOURS[row.severity] if row.severity else None


def _not_run(document: Document, width: int) -> RenderableType:
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(overflow="fold")
    for (alias, reason), rules in document.not_run_by_reason().items():
        names = dict.fromkeys(f"{each.rule} {each.name}" for each in rules)
        grid.add_row(Text(", ".join(names)))
        grid.add_row(Padding(Text(f"{alias}: {reason}", style="dim"), (0, 0, 0, 2)))
    right = max(0, width - PROSE)
    return Group(Text("NOT RUN", style="bold magenta"), Padding(grid, (0, right, 0, 2)))
