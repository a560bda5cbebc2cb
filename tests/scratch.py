"""An empty database behind an alias of its own, and what a test wants to do with it."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.finding import Finding, NotRun
from django_dbaudit.rule import get_rule

_numbers = itertools.count()

#: Alias of the database that is always there.
SERVER = "server"

#: Seconds that a test waits, at most, for what another session does.
PATIENCE = 20.0


class Scratch:
    """``scratch.run("CREATE TABLE …")``, then ``scratch.findings("unused-index")``."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    @classmethod
    @contextlib.contextmanager
    def created(cls, admin_connection: BaseDatabaseWrapper, options: str = "") -> Iterator[Scratch]:
        """``options`` are CREATE DATABASE's: a locale, another template."""
        name = f"scratch_{os.getpid()}_{next(_numbers)}"
        with admin_connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" {options or "TEMPLATE template0"}')
        connections.settings[name] = {**connections.settings["default"], "NAME": name}
        try:
            yield cls(name)
        finally:
            connections[name].close()
            del connections[name]
            del connections.settings[name]
            with admin_connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Execute statements in autocommit; the rows of the last one, if it has any."""
        with connections[self.alias].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    @contextlib.contextmanager
    def session(self, name: str = "", **settings: Any) -> Iterator[BaseDatabaseWrapper]:
        """One more session; ``name`` is its application_name, ``settings`` replace the alias' own."""
        wrapper = connections[self.alias].copy()
        wrapper.settings_dict.update(settings)
        if name:
            wrapper.settings_dict["OPTIONS"]["application_name"] = name
        wrapper.ensure_connection()
        try:
            yield wrapper
        finally:
            wrapper.close()

    @contextlib.contextmanager
    def role(self, name: str) -> Iterator[str]:
        """A role without any right but to connect, gone at the end; its password is its name."""
        self.run(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{name}'")
        try:
            yield name
        finally:
            self.run(f'DROP OWNED BY "{name}"', f'DROP ROLE "{name}"')

    def gather(self, config: Config | None = None) -> facts.Facts:
        """Every fact of this database."""
        return facts.gather([self.alias], set(facts.ALL.values()), config or Config(store=self.alias))

    def fact(self, kind: type[Any], **config: Any) -> Any:
        """One fact, which the test takes for granted to be there."""
        (known,) = facts.gather([self.alias], {kind}, Config(**config)).aliases
        fact = known.get(kind)
        assert not isinstance(fact, facts.Unavailable), fact
        return fact

    def outcome(self, rule: str, **thresholds: Any) -> audit.Audit:
        rules = [get_rule(rule)]
        seen = facts.gather([self.alias], audit.needed_facts(rules), Config())
        return audit.run(rules, seen, Thresholds(**thresholds))

    def findings(self, rule: str, **thresholds: Any) -> tuple[Finding, ...]:
        """What a rule finds; it must have run."""
        outcome = self.outcome(rule, **thresholds)
        assert not outcome.failures, outcome.failures
        return outcome.findings

    def not_run(self, rule: str, **thresholds: Any) -> tuple[NotRun, ...]:
        return self.outcome(rule, **thresholds).not_run

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Poll until what another session does has shown."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it did not come about in time"


@contextlib.contextmanager
def admin() -> Iterator[BaseDatabaseWrapper]:
    """A session on the server's own database, from which others can be made and dropped."""
    # An alias of its own: receivers of connection_created look the alias up, and connect to it.
    connections.settings.setdefault(SERVER, {**connections.settings["default"], "NAME": "postgres"})
    try:
        yield connections[SERVER]
    finally:
        connections[SERVER].close()
