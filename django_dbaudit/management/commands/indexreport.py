"""Every index: its size, how often it is read, what declares it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit import words
from django_dbaudit.audit import Audit
from django_dbaudit.facts import Facts
from django_dbaudit.management import index_list, index_selection
from django_dbaudit.management.audit_command import AuditCommand
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.reports.document import Table


class Command(AuditCommand):
    help = "List every index with its size, scans, declaration and verdict, and what to do about it."
    name = "indexreport"
    codes = "IDX"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        index_selection.add_arguments(parser)

    def handle(self, *args: Any, **given: Any) -> None:
        self.selection = index_selection.parse(given)
        super().handle(*args, **given)

    def arrange(self, seen: Facts, outcome: Audit) -> tuple[Facts, Audit]:
        return index_selection.arrange(self.selection, seen, outcome)

    def extra_facts(self) -> set[type[Any]]:
        return {Indexes, Tables, DeclaredIndexes}

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
        all_of = list(index_list.lists(seen))
        indexes = [index for each in all_of for index in each.indexes]
        going = [index for each in all_of for index in each.droppable(outcome)]
        return (
            f"{len(indexes):,} indexes, {words.size(sum(each.size_bytes for each in indexes))}; "
            f"{len(going):,} of them can go, {words.size(sum(each.size_bytes for each in going))}."
        )
