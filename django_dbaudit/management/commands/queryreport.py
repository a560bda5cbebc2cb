"""What requests really did: views by the time they cost the database, and each line that asks.

It needs traffic, which the middleware records where there is some: in staging, or in production. In the
settings, with ``django_dbaudit`` in ``INSTALLED_APPS``::

    MIDDLEWARE = ["django_dbaudit.traffic.middleware.TrafficMiddleware", *MIDDLEWARE]

and then ``python manage.py migrate``, once. Every worker on every host adds what it has counted to
tables of ours, in the alias that ``DBAUDIT["STORE"]`` names, every ``FLUSH_SECONDS`` (10) and when it
ends, from a thread of its own over a connection of its own: never within a request. A store that is
down costs nothing but the data, and is told of once. uWSGI needs ``enable-threads = true``.

Numbers are kept by the day, for ``TRAFFIC_DAYS`` (30). SQL is kept without its values, and no row,
parameter, URL, user or session ever is. Where even a microsecond a query counts, ``SAMPLE_SHARE = 0.1``
records one request in ten; all numbers are then those of the requests that were recorded.

``--view`` shows all that is known of one view: each line that asked, be it of the project or of a
template, how it asked, how often and in which commit unit; the querysets that were built and what
became of them; what was loaded along and never read; and in which pieces it commits.

``DBAUDIT["SERVER_TIMING"]`` puts the numbers of a request into its ``Server-Timing`` header, where the
browser's developer tools show them: for ``"staff"``, ``"users"`` who are logged in, or ``"all"``. Who that
is has to be known by then: a view that never looks at ``request.user`` has nobody.

At level ``INFO`` the logger ``django_dbaudit.traffic`` gets one record a request, with the extra fields
``view``, ``method``, ``route``, ``status``, ``duration_ms``, ``queries``, ``writes``, ``query_ms``,
``duplicates``, ``most_repeated``, ``most_repeated_at`` and ``commits``.

With ``DBAUDIT["TAG_QUERIES"]`` each statement of a view begins with a comment in the form of sqlcommenter,
``/*controller='orders.views.checkout',framework='django'*/``, always the same for one view, which
``pg_stat_activity`` and the server's log then show. Pieces of a streaming response have none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit import words
from django_dbaudit.analysis.call_sites import milliseconds
from django_dbaudit.audit import Audit
from django_dbaudit.conf import Config
from django_dbaudit.facts import Facts
from django_dbaudit.management import traffic_list, traffic_selection
from django_dbaudit.management.audit_command import AuditCommand
from django_dbaudit.management.options import Options
from django_dbaudit.reports.document import Table
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import Traffic


class Command(AuditCommand):
    help = "List the views by what their requests asked of the database, and what to do about it."
    name = "queryreport"
    codes = "QRY"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        traffic_selection.add_arguments(parser)

    def handle(self, *args: Any, **given: Any) -> None:
        self.selection = traffic_selection.parse(given, datetime.now(timezone.utc).date())
        self.since = self.selection.since
        super().handle(*args, **given)

    def extra_facts(self) -> set[type[Any]]:
        return {Traffic}

    def facts(
        self,
        options: Options,
        rules: Sequence[Rule],
        config: Config,
        progress: Callable[[str], None],
    ) -> Facts:
        seen = super().facts(options, rules, config, progress)
        traffic = seen.code.get(Traffic)
        if not isinstance(traffic, Traffic):
            return seen
        narrowed = traffic_selection.narrowed(traffic, options.databases)
        return dataclasses.replace(seen, code={**seen.code, Traffic: narrowed})

    def arrange(self, seen: Facts, outcome: Audit) -> tuple[Facts, Audit]:
        traffic = seen.code.get(Traffic)
        if not isinstance(traffic, Traffic):
            self.traffic = Traffic()
            return seen, outcome
        self.traffic = traffic_selection.chosen(self.selection, traffic)
        findings = traffic_selection.about(outcome.findings, self.traffic)
        return seen, dataclasses.replace(outcome, findings=findings)

    def tables(self, seen: Facts, outcome: Audit) -> tuple[Table, ...]:
        if not self.traffic.views:
            return ()
        tables = [traffic_list.view_table(self.traffic, outcome.findings)]
        if self.selection.views:
            for view in traffic_list.worst_first(self.traffic):
                tables += traffic_list.view_tables(view, outcome.findings)
        return tuple(tables)

    def details(self, seen: Facts) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {
            "views": list(traffic_list.views_as_json(self.traffic)),
            "call_sites": list(traffic_list.call_sites_as_json(self.traffic)),
        }

    def totals(self, seen: Facts, outcome: Audit) -> str:
        views = self.traffic.views
        return (
            f"{words.count(self.traffic.requests, 'request')}, "
            f"{sum(each.executions for each in views):,} queries, "
            f"{milliseconds(sum(each.query_microseconds for each in views))} in them."
        )
