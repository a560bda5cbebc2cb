"""The traps on a real server: laid, read and audited."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.finding import Finding
from django_dbaudit.rule import get_rule
from scratch import Scratch
from traps import TRAPS
from traps.trap import Fails, Trap

#: The rules that judge what the traps are made of. Those that hold models against the database, or
#: count by the day, have other tests.
RULES = (
    "unused-index",
    "duplicate-index",
    "redundant-index",
    "invalid-index",
    "unindexed-foreign-key",
    "sequence-near-limit",
    "missing-primary-key",
    "null-heavy-index",
    "low-selectivity-index",
    "collation-version-mismatch",
)

#: The statistics are as young as the tables, and the tables as small as will do.
THRESHOLDS = Thresholds(
    unused_index_days=0,
    low_selectivity_days=0,
    low_selectivity_scans_per_day=1e12,
    large_index_pages=2,
)

_TRAPS_ALONE = "n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema', 'public')"

_THINGS = f"""
SELECT n.nspname || '.' || c.relname, c.relkind IN ('i', 'I')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('i', 'I', 'r', 'p', 'S', 'm') AND {_TRAPS_ALONE}
UNION ALL
SELECT n.nspname || '.' || c.relname || '.' || (
           SELECT string_agg(attname, ',' ORDER BY position)
             FROM unnest(conkey) WITH ORDINALITY AS key (attnum, position)
             JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = key.attnum), false
  FROM pg_constraint JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE contype = 'f' AND conparentid = 0
"""

#: initdb knows some hundred locales of ICU's; without it there is "unicode" alone, or nothing.
_ICU = "SELECT count(*) FROM pg_collation WHERE collprovider = 'i' AND collname <> 'unicode'"

_TABLES = f"""
SELECT string_agg(c.oid::regclass::text, ', ')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND {_TRAPS_ALONE}
"""


@dataclass(frozen=True, slots=True)
class Laid:
    """The traps that this server can lay, and what an audit of them found."""

    scratch: Scratch
    traps: tuple[Trap, ...]
    findings: tuple[Finding, ...]
    #: Qualified names of all that could be named: indexes, tables, sequences, foreign keys.
    things: frozenset[str]
    #: Those of them that are indexes.
    indexes: frozenset[str]

    def found(self, trap: Trap) -> Mapping[str, list[Finding]]:
        """What was said of the things in a trap, by their names below its schema."""
        found = defaultdict(list)
        for finding in self.findings:
            if (name := below(trap, finding.subject.name)) is not None:
                found[name].append(finding)
        return found

    def things_of(self, trap: Trap) -> set[str]:
        return {name for each in self.things if (name := below(trap, each)) is not None}

    def indexes_of(self, trap: Trap) -> set[str]:
        return {name for each in self.indexes if (name := below(trap, each)) is not None}


def below(trap: Trap, qualified: str) -> str | None:
    """A thing's name below the trap's schema (``__other.t`` for another of its schemas), if it is there."""
    rest = qualified.removeprefix(trap.name)
    if rest == qualified or not rest.startswith((".", "__")):
        return None
    return rest.removeprefix(".")


@contextlib.contextmanager
def laid(admin: BaseDatabaseWrapper) -> Iterator[Laid]:
    """All traps in one database, read as they say, and audited."""
    with Scratch.created(admin, _locale(admin)) as scratch:
        traps = tuple(trap for trap in TRAPS if why_not(trap, scratch) is None)
        for extension in sorted({each for trap in traps for each in trap.extensions}):
            scratch.run(f"CREATE EXTENSION {extension}")
        for trap in traps:
            _lay(trap, scratch)
        # Each by its name: ANALYZE of all would ask the foreign tables' servers, and there are none.
        ((tables,),) = scratch.run(_TABLES)
        scratch.run(f"VACUUM ANALYZE {tables}")
        _read(traps, scratch)
        things = scratch.run(_THINGS)
        yield Laid(
            scratch,
            traps,
            judged(scratch, RULES),
            things=frozenset(name for name, _ in things),
            indexes=frozenset(name for name, is_index in things if is_index),
        )


def _locale(admin: BaseDatabaseWrapper) -> str:
    """A default collation that is not C, as nearly everywhere: in C a plain index serves LIKE too."""
    with admin.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        ((version,),) = cursor.fetchall()
    # A cluster may have another provider, by which C.UTF-8 is C in all but its name.
    provider = "LOCALE_PROVIDER libc" if int(version) >= 150_000 else ""
    return f"TEMPLATE template0 {provider} LC_COLLATE 'C.utf8' LC_CTYPE 'C.utf8'"


def why_not(trap: Trap, scratch: Scratch) -> str | None:
    """What the server lacks for a trap, if it lacks anything."""
    (version,) = scratch.run("SELECT current_setting('server_version_num')::int / 10000")[0]
    if version < trap.since:
        return f"PostgreSQL {trap.since}"
    available = {name for (name,) in scratch.run("SELECT name FROM pg_available_extensions")}
    if missing := set(trap.extensions) - available:
        return f"the extension {', '.join(sorted(missing))}"
    # Without ICU its collations cannot be made, and initdb imports none of the library's own.
    if trap.icu and scratch.run(_ICU) == [(0,)]:
        return "a build with ICU"
    return None


def judged(scratch: Scratch, rules: tuple[str, ...]) -> tuple[Finding, ...]:
    """What these rules say; each must have run, and none have failed."""
    chosen = [get_rule(rule) for rule in rules]
    seen = facts.gather([scratch.alias], audit.needed_facts(chosen), Config())
    outcome = audit.run(chosen, seen, THRESHOLDS)
    assert not outcome.failures, outcome.failures
    return outcome.findings


def _lay(trap: Trap, scratch: Scratch) -> None:
    scratch.run(f"CREATE SCHEMA {trap.name}", f"SET search_path = {trap.name}, public")
    for statement in trap.sql:
        if isinstance(statement, Fails):
            assert _refused(scratch, statement), f"{trap}: the server took {statement}"
        else:
            scratch.run(statement)
    scratch.run("RESET search_path")


def _read(traps: tuple[Trap, ...], scratch: Scratch) -> None:
    # A session of its own: from its end on everybody sees what it has counted.
    with scratch.session() as session, session.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        for trap in traps:
            for query in trap.read.values():
                cursor.execute(f"SET search_path = {trap.name}, public")
                cursor.execute(query)
    expected = {f"{trap.name}.{index}" for trap in traps for index in trap.read}
    with contextlib.suppress(AssertionError):
        scratch.wait_until(lambda: expected <= _scanned(scratch))
    assert expected <= _scanned(scratch), f"never scanned: {expected - _scanned(scratch)}"


def _scanned(scratch: Scratch) -> set[str]:
    rows = scratch.run(
        "SELECT schemaname || '.' || indexrelname FROM pg_stat_user_indexes WHERE idx_scan > 0"
    )
    return {name for (name,) in rows}


def _refused(scratch: Scratch, statement: str) -> bool:
    try:
        scratch.run(statement)
    except Error:
        return True
    return False
