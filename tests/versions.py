"""What only newer servers have: a test says from which version on it means something."""

from __future__ import annotations

import contextlib
import functools

import pytest
from django.db import connections


@functools.cache
def server_version() -> int:
    """In the server's own numbering: 180006 for 18.6."""
    wrapper = connections["default"].copy()
    wrapper.settings_dict["NAME"] = "postgres"
    # Below Django's cursors, which pytest-django forbids while it collects.
    connection = wrapper.get_new_connection(wrapper.get_connection_params())
    with contextlib.closing(connection):
        return int(connection.info.server_version)


def needs_server(version: int) -> pytest.MarkDecorator:
    return pytest.mark.skipif(server_version() < version, reason=f"needs PostgreSQL {version // 10000}")
