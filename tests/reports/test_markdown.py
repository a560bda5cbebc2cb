"""Markdown for a comment: read back by a parser, because what counts is what a reader then sees."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from django_dbaudit.finding import Fix
from django_dbaudit.reports import markdown
from django_dbaudit.reports.document import Column, Document, Row, Style, Table
from django_dbaudit.reports.markdown_text import cell, code, escape, fence
from samples import HOSTILE, SAMPLES, audit, document, finding, index_list, unindexed

#: Elements that our Markdown is meant to make.
OURS = {
    *("h2", "h3", "h4", "p", "ul", "li", "strong", "em", "b", "span", "code", "pre"),
    *("details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
}
PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


class Seen(HTMLParser):
    """Tags and text that a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(PARSER.render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def render(of: Document) -> str:
    return markdown.render(of, Style())


def test_head_and_overview_come_first() -> None:
    lines = render(audit()).split("\n")
    assert lines[0].startswith("## dbaudit: 1 error, 2 warnings, 1 info; 1 known from the baseline")
    assert "default: PostgreSQL 18.6; replica: PostgreSQL 16.10; legacy: mysql" in lines[2]
    assert "| warning | IDX002 | duplicate-index | 2 |" in lines


def test_severities_unfold_and_errors_are_open() -> None:
    rendered = render(audit())
    assert "<details open>\n<summary><b>1 error</b></summary>\n\n### IDX005" in rendered
    assert "<details>\n<summary><b>2 warnings</b></summary>\n\n### IDX002" in rendered


def test_a_fix_in_sql_is_fenced() -> None:
    rendered = render(document(findings=(unindexed(),)))
    assert "**Fix:**\n\n```sql\nCREATE INDEX CONCURRENTLY ON" in rendered


def test_of_a_migration_the_code_is_fenced_and_the_rest_is_read() -> None:
    rendered = render(document(findings=(finding(),)))
    assert '= False:\n\n```\nRemoveIndexConcurrently("flavor", "flavor_title_copy")\n```' in rendered


def test_a_text_of_one_line_is_not_fenced() -> None:
    rendered = render(document(findings=(finding(fix=Fix("text", "Lower CONN_MAX_AGE.")),)))
    assert "**Fix:** Lower CONN_MAX_AGE." in rendered


def test_numbers_of_a_table_stand_on_the_right() -> None:
    assert "| --- | ---: | ---: | ---: | --- | --- |" in render(index_list())


def test_a_clean_report_is_its_head() -> None:
    assert render(document()) == (
        "## dbaudit: no findings\n\ndjango-dbaudit 0.1.0; default: PostgreSQL 18.6\n"
    )


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_a_reader_sees_is_ours(sample: str) -> None:
    seen = Seen(render(SAMPLES[sample]()))
    assert set(seen.tags) <= OURS
    assert seen.tags.count("details") == render(SAMPLES[sample]()).count("\n</details>\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_read_as_it_is(name: str) -> None:
    flat = " ".join(name.split())
    assert Seen(escape(name)).text == flat
    assert Seen(f"see {code(name)}").text == f"see {flat}"
    seen = Seen(f"| a | b |\n| --- | --- |\n| {cell(name)} | end |")
    assert seen.text == f"a b {flat} end"
    assert seen.tags.count("td") == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_ends_a_fence(name: str) -> None:
    seen = Seen(f"{fence(f'```{chr(10)}{name}')}\n\nafter")
    assert seen.tags == ["pre", "code", "p"]
    assert seen.text == f"``` {' '.join(name.split())} after"


def test_nobody_is_mentioned_and_nothing_is_a_formula() -> None:
    assert escape("@team #12 $1 a@b") == "@<!-- -->team #<!-- -->12 <span>$</span>1 a@<!-- -->b"


def test_what_finds_no_room_is_counted() -> None:
    many = tuple(finding(message=f"{number} {'x' * 500}") for number in range(500))
    rendered = render(document(findings=(unindexed(), *many), known=many))
    assert len(rendered) <= markdown.ROOM
    shown = rendered.count("#### index")
    assert 50 < shown < 500
    assert f"*{500 - shown} more left out: a comment holds 65,536 characters.*" in rendered
    assert "500 more left out" in rendered
    assert rendered.count("<details") == rendered.count("</details>") == 3


def test_a_table_that_is_too_long_is_left_out() -> None:
    table = Table("public.many", (Column("Index"),), tuple(Row(("x" * 60,)) for _ in range(2000)))
    rendered = render(document(tables=(table,)))
    assert len(rendered) <= markdown.ROOM
    assert "1 more left out" in rendered
