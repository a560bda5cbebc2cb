"""Examples in docstrings say the truth."""

from __future__ import annotations

import doctest

import pytest

from django_dbaudit import words
from django_dbaudit.analysis import index_names
from django_dbaudit.postgres import queries
from django_dbaudit.sql import marks


@pytest.mark.parametrize("module", [index_names, marks, queries, words], ids=lambda module: module.__name__)
def test_examples(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]  # a module
    assert result.attempted
    assert not result.failed
