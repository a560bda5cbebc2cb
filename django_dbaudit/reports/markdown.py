"""Markdown for a comment on a pull request: a summary, and the rest to unfold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django_dbaudit.finding import Finding
from django_dbaudit.reports import wording
from django_dbaudit.reports.document import Document, RuleHelp, Style, Table
from django_dbaudit.reports.markdown_text import code, escape, fence, table

#: Characters that GitHub takes in a comment; a longer one it refuses altogether.
ROOM = 65_536


@dataclass(frozen=True, slots=True)
class Section:
    """What unfolds under one line. Items that find no room are left out, from the end, and counted."""

    title: str
    items: Sequence[str]
    is_open: bool = False


def render(document: Document, style: Style) -> str:
    head = _head(document)
    sections = list(_sections(document))
    # Every section gets its frame, and then the first ones, which are the worst, all they need.
    room = ROOM - len(head) - sum(len(_frame(section, [])) + 1 for section in sections)
    parts = [head]
    for section in sections:
        items = _fitting(section.items, room)
        room -= sum(len(item) + 2 for item in items)
        parts.append(_frame(section, items))
    return "\n".join(parts)


def _fitting(items: Sequence[str], room: int) -> list[str]:
    fitting: list[str] = []
    for item in items:
        room -= len(item) + 2
        if room < 0:
            break
        fitting.append(item)
    return fitting


def _frame(section: Section, items: Sequence[str]) -> str:
    left_out = len(section.items) - len(items)
    notice = [f"*{left_out:,} more left out: a comment holds {ROOM:,} characters.*"] if left_out else []
    body = "\n\n".join([*items, *notice])
    opened = " open" if section.is_open else ""
    return f"<details{opened}>\n<summary><b>{section.title}</b></summary>\n\n{body}\n\n</details>\n"


def _head(document: Document) -> str:
    databases = [f"{each.alias}: {wording.server(each)}" for each in document.databases]
    lines = [
        f"## {escape(document.command)}: {escape(document.summary)}",
        escape("; ".join([f"{document.tool} {document.version}", *databases])),
    ]
    if document.totals:
        lines.append(escape(document.totals))
    if document.findings:
        lines.append(_overview(document))
    return "\n\n".join(lines) + "\n"


def _overview(document: Document) -> str:
    rows = [
        [severity.value, rule, group[0].name, f"{len(group):,}"]
        for severity, rule, group in wording.by_rule(document.findings)
    ]
    return table(["Severity", "Rule", "Name", "Findings"], rows, frozenset({3}))


def _sections(document: Document) -> Iterator[Section]:
    say_alias = len(document.databases) > 1
    helps = {each.code: each for each in document.rules}
    for severity, group in groupby(document.findings, lambda each: each.severity):
        findings = list(group)
        items = list(_findings(findings, helps, say_alias=say_alias))
        yield Section(
            wording.count(len(findings), severity.value), items, is_open=severity.value == "error"
        )
    if document.known:
        items = [f"- {escape(f'{each.rule} {each.name}: {each.message}')}" for each in document.known]
        yield Section(f"{len(document.known):,} known from the baseline", items)
    if document.not_run:
        yield Section("Not run, or only in part", [_not_run(document)])
    if document.tables:
        yield Section("Tables", [_table(each) for each in document.tables])


def _findings(findings: Sequence[Finding], helps: dict[str, RuleHelp], *, say_alias: bool) -> Iterator[str]:
    for _, rule, group in wording.by_rule(findings):
        heading = f"### {escape(f'{rule} {group[0].name}')}\n\n"
        if rule in helps:
            heading += f"{escape(helps[rule].summary)}\n\n"
        for finding in group:
            yield heading + _finding(finding, say_alias=say_alias)
            heading = ""


def _finding(finding: Finding, *, say_alias: bool) -> str:
    blocks = [f"#### {escape(str(finding.subject))}", escape(finding.message)]
    if where := list(_where(finding, say_alias=say_alias)):
        blocks.append("\n".join(f"- {line}" for line in where))
    if finding.evidence:
        blocks.append(table(["Evidence", ""], [[key, value] for key, value in wording.evidence(finding)]))
    blocks.extend(_fix(finding))
    return "\n\n".join(blocks)


def _where(finding: Finding, *, say_alias: bool) -> Iterator[str]:
    if say_alias and finding.database:
        yield f"alias {code(finding.database)}"
    if finding.location:
        yield f"at {code(str(finding.location))}"
    for each in finding.related:
        where = f" at {code(str(each.location))}" if each.location else ""
        yield f"see {escape(wording.kind(each.kind))} {code(each.name)}{where}"


def _fix(finding: Finding) -> Iterator[str]:
    if finding.fix is None:
        return
    prose, copied = wording.prose_and_code(finding.fix)
    yield f"**Fix:** {escape(prose)}".rstrip()
    if copied:
        yield fence(copied, "sql" if finding.fix.kind == "sql" else "")


def _not_run(document: Document) -> str:
    rows = [
        [", ".join(dict.fromkeys(f"{each.rule} {each.name}" for each in rules)), alias, reason]
        for (alias, reason), rules in document.not_run_by_reason().items()
    ]
    return table(["Rules", "Alias", "Why"], rows)


def _table(each: Table) -> str:
    numbers = frozenset(place for place, column in enumerate(each.columns) if column.is_number)
    rows = [list(row.cells) for row in each.rows]
    return f"**{escape(each.title)}**\n\n{table([c.title for c in each.columns], rows, numbers)}"
