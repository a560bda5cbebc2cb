"""Every index: its size, how often it is read, what declares it, and what is wrong with it.

Where the project has aliases for the replicas of a database, the indexes are listed once, at the
primary, with the scans of all servers; ``--format json`` says which server has counted what.

Counters begin anew with a reset, a crash or another server. ``--snapshot`` records them in tables of
ours, one row an index and day, and the reports then go by all that was ever recorded: they show the
day on which an index was first seen, how its use has changed, and what came and went. It needs
``migrate`` once, in the alias that ``DBAUDIT["STORE"]`` names, and then a run a day, for instance by
cron::

    17 3 * * *  cd /srv/shop && python manage.py indexreport --snapshot

or by Celery beat, with a task that calls ``call_command("indexreport", snapshot=True)``. Nothing is
ever written without ``--snapshot``. ``DBAUDIT["HISTORY_DAYS"]`` says how long days are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit import baseline
from django_dbaudit.analysis import index_entry
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.analysis.index_edits import plan
from django_dbaudit.audit import Audit
from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import Facts, Unavailable
from django_dbaudit.management import index_history, index_list, index_selection, index_totals, snapshot
from django_dbaudit.management import options as option_module
from django_dbaudit.management.app_migrations import AppMigrations
from django_dbaudit.management.audit_command import AuditCommand
from django_dbaudit.management.index_migration import carry_out, check_options
from django_dbaudit.management.migration_steps import Steps
from django_dbaudit.management.writing import write_stdout
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.plans import StatementPlans
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.migrations import MigrationIndexes
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.reports.document import Table
from django_dbaudit.store.history import IndexHistory


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

        parser.add_argument(
            "--snapshot",
            action="store_true",
            help="Instead of a report, record what the counters say, in tables of our own in the alias "
            "DBAUDIT['STORE']. Once a day is enough; the last of a day stays.",
        )

    def handle(self, *args: Any, **given: Any) -> None:
        self.selection = index_selection.parse(given)
        if given["snapshot"]:
            self.snapshot(given)
        elif given["write_migration"]:
            self.write_migration(given["write_migration"], given)
        else:
            super().handle(*args, **given)

    def snapshot(self, given: Mapping[str, Any]) -> None:
        snapshot.refuse_others(given)
        config = get_config()
        with self.progress() as progress:
            lines, failures = snapshot.record(snapshot.seen(given, config, progress), config)
        write_stdout(self.stdout, "".join(f"{line}\n" for line in lines))
        if failures:
            raise AuditError("\n".join(failures))

    def write_migration(self, label: str, given: Mapping[str, Any]) -> None:
        check_options(given)
        config = get_config()
        options = option_module.parse(given, config)
        # What is wrong with the app is said before a long look at the server.
        app = AppMigrations(label)
        seen, outcome = self.look(options, self.rules(options), config)
        if outcome.failures:
            raise AuditError("\n".join(outcome.failures))
        primaries = [each for each in seen.aliases if each.get(Cluster).primary is None]
        if len(primaries) > 1:
            aliases = ", ".join(each.database.alias for each in primaries)
            raise AuditError(
                f"A migration is written for one database; choose it with --database: {aliases}."
            )
        (facts,) = primaries
        app.choose(facts.database.alias, is_there=options.load_facts is None)
        _, asked_for = self.arrange(seen, outcome)
        findings = baseline.compare(asked_for.findings, self.known(options)).new
        known: list[Any] = [
            facts.get(kind) for kind in (Indexes, Tables, DeclaredIndexes, MigrationIndexes)
        ]
        for fact in known:
            if isinstance(fact, Unavailable):
                raise AuditError(f"No migration can be written: {fact.reason}.")
        indexes, tables, declared, made = known
        taken = [name for each in declared.items for name in each.names]
        taken += [each.name for each in indexes.items]
        plans = facts.get(StatementPlans)
        candidates = () if isinstance(plans, Unavailable) else plans.candidates
        edits = plan(label, findings, indexes, tables, declared, made, candidates)
        steps = Steps(app, edits, taken, index_entry.fields_of(declared))
        self.deliver(carry_out(app, steps), options)

    def arrange(self, seen: Facts, outcome: Audit) -> tuple[Facts, Audit]:
        return index_selection.arrange(self.selection, seen, outcome)

    def extra_facts(self) -> set[type[Any]]:
        return {Server, Indexes, Tables, DeclaredIndexes, MigrationIndexes, IndexHistory}

    def tables(self, seen: Facts, outcome: Audit) -> tuple[Table, ...]:
        say_alias = len(seen.aliases) > 1
        lists = list(index_list.lists(seen))
        of_indexes = [table for each in lists for table in each.table_list(outcome, say_alias=say_alias)]
        # What --table, --app and --unused leave out would look as if it were gone.
        changes = [
            table
            for each in lists
            if each.records and not self.selection.narrows
            for table in index_history.change_tables(each.alias, each.records, say_alias=say_alias)
        ]
        return (*of_indexes, *changes)

    def details(self, seen: Facts) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        lists = list(index_list.lists(seen))
        return {
            "indexes": [row for each in lists for row in index_list.as_json(each)],
            "index_changes": [
                row
                for each in lists
                if each.records and not self.selection.narrows
                for row in index_history.changes_as_json(each.alias, each.records)
            ],
        }

    def totals(self, seen: Facts, outcome: Audit) -> str:
        return index_totals.line(seen, outcome)
