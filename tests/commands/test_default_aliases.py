"""Without --database every PostgreSQL alias is audited; where there is none, the report says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from django_dbaudit.management.options import default_aliases
from running import command

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


@pytest.fixture
def databases() -> Iterator[dict[str, Any]]:
    """DATABASES, for a test to change; aliases are as they were at the end."""
    saved = dict(connections.settings)
    yield connections.settings
    opened = {each.alias for each in connections.all(initialized_only=True)}
    for alias in opened - set(saved):
        del connections[alias]
    connections.settings.clear()
    connections.settings.update(saved)
    connections.configure_settings(connections.settings)


def put(databases: dict[str, Any], **aliases: dict[str, str]) -> None:
    """Only these aliases, completed as Django completes them."""
    default = databases["default"]
    databases.clear()
    databases.update({name: {**default, **given} for name, given in aliases.items()})


def test_other_databases_are_left_out(databases: dict[str, Any]) -> None:
    put(databases, main={}, lite=SQLITE, archive={})
    assert default_aliases() == ("main", "archive")


def test_an_engine_that_wraps_djangos_own_is_known_by_its_vendor(databases: dict[str, Any]) -> None:
    put(databases, gis={"ENGINE": "odd_engine"}, lite=SQLITE)
    assert default_aliases() == ("gis",)


def test_an_engine_that_cannot_be_loaded_is_for_the_report_to_tell(databases: dict[str, Any]) -> None:
    put(databases, main={}, broken={"ENGINE": "no.such.engine"})
    assert default_aliases() == ("main", "broken")


def test_where_there_is_no_postgresql_every_rule_says_why(databases: dict[str, Any]) -> None:
    put(databases, lite=SQLITE)
    result = command("dbaudit", "--format", "json")
    assert result.status == 2
    of_store = "DBAUDIT['STORE'] is 'default'; DATABASES has: lite"
    # The code was, but who names the wrong database is not to find that green.
    assert result.err == "Nothing was audited; lite: not PostgreSQL: the alias is sqlite."
    told = {(each["database"], each["reason"]) for each in result.json["not_run"]}
    assert told == {("lite", "not PostgreSQL: the alias is sqlite"), (None, of_store)}
    (database,) = result.json["databases"]
    assert database == {"alias": "lite", "vendor": "sqlite", "server_version": None, "replica_of": None}
