"""An index that statements on record would be faster with.

PostgreSQL reads a whole table to find a few rows of it if no index leads to them. The statements that
take most time, which ``pg_stat_statements`` counts, say which columns such an index would have to have:
those compared with a value, with a range, with another table's, those sorted by, patterns of ``LIKE``,
what arrays and jsonb contain, functions such as ``upper()``, which ``iexact`` and ``icontains`` write.

**Proven or not.** Where the extension HypoPG is installed, each candidate is shown to the planner alone,
as if it were there, and only what the planner would use, at 70 % of the cost or less
(``MISSING_INDEX_COST_SHARE``), is proposed: that is *proven*. HypoPG knows nothing of GIN; for that, and
where it is not installed, a candidate rests on the plan of today: a sequential scan that throws nine rows
in ten away. That is *unproven*, an information, and the time it names is the most that can be won.

**How.** ``pg_stat_statements`` keeps no constants. Each statement is planned with typical values of its
columns, out of ``pg_stats``, in their place; none is run, and no value is stored or shown. UPDATE and
DELETE are planned as a SELECT of the rows that they look for. Costs are the planner's own guess at time:
what a statement took is taken to shrink as its cost does. Of the time saved the price for writes is taken
off, 10 µs for each row written (50 µs for GIN).

**What is never proposed.** What an index that exists, or its beginning, already serves; anything on
tables below ``MISSING_INDEX_ROWS`` rows (10,000); columns of fewer than ten values, if nothing else comes
with them; more than three columns; an index for alternatives (``OR``); one in the order of ``ORDER BY …
LIMIT`` alone for a statement that looks for certain rows, because what the planner believes of those is
too often wrong.

**What is not looked at** is said: statements beyond the first ``PLANNED_STATEMENTS``; those that cannot
be read, or planned, or that call a function of the project's own, which planning might run; text that the
role may not see. The rule needs ``pg_stat_statements``, ``pip install django-dbaudit[advice]`` for the
parser, and ``SELECT`` on the tables (``pg_read_all_data`` has it). To weigh a range that reaches beyond
what ANALYZE has seen, as ``> now()`` does, the planner itself looks into an index, which then counts as
one scan of it.

**When to leave it alone.** When the statement is gone, or runs at night; try the index on a copy first:
``EXPLAIN (ANALYZE, BUFFERS)`` with true constants is the last word.

**How to fix it.** Put the entry that the finding shows into ``Meta.indexes`` and let the migration build
it concurrently.

*Source:* `Indexes <https://www.postgresql.org/docs/current/indexes.html>`__ and `HypoPG
<https://hypopg.readthedocs.io/>`__; what an index costs writes was measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django_dbaudit import words
from django_dbaudit.analysis import index_entry
from django_dbaudit.analysis.index_advice import Advice, advise
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, NotRun, Severity, Subject
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.plans import StatementPlans
from django_dbaudit.postgres.server import Server, in_days
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.rule import Rule

#: Statements whose text is shown, and how much of it.
SHOWN, LENGTH = 3, 300

rule = Rule(code="IDX016", severity=Severity.WARNING, since="0.1")


@rule.check
def missing_index(
    plans: StatementPlans,
    indexes: Indexes,
    tables: Tables,
    declared: DeclaredIndexes,
    server: Server,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    fields = index_entry.fields_of(declared)
    taken = {index.name for index in indexes.items}
    for advice in advise(plans, tables, in_days(server.statistics_age), thresholds):
        yield _finding(advice, plans, fields, taken, thresholds)
        taken.add(index_entry.name_of(advice.candidate, taken))
    for reason in _not_looked_at(plans):
        yield rule.not_run(reason)


def _finding(
    advice: Advice,
    plans: StatementPlans,
    fields: index_entry.Fields,
    taken: set[str],
    thresholds: Thresholds,
) -> Finding:
    candidate = advice.candidate
    field = index_entry.owner(candidate, fields)
    saved = advice.net_ms / 1000
    is_urgent = advice.is_proven and saved >= thresholds.missing_index_seconds_per_day
    is_ours = field is not None and not field.is_third_party
    identity = index_entry.identity(candidate)
    return rule.finding(
        Subject("table", candidate.qualified_table, candidate.qualified_table),
        _message(advice, plans),
        severity=None if is_urgent and not candidate.serves_prefixes_only else Severity.INFO,
        evidence={
            "index": identity[1],
            "proof": f"hypopg {plans.hypopg}" if advice.is_proven else "unproven",
            "saved_seconds_per_day": round(saved, 3),
            "write_seconds_per_day": round(advice.write_ms / 1000, 3),
            "calls_per_day": round(sum(each.statement.calls_per_day for each in advice.benefits), 1),
            "statements": [_statement(each.statement.text) for each in advice.benefits[:SHOWN]],
            "costs": [_cost(each.statement.plan, each.cost) for each in advice.benefits[:SHOWN]],
            "sent_by": sorted(
                {each.statement.sent_by for each in advice.benefits if each.statement.sent_by}
            ),
        },
        location=field.location if field and is_ours else None,
        fix=index_entry.fix(candidate, fields, taken),
        identity=identity,
    )


def _message(advice: Advice, plans: StatementPlans) -> str:
    candidate = advice.candidate
    target = candidate.target.partition(" USING ")[2].replace('"', "").removeprefix("btree ")
    statements = words.count(len(advice.benefits), "statement")
    first = advice.benefits[0]
    saved = _time(advice.net_ms)
    calls = words.count(round(sum(each.statement.calls_per_day for each in advice.benefits)), "call")
    if advice.is_proven:
        before = first.statement.plan.cost if first.statement.plan else 0
        text = (
            f"An index {target} on {candidate.table} would save {saved} a day in {statements} ({calls} a "
            f"day): the planner would use it, at a cost of {first.cost:,.0f} instead of {before:,.0f}"
        )
    else:
        text = (
            f"An index {target} on {candidate.table} may save up to {saved} a day in {statements} ({calls} "
            "a day), which now read all of the table for a few rows of it; unproven"
        )
    if candidate.serves_prefixes_only:
        text += ", and of use only if the patterns of LIKE begin with a letter, as startswith has them"
    return f"{text}."


def _time(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return words.duration(timedelta(milliseconds=milliseconds))


def _statement(text: str) -> str:
    return text if len(text) <= LENGTH else f"{text[:LENGTH]}…"


def _cost(plan: object, cost: float | None) -> str:
    before = getattr(plan, "cost", 0.0)
    return f"{before:,.2f} → {cost:,.2f}" if cost is not None else f"{before:,.2f} → ?"


def _not_looked_at(plans: StatementPlans) -> Iterator[str]:
    """What of the statements on record was left out, and why."""
    begin = f"only in part: of {words.count(plans.total, 'statement')} on record"
    rest = plans.total - len(plans.items)
    if rest > 0:
        yield f"{begin} the {rest:,} that took least time were left out (DBAUDIT['PLANNED_STATEMENTS'])"
    if plans.hidden:
        yield (
            f"only in part: the text of {words.count(plans.hidden, 'entry')} is hidden from our role; "
            "needs pg_read_all_stats"
        )
    problems = Counter(each.problem for each in plans.items if each.problem)
    for problem, number in sorted(problems.items()):
        yield f"{begin} {number:,} could not be planned: {problem}"
