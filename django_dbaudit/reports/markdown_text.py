"""Text in Markdown, such that nothing in it is taken for markup, a mention or a formula."""

from __future__ import annotations

import re

# An underscore inside a word is no markup in GitHub's dialect, and names are full of them.
_MARKUP = re.compile(r"([\\`*\[\]~]|(?<!\w)_|_(?!\w))")
# Mentions and references are looked for after Markdown is done, so that no backslash stops them; a
# comment in between does.
_REFERENCE = re.compile(r"[@#](?=\w)")
# It begins a formula, and statements are full of $1; GitHub's manual says to wrap it so.
_DOLLAR = "<span>$</span>"
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escape(text: str) -> str:
    """One line of plain text.

    >>> print(escape("a_b <script> `x` *y*"))
    a_b &lt;script&gt; \\`x\\` \\*y\\*
    """
    line = " ".join(text.split())
    marked = _MARKUP.sub(r"\\\1", line.translate(_ENTITIES))
    return _REFERENCE.sub(r"\g<0><!-- -->", marked).replace("$", _DOLLAR)


def cell(text: str) -> str:
    """Plain text in a table, where a pipe would end the cell even in code.

    >>> cell("a|b")
    'a&#124;b'
    """
    return escape(text).replace("|", "&#124;") or " "


def code(text: str) -> str:
    """A code span, for anywhere but in a table.

    >>> print(code("a"), code("a`b"))
    `a` ``a`b``
    """
    line = " ".join(text.split())
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fence(text: str, language: str = "") -> str:
    """A fenced block, with a fence that nothing in the text can end."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def table(head: list[str], rows: list[list[str]], numbers: frozenset[int] = frozenset()) -> str:
    """A table of plain text; ``numbers`` are the columns that stand on the right."""
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    lines = [[cell(each) for each in head], rule, *([cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
