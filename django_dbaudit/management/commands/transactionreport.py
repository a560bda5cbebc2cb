"""Every view: what it writes, in how many pieces it commits, and by which path; and if that was seen.

The code of the views is read, and nothing of it is run. No database is asked but for the traffic that
was recorded in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit import words
from django_dbaudit.analysis.testimony import Testimony
from django_dbaudit.analysis.verdicts import Verdicts
from django_dbaudit.audit import Audit
from django_dbaudit.facts import Facts
from django_dbaudit.management import view_list, view_selection
from django_dbaudit.management.audit_command import AuditCommand
from django_dbaudit.management.view_list import Judged
from django_dbaudit.project.effects.facts import Effects
from django_dbaudit.reports.document import Table
from django_dbaudit.traffic.facts import Traffic


class Command(AuditCommand):
    help = "List every view with what it writes, in how many pieces it commits, and what to do about it."
    name = "transactionreport"
    codes = "TXN"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        view_selection.add_arguments(parser)

    def handle(self, *args: Any, **given: Any) -> None:
        self.selection = view_selection.parse(given)
        self.traffic = view_selection.traffic(given)
        super().handle(*args, **given)

    def extra_facts(self) -> set[type[Any]]:
        return {Effects, Traffic}

    def given_facts(self) -> Mapping[type[Any], Any]:
        return {} if self.traffic is None else {Traffic: self.traffic}

    def arrange(self, seen: Facts, outcome: Audit) -> tuple[Facts, Audit]:
        self.judged: list[Judged] = []
        known = seen.of_code.get(Verdicts)
        if isinstance(known, Verdicts):
            judged = view_list.worst_first(known, seen.of_code.get(Testimony))
            self.judged, outcome = view_selection.arrange(self.selection, judged, outcome)
        return seen, outcome

    def tables(self, seen: Facts, outcome: Audit) -> tuple[Table, ...]:
        return (
            *view_list.tables(self.judged, outcome.findings),
            *(table for each in self.judged if self.selection.views for table in view_list.paths(each)),
        )

    def details(self, seen: Facts) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {"audited_views": [view_list.as_json(each) for each in self.judged]}

    def totals(self, seen: Facts, outcome: Audit) -> str:
        methods = len(self.judged)
        views = len({each.effects.view.name for each in self.judged})
        return (
            f"{words.count(views, 'view')}, {methods:,} with their methods: "
            f"{view_list.summary(self.judged) or 'none'}."
        )
