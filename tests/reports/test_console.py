"""The console report, compared with transcripts in ``golden/``: read them, they are what people see.

After a change that is meant, write them anew and read the diff::

    DBAUDIT_GOLDEN=write python -m pytest tests/reports/test_console.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from django_dbaudit.reports import console
from django_dbaudit.reports.document import Style
from samples import SAMPLES

GOLDEN = Path(__file__).parent / "golden"
IS_WRITING = os.environ.get("DBAUDIT_GOLDEN") == "write"
WIDTHS = (80, 160)
CASES = [(sample, width) for sample in SAMPLES for width in WIDTHS]


def render(sample: str, width: int, *, color: bool = False) -> str:
    return console.render(SAMPLES[sample](), Style(width=width, color=color))


@pytest.mark.parametrize(("sample", "width"), CASES)
def test_the_transcript(sample: str, width: int) -> None:
    path = GOLDEN / f"{sample}-{width}.txt"
    rendered = render(sample, width)
    if IS_WRITING:
        # Bytes, because a transcript may hold a carriage return, which text mode would change.
        path.write_bytes(rendered.encode())
    assert rendered == path.read_bytes().decode()


@pytest.mark.skipif(IS_WRITING, reason="some may not be written yet")
def test_every_transcript_is_of_a_sample() -> None:
    names = {f"{sample}-{width}.txt" for sample, width in CASES}
    assert {path.name for path in GOLDEN.iterdir()} == names


@pytest.mark.parametrize(("sample", "width"), CASES)
def test_colour_changes_nothing_else(sample: str, width: int) -> None:
    colored = render(sample, width, color=True)
    assert "\x1b[" in colored
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert _without_blanks_at_ends(stripped) == render(sample, width)


def _without_blanks_at_ends(text: str) -> str:
    # In colour a blank at the end of a line stands before the code that ends the colour.
    return "\n".join(line.rstrip() for line in text.split("\n"))


@pytest.mark.parametrize(("sample", "width"), CASES)
def test_nothing_but_names_is_wider_than_the_terminal(sample: str, width: int) -> None:
    findings = [each for each in SAMPLES[sample]().findings if each.fix]
    # A statement that is broken cannot be copied.
    code = {line.strip() for each in findings if each.fix for line in each.fix.text.split("\n")}
    for line in render(sample, width).splitlines():
        assert cell_len(line) <= width or line.removeprefix("  fix ").strip() in code, line
