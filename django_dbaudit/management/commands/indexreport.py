"""Every index: its size, how often it is read, what declares it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit import baseline
from django_dbaudit.analysis.index_edits import plan
from django_dbaudit.audit import Audit
from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import Facts, Unavailable
from django_dbaudit.management import index_list, index_selection, index_totals
from django_dbaudit.management import options as option_module
from django_dbaudit.management.app_migrations import AppMigrations
from django_dbaudit.management.audit_command import AuditCommand
from django_dbaudit.management.index_migration import carry_out, check_options
from django_dbaudit.management.migration_steps import Steps
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.migrations import MigrationIndexes
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.reports.document import Table


class Command(AuditCommand):
    help = "List every index with its size, scans, declaration and verdict, and what to do about it."
    name = "indexreport"
    codes = "IDX"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        index_selection.add_arguments(parser)
        parser.add_argument(
            "--write-migration",
            metavar="APP",
            help="Instead of a report, write the migration that drops and adds the indexes of this app's "
            "models as the findings say, and print the edits of the models that go with it.",
        )

    def handle(self, *args: Any, **given: Any) -> None:
        self.selection = index_selection.parse(given)
        if given["write_migration"]:
            self.write_migration(given["write_migration"], given)
        else:
            super().handle(*args, **given)

    def write_migration(self, label: str, given: Mapping[str, Any]) -> None:
        check_options(given)
        config = get_config()
        options = option_module.parse(given, config)
        # What is wrong with the app is said before a long look at the server.
        app = AppMigrations(label)
        seen, outcome = self.look(options, self.rules(options), config)
        if outcome.failures:
            raise AuditError("\n".join(outcome.failures))
        if len(seen.aliases) > 1:
            aliases = ", ".join(each.alias for each in seen.databases)
            raise AuditError(
                f"A migration is written for one database; choose it with --database: {aliases}."
            )
        (facts,) = seen.aliases
        app.choose(facts.database.alias, is_there=options.load_facts is None)
        _, asked_for = self.arrange(seen, outcome)
        findings = baseline.compare(asked_for.findings, self.known(options)).new
        known = [facts.get(kind) for kind in (Indexes, Tables, DeclaredIndexes, MigrationIndexes)]
        for fact in known:
            if isinstance(fact, Unavailable):
                raise AuditError(f"No migration can be written: {fact.reason}.")
        taken = [name for each in known[2].items for name in each.names]
        taken += [each.name for each in known[0].items]
        self.deliver(carry_out(app, Steps(app, plan(label, findings, *known), taken)), options)

    def arrange(self, seen: Facts, outcome: Audit) -> tuple[Facts, Audit]:
        return index_selection.arrange(self.selection, seen, outcome)

    def extra_facts(self) -> set[type[Any]]:
        return {Server, Indexes, Tables, DeclaredIndexes, MigrationIndexes}

    def tables(self, seen: Facts, outcome: Audit) -> tuple[Table, ...]:
        say_alias = len(seen.aliases) > 1
        return tuple(
            table
            for each in index_list.lists(seen)
            for table in each.table_list(outcome, say_alias=say_alias)
        )

    def details(self, seen: Facts) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {"indexes": [row for each in index_list.lists(seen) for row in index_list.as_json(each)]}

    def totals(self, seen: Facts, outcome: Audit) -> str:
        return index_totals.line(seen, outcome)
