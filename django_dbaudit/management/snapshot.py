"""``indexreport --snapshot``: records what the counters say, and tells of it in a line an alias."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django_dbaudit import facts, words
from django_dbaudit.conf import Config
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
from django_dbaudit.management import options as option_module
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.store import writing
from django_dbaudit.store.connection import Store
from django_dbaudit.store.writing import Written

#: More names than these would bury the line.
NAMES_SHOWN = 5
#: Options that are about a report, with what they are when nobody gives them.
OF_A_REPORT: Mapping[str, object] = {
    "select": None,
    "ignore": None,
    "format": "console",
    "output": None,
    "fail_on": None,
    "baseline": None,
    "write_baseline": None,
    "save_facts": None,
    "table": None,
    "app": None,
    "unused": False,
    "sort": "gain",
    "write_migration": None,
}


def refuse_others(given: Mapping[str, Any]) -> None:
    """An `AuditError` for what would be without effect beside --snapshot."""
    for name, default in OF_A_REPORT.items():
        if given[name] != default:
            raise AuditError(
                f"--snapshot records the indexes and makes no report: leave out --{name.replace('_', '-')}."
            )


def seen(given: Mapping[str, Any], config: Config, progress: Callable[[str], None]) -> Facts:
    """What there is to record."""
    options = option_module.parse(given, config)
    if options.load_facts:
        return option_module.only(options.databases, facts.load(options.load_facts))
    aliases = options.databases or option_module.default_aliases()
    return facts.gather(aliases, {Server, Indexes}, config, progress)


def record(what: Facts, config: Config) -> tuple[list[str], list[str]]:
    """Lines for the aliases that were recorded, and why others were not."""
    lines: list[str] = []
    failures: list[str] = []
    with Store(config) as store:
        for alias in what.aliases:
            try:
                lines.append(_line(alias.database.alias, _record(store, alias, config)))
            except AuditError as error:
                failures.append(f"{alias.database.alias}: {error}")
    return lines, failures


def _record(store: Store, alias: AliasFacts, config: Config) -> Written:
    server, indexes = alias.get(Server), alias.get(Indexes)
    for fact in (server, indexes):
        if isinstance(fact, Unavailable):
            raise AuditError(f"not recorded: {fact.reason}.")
    return writing.write(store, alias.database.alias, server, indexes.items, config)


def _line(alias: str, written: Written) -> str:
    if written.is_late:
        return f"{alias}: a later snapshot is there already."
    told = [f"recorded {words.count(written.indexes, 'index')}", *_news(written)]
    return f"{alias}: {'; '.join(told)}."


def _news(written: Written) -> Iterator[str]:
    if written.is_first:
        yield "the first snapshot of this server"
    if written.new:
        yield f"new: {_names(written.new)}"
    if written.gone:
        yield f"gone: {_names(written.gone)}"


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
