"""What only newer servers have: a test says from which version on it means something."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections


@contextlib.contextmanager
def server_connection() -> Iterator[Any]:
    """A driver's own connection: below Django's, which pytest-django forbids while it collects."""
    wrapper = connections["default"].copy()
    wrapper.settings_dict["NAME"] = "postgres"
    with contextlib.closing(wrapper.get_new_connection(wrapper.get_connection_params())) as connection:
        yield connection


@functools.cache
def server_version() -> int:
    """In the server's own numbering: 180006 for 18.6."""
    with server_connection() as connection:
        return int(connection.info.server_version)


def needs_server(version: int) -> pytest.MarkDecorator:
    return pytest.mark.skipif(server_version() < version, reason=f"needs PostgreSQL {version // 10000}")
