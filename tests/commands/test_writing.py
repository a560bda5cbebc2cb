"""Files are written whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from django.core.management.base import OutputWrapper

from django_dbaudit.errors import AuditError
from django_dbaudit.management.writing import write_file, write_stdout


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_file(file, "new \ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_new_file_has_the_rights_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "report", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o640


def test_what_a_terminal_cannot_say_becomes_a_question_mark() -> None:
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, "ascii")
    write_stdout(OutputWrapper(terminal), "93 % used … enough")
    assert raw.getvalue() == b"93 % used ? enough"


def test_a_directory_that_went_away_is_said(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="No such file or directory"):
        write_file(tmp_path / "gone" / "report", "text")
