"""Rules' pages in Markdown and HTML."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from django_dbaudit.reports import markdown_text, page, wording
from django_dbaudit.rule import Rule, all_rules

PAIRS = [
    ("plain", "plain", "<p>plain</p>"),
    ("two\nlines", "two lines", "<p>two lines</p>"),
    ("**strong** words", "**strong** words", "<p><strong>strong</strong> words</p>"),
    ("*so* it is", "*so* it is", "<p><em>so</em> it is</p>"),
    ("``a * b`` and ``c``", "`a * b` and `c`", "<p><code>a * b</code> and <code>c</code></p>"),
    ("`name`", "`name`", "<p><code>name</code></p>"),
    (
        "`The\nmanual <https://x.org/a_b>`__.",
        "[The manual](<https://x.org/a_b>).",
        '<p><a href="https://x.org/a_b" rel="noreferrer">The manual</a>.</p>',
    ),
    ("`x <javascript:alert(1)>`__", "`x <javascript:alert(1)>`\\_\\_", None),
    ("- one\n- two\n  more", "- one\n- two more", "<ul><li>one</li><li>two more</li></ul>"),
    ("As in::\n\n    a\n      b\n\n    c", "As in:\n\n```\na\n  b\n\nc\n```", None),
    ("::\n\n  a\n\nb", "```\na\n```\n\nb", "<pre><code>a</code></pre>\n<p>b</p>"),
    ("a < b & c", "a &lt; b &amp; c", "<p>a &lt; b &amp; c</p>"),
]


@pytest.mark.parametrize(("source", "markdown", "html"), PAIRS)
def test_a_page_is_converted(source: str, markdown: str, html: str | None) -> None:
    assert page.to_markdown(source) == f"{markdown}\n"
    if html is not None:
        assert page.to_html(source) == html


def test_no_link_runs_a_script() -> None:
    assert "href" not in page.to_html("`x <javascript:alert(1)>`__")


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
def test_every_rules_page_keeps_to_what_is_understood(rule: Rule) -> None:
    spans = [span for block in page.parse(rule.page) for item in block.items for span in item]
    left = [span.text for span in spans if span.kind == "text" and ("``" in span.text or "**" in span.text)]
    assert left == []
    assert not [block for block in page.parse(rule.page) if block.items[0][0].text.startswith(("..", "=="))]


@pytest.mark.parametrize("module", [wording, markdown_text])
def test_examples_hold(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0
