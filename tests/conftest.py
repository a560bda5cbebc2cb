"""A real server for the run, and an empty database of its own for each test that asks for one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import django
import pytest

import postgres_server
from scratch import Scratch, admin

#: Set by whoever started the server: the first process of the run, or a person who has one.
URL = "DBAUDIT_TEST_URL"

_resources = contextlib.ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-django looks at the settings, which need to know where the server is."""
    if URL not in os.environ:
        server = _resources.enter_context(postgres_server.temporary())
        os.environ[URL] = server.url("shop")
    os.environ["DATABASE_URL"] = os.environ[URL]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
    django.setup()


def pytest_unconfigure(config: pytest.Config) -> None:
    _resources.close()


@pytest.fixture
def scratch(django_db_blocker: object) -> Iterator[Scratch]:
    """An empty database behind an alias of its own."""
    blocker: Any = django_db_blocker
    with blocker.unblock(), admin() as connection, Scratch.created(connection) as database:
        yield database
