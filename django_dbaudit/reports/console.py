"""The format for a terminal: the only one that knows colour and width.

Rich says what colours are and how wide a character is. Its tables and panels are left alone: a
report of 20,000 indexes took them a quarter of a minute to lay out.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby

from rich.cells import cell_len, chop_cells
from rich.color import ColorSystem
from rich.style import Style as Ink

from django_dbaudit.finding import Finding, Fix, Severity
from django_dbaudit.reports import wording
from django_dbaudit.reports.document import Column, Document, RuleHelp, Style, Table

#: Lines of prose that are longer are hard to read.
PROSE = 110
#: Blanks between the columns of a table.
GAP = 3

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
DIM = "dim"
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def render(document: Document, style: Style) -> str:
    paper = _Paper(style)
    _head(paper, document)
    _tables(paper, document.tables)
    helps = {each.code: each for each in document.rules}
    for (_, code), group in groupby(document.findings, lambda each: (each.severity, each.rule)):
        _group(paper, list(group), helps.get(code), say_alias=len(document.databases) > 1)
    if document.not_run:
        _not_run(paper, document)
    paper.line()
    if document.totals:
        paper.prose(document.totals)
    paper.prose(f"{document.summary[0].upper()}{document.summary[1:]}.", ink="bold")
    return paper.text()


@dataclass
class _Paper:
    """Takes lines, and gives the whole text."""

    style: Style
    _lines: list[str] = field(default_factory=list)

    def line(self, *parts: tuple[str, str]) -> None:
        """One line, made of pieces of text, each with its ink."""
        text = "".join(self._inked(text, ink) for text, ink in parts)
        self._lines.append(text if self.style.color else text.rstrip())

    def prose(self, text: str, *, indent: int = 0, label: str = "", ink: str = "") -> None:
        """Text that goes on below itself; a ``label`` stands before its first line."""
        hang = indent + len(label)
        room = max(20, min(self.style.width, PROSE + hang) - hang)
        lead = f"{' ' * indent}{label}"
        for line in (piece for part in text.split("\n") for piece in wrap(part, room) or [""]):
            self.line((lead, DIM), (line, ink))
            lead = " " * hang

    def text(self) -> str:
        return "\n".join([*self._lines, ""])

    def _inked(self, text: str, ink: str) -> str:
        text = _visible(text)
        if not self.style.color or not ink or not text.strip():
            return text
        return _ink(ink).render(text, color_system=ColorSystem.STANDARD)


def _visible(text: str) -> str:
    """The text of a session's query must not write to the terminal by itself."""
    return text if text.isprintable() else text.translate(CONTROLS)


@cache
def _ink(definition: str) -> Ink:
    return Ink.parse(definition)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` columns, broken between words where that can be."""
    if len(text) <= width and text.isascii() and text.isprintable() and not text.endswith(" "):
        # Most of a long list; to find out that there is nothing to do would take most of the time.
        return [text] if text else []
    if cell_len(text) == len(text):
        return textwrap.wrap(text, width, break_on_hyphens=False)
    # Characters that take two columns: the text is rare, so a slower way will do.
    lines: list[str] = []
    for word in (piece for long in text.split() for piece in chop_cells(long, width)):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _head(paper: _Paper, document: Document) -> None:
    paper.line((document.command, "bold"), (f"  {document.tool} {document.version}", DIM))
    for database in document.databases:
        paper.line((f"{database.alias}: {wording.server(database)}", ""))


def _group(paper: _Paper, findings: list[Finding], help_: RuleHelp | None, *, say_alias: bool) -> None:
    first = findings[0]
    paper.line()
    paper.line(
        (first.severity.value.upper(), f"bold {COLOURS[first.severity]}"),
        (f" {first.rule} {first.name}", "bold"),
    )
    if help_:
        paper.prose(help_.summary, indent=2, ink=DIM)
    if first.severity is Severity.INFO:
        _in_short(paper, findings, say_alias=say_alias)
        return
    for finding in findings:
        paper.line()
        paper.prose(finding.message, indent=2)
        for label, value in _facts(finding, say_alias=say_alias):
            paper.prose(value, indent=2, label=f"{label:<4}")
        if finding.fix:
            _fix(paper, finding.fix)


def _in_short(paper: _Paper, findings: list[Finding], *, say_alias: bool) -> None:
    """A line or two each, because nobody has to act on them; other formats tell all."""
    paper.line()
    for finding in findings:
        where = f" ({finding.location})" if finding.location else ""
        alias = f"{finding.database}: " if say_alias and finding.database else ""
        paper.prose(f"{alias}{finding.message}{where}", indent=2, label="- ")


def _facts(finding: Finding, *, say_alias: bool) -> Iterator[tuple[str, str]]:
    if say_alias and finding.database:
        yield "on", finding.database
    if finding.location:
        yield "at", str(finding.location)
    for related in finding.related:
        yield "see", wording.related(related)


def _fix(paper: _Paper, fix: Fix) -> None:
    """Statements and code as they are, to be copied whole; what is said before them as prose."""
    first, *code = fix.text.split("\n")
    if fix.kind == "sql":
        paper.line(("  fix ", DIM), (first, ""))
    else:
        paper.prose(first, indent=2, label="fix ")
    for line in code:
        paper.line((f"      {line}", ""))


def _tables(paper: _Paper, tables: Sequence[Table]) -> None:
    """Each as a table if it fits a wide terminal, else each row of it on two lines."""
    room = paper.style.width if paper.style.width >= PROSE else 0
    for table in map(_printable, tables):
        paper.line()
        paper.prose(table.title, ink="bold")
        widths = _widths(table) if room else []
        if widths and sum(widths) + GAP * (len(widths) - 1) <= room:
            _wide(paper, table, widths)
        else:
            _narrow(paper, table)


def _widths(table: Table) -> list[int]:
    rows = [[column.title for column in table.columns], *(row.cells for row in table.rows)]
    return [max(map(cell_len, cells)) for cells in zip(*rows, strict=True)]


def _printable(table: Table) -> Table:
    """What it will look like on paper, so that it is measured as it is shown."""
    if all(cell.isprintable() for row in table.rows for cell in row.cells):
        return table
    rows = [replace(row, cells=tuple(map(_visible, row.cells))) for row in table.rows]
    return replace(table, rows=tuple(rows))


def _wide(paper: _Paper, table: Table, widths: Sequence[int]) -> None:
    paper.line((_set([column.title for column in table.columns], table.columns, widths), DIM))
    paper.line(("─" * (sum(widths) + GAP * (len(widths) - 1)), DIM))
    for row in table.rows:
        ink = COLOURS[row.severity] if row.severity else ""
        paper.line((_set(row.cells, table.columns, widths), ink))


def _set(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    """Cells side by side, numbers on the right."""
    return (" " * GAP).join(
        " " * (width - cell_len(cell)) + cell if column.is_number else cell + " " * (width - cell_len(cell))
        for cell, column, width in zip(cells, columns, widths, strict=False)
    )


def _narrow(paper: _Paper, table: Table) -> None:
    """First and last cell of a row on one line, what is between them named below."""
    room = min(paper.style.width, PROSE)
    for row in table.rows:
        ink = COLOURS[row.severity] if row.severity else ""
        first, last = row.cells[0], row.cells[-1]
        gap = room - 2 - cell_len(first) - cell_len(last)
        if gap > 1:
            paper.line((f"  {first}{' ' * gap}{last}", ink))
        else:
            paper.prose(first, indent=2, ink=ink)
            paper.prose(last, indent=4, ink=ink)
        titles = [column.title for column in table.columns[1:-1]]
        between = [f"{title} {cell}" for title, cell in zip(titles, row.cells[1:-1], strict=True) if cell]
        paper.prose(", ".join(between), indent=4, ink=DIM)


def _not_run(paper: _Paper, document: Document) -> None:
    paper.line()
    paper.line(("NOT RUN", "bold magenta"))
    for (alias, reason), rules in document.not_run_by_reason().items():
        names = dict.fromkeys(f"{each.rule} {each.name}" for each in rules)
        paper.prose(", ".join(names), indent=2)
        paper.prose(f"{alias}: {reason}" if alias else reason, indent=4, ink=DIM)
