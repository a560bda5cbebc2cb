"""The last line of ``indexreport``: what there is, and what is to be won in bytes and in writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django_dbaudit import words
from django_dbaudit.analysis.index_cost import entries_written
from django_dbaudit.audit import Audit
from django_dbaudit.facts import AliasFacts, Facts
from django_dbaudit.management import index_list
from django_dbaudit.management.index_list import IndexList
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.server import Server

#: Of less than a day nobody can tell what is usual in one.
A_DAY = timedelta(days=1)


def line(seen: Facts, outcome: Audit) -> str:
    known = {each.database.alias: each for each in seen.aliases}
    lists = [(each, each.going(outcome)) for each in index_list.lists(seen)]
    totals = [each.totals(going) for each, going in lists]
    rebuilt = [size for each, going in lists for size in each.bloated(outcome, going).values()]
    writes = sum(_written_a_day(each, going.values(), known[each.alias]) for each, going in lists)
    text = (
        f"{words.count(sum(each.indexes for each in totals), 'index')}, "
        f"{words.size(sum(each.size_bytes for each in totals))}; "
        f"{sum(each.going for each in totals):,} of them can go, "
        f"{words.size(sum(each.going_bytes for each in totals))}"
    )
    if round(writes):
        text += f" and {words.count(round(writes), 'index write')} a day"
    if rebuilt:
        text += f"; a rebuild of {len(rebuilt):,} more would win {words.size(sum(rebuilt))}"
    return f"{text}."


def _written_a_day(each: IndexList, going: Iterable[Index], facts: AliasFacts) -> float:
    """Entries that writes make, on a day, in the indexes that can go."""
    server = facts.get(Server)
    if not isinstance(server, Server) or server.statistics_age < A_DAY:
        return 0.0
    number = sum(entries_written(part, each.tables.by_oid) for part in going)
    return number / (server.statistics_age / A_DAY)
