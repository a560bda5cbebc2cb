"""More aliases for a test, each like another one but for some settings."""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Iterator
from typing import Any

from django.db import connections

_numbers = itertools.count()


@contextlib.contextmanager
def alias_like(alias: str, **settings: Any) -> Iterator[str]:
    """The name of an alias with the settings of ``alias``, those given here replaced."""
    name = f"{alias}_like_{next(_numbers)}"
    connections.settings[name] = {**copy.deepcopy(connections.settings[alias]), **settings}
    try:
        yield name
    finally:
        for opened in connections.all(initialized_only=True):
            if opened.alias == name:
                opened.close()
                del connections[name]
        del connections.settings[name]
