"""A rule's page for Markdown and HTML: as much of reST as our pages use, and no more.

That is paragraphs, lists, literal blocks, and within them strong, emphasis, literals and links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from django_dbaudit.reports import markdown_text

# Literals come first, because nothing within them is markup.
_INLINE = re.compile(
    r"``(?P<literal>.+?)``"
    r"|\*\*(?P<strong>.+?)\*\*"
    r"|\*(?P<emphasis>[^\s*][^*]*)\*"
    r"|`(?P<title>[^`<]+?) <(?P<target>https?://[^>`]+)>`_{1,2}"
    r"|`(?P<name>[^`]+)`"
)
_ITEM = re.compile(r"^[-*] ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text. ``kind`` is text, strong, emphasis, literal or link."""

    kind: str
    text: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a page. ``kind`` is paragraph, list or literal; only a list has more than one item."""

    kind: str
    items: tuple[tuple[Span, ...], ...]


def parse(page: str) -> Iterator[Block]:
    literal: list[str] = []
    in_literal = False
    for chunk in re.split(r"\n\s*\n", page.strip("\n")):
        if in_literal and chunk.startswith(" "):
            literal.append(chunk)
            continue
        if literal:
            yield _literal(literal)
            literal = []
        in_literal = chunk.rstrip().endswith("::")
        text = re.sub(r"\s*::\s*\Z", ":", chunk) if in_literal else chunk
        if text != ":":
            yield _block(text)
    if literal:
        yield _literal(literal)


def _literal(chunks: list[str]) -> Block:
    lines = "\n\n".join(chunks).split("\n")
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return Block("literal", ((Span("text", "\n".join(line[margin:] for line in lines)),),))


def _block(text: str) -> Block:
    if _ITEM.match(text):
        return Block("list", tuple(_spans(item) for item in _ITEM.split(text) if item.strip()))
    return Block("paragraph", (_spans(text),))


def _spans(text: str) -> tuple[Span, ...]:
    return tuple(_scan(" ".join(text.split())))


def _scan(text: str) -> Iterator[Span]:
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            yield Span("text", text[end : match.start()])
        end = match.end()
        yield _span(match)
    if end < len(text):
        yield Span("text", text[end:])


def _span(match: re.Match[str]) -> Span:
    if match["target"]:
        return Span("link", match["title"], match["target"])
    if match["name"]:
        return Span("literal", match["name"])
    kind = str(match.lastgroup)
    return Span(kind, match[kind])


def to_markdown(page: str) -> str:
    return "\n\n".join(_block_markdown(block) for block in parse(page)) + "\n"


def _block_markdown(block: Block) -> str:
    if block.kind == "literal":
        return markdown_text.fence(block.items[0][0].text)
    items = ["".join(_span_markdown(span) for span in item) for item in block.items]
    return "\n".join(f"- {item}" for item in items) if block.kind == "list" else items[0]


def _span_markdown(span: Span) -> str:
    if span.kind == "literal":
        return markdown_text.code(span.text)
    # Blanks at the ends stand between this span and the next.
    before, text, after = _split_blanks(span.text)
    text = markdown_text.escape(text)
    if span.kind == "link":
        return f"[{text}](<{span.target}>)"
    mark = {"strong": "**", "emphasis": "*"}.get(span.kind, "")
    return f"{before}{mark}{text}{mark}{after}"


def _split_blanks(text: str) -> tuple[str, str, str]:
    left, right = text.lstrip(), text.rstrip()
    return text[: len(text) - len(left)], text.strip(), text[len(right) :] if left else ""


def to_html(page: str) -> SafeString:
    return format_html_join("\n", "{}", ((_block_html(block),) for block in parse(page)))


def _block_html(block: Block) -> SafeString:
    items = [format_html_join("", "{}", ((_span_html(span),) for span in item)) for item in block.items]
    if block.kind == "literal":
        return format_html("<pre><code>{}</code></pre>", items[0])
    if block.kind == "list":
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((item,) for item in items)))
    return format_html("<p>{}</p>", items[0])


def _span_html(span: Span) -> SafeString:
    if span.kind == "link":
        return format_html('<a href="{}" rel="noreferrer">{}</a>', span.target, span.text)
    tags = {"strong": "strong", "emphasis": "em", "literal": "code"}
    tag = tags.get(span.kind)
    return format_html("<{0}>{1}</{0}>", tag, span.text) if tag else format_html("{}", span.text)
