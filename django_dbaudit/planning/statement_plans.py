"""The whole way, for one database."""

from __future__ import annotations

from django_dbaudit.planning.reading import Reader, Work, catalog, parsed
from django_dbaudit.planning.rounds import Trials, removals, today_of
from django_dbaudit.postgres import extensions, queried
from django_dbaudit.postgres.failure import LackingError
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.planner import Planner
from django_dbaudit.postgres.plans import Plan, PlannedStatement, StatementPlans
from django_dbaudit.postgres.source import ProjectSource
from django_dbaudit.postgres.statements import Statements
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.sql import grammar


def read(source: ProjectSource, statements: Statements, tables: Tables, indexes: Indexes) -> StatementPlans:
    """A `LackingError` says what is missing to look at all."""
    if not grammar.IS_INSTALLED:
        raise LackingError("needs sqlglot: pip install django-dbaudit[advice]")
    installed = extensions.read(source)
    planner = Planner(source, installed.get("hypopg"))
    works = [parsed(each) for each in statements.items[: source.config.planned_statements]]
    known = catalog(source, works)
    folding = queried.folding_functions(source)
    reader = Reader(known, tables, indexes, folding, has_trigrams="pg_trgm" in installed)
    for work in works:
        reader.read(work)
    today = today_of(planner, works)
    trials = Trials(works, today, known, planner)
    return StatementPlans(
        items=tuple(_planned(work, statements, today.get(n)) for n, work in enumerate(works)),
        candidates=trials.candidates,
        trials=trials.run(),
        removals=tuple(removals(planner, works, today, indexes)),
        total=statements.total,
        hidden=statements.hidden,
        since=statements.since,
        taken_at=statements.taken_at,
        hypopg=planner.hypopg.version if planner.hypopg else None,
        can_hide=planner.can_hide,
    )


def _planned(work: Work, statements: Statements, plan: Plan | None) -> PlannedStatement:
    statement = work.statement
    days = statements.days(statement)
    return PlannedStatement(
        text=" ".join(statement.text.split()),
        calls_per_day=statement.calls / days,
        ms_per_day=statement.total_ms / days,
        sent_by=statement.sent_by,
        plan=plan,
        problem=work.problem,
    )
