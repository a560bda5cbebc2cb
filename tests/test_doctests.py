"""Examples in docstrings say the truth."""

from __future__ import annotations

import doctest

import pytest

from django_dbaudit import words
from django_dbaudit.postgres import queries


@pytest.mark.parametrize("module", [words, queries], ids=lambda module: module.__name__)
def test_examples(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]  # a module
    assert result.attempted
    assert not result.failed
