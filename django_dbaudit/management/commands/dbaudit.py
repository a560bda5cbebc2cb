"""The health of the whole: every rule over every source of facts, worst first."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit.management.audit_command import AuditCommand, help_of
from django_dbaudit.management.writing import write_stdout
from django_dbaudit.rule import get_rule


class Command(AuditCommand):
    help = "Audit the project's PostgreSQL databases: every rule, worst findings first."
    name = "dbaudit"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--explain", metavar="RULE", help="Print what a rule finds and how to fix it, and stop."
        )

    def handle(self, *args: Any, **given: Any) -> None:
        if not given["explain"]:
            super().handle(*args, **given)
            return
        # Here, because Markdown takes as long to import as all else, and audits have no use for it.
        from django_dbaudit.reports.explanation import explain  # noqa: PLC0415  # as above

        rule = get_rule(given["explain"])
        write_stdout(self.stdout, explain(help_of(rule), self.room(given)))
