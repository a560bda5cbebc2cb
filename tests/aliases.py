"""More aliases for a test, each like another one but for some settings."""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Iterator
from typing import Any

import dj_database_url
from django.db import connections

import postgres_server

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


@contextlib.contextmanager
def default_on(server: postgres_server.Server) -> Iterator[Any]:
    """Aliases that are made like "default" lead to this server; gives a session on it."""
    default = connections.settings["default"]
    connections.settings["default"] = {**default, **dj_database_url.parse(server.url())}
    try:
        with alias_like("default") as alias:
            yield connections[alias]
    finally:
        connections.settings["default"] = default
