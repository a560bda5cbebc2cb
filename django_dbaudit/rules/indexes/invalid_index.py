"""An index that no query can use: a concurrent build or rebuild of it failed.

``CREATE INDEX CONCURRENTLY`` and ``REINDEX CONCURRENTLY`` leave an invalid index behind when they
fail: on a duplicate key, a deadlock, a timeout or a cancelled deployment. The planner ignores it,
while writes still keep it up, and somebody believes that the index exists.

**What is told apart.** A unique build that failed late *still refuses duplicates*. A name that ends
in ``_ccnew`` is the unfinished copy of a ``REINDEX CONCURRENTLY``: as a rule the index that it should
replace still works. One that ends in ``_ccold`` is the old copy of an index that is in place. A
partitioned index
is invalid as long as some partition has no valid index attached to it.

**What is never reported.** An index that is being built, or dropped, at this moment.

**How to fix it.** Where another index does the same by now, drop it. Else drop it and build it again,
outside a transaction: in Django, ``AddIndexConcurrently`` in a migration with ``atomic = False``. For a
unique index remove the duplicate rows first.

*Source:* `Building indexes concurrently
<https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY>`__.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from django_dbaudit import words
from django_dbaudit.analysis import declaration
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.redundancy import replaces
from django_dbaudit.analysis.statements import drop_statement
from django_dbaudit.finding import Finding, Fix, NotRun, Severity
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.rule import Rule

#: PostgreSQL appends these, and a number where the name is taken.
LEFT_BY_REINDEX = re.compile(r"_cc(new|old)\d*$")

#: A name of 63 bytes or, where a character of several would be split, a little less: the original's
#: was cut to make room.
CUT_SHORT = 60

rule = Rule(code="IDX004", severity=Severity.ERROR, since="0.1")


@rule.check
def invalid_index(indexes: Indexes, declarations: Declarations) -> Iterator[Finding | NotRun]:
    for index in indexes.items:
        if index.is_valid and index.is_live:
            continue
        if not index.is_being_built:
            beside = [each for each in indexes.items if each.table_oid == index.table_oid]
            yield _finding(index, beside, declarations)


def _original(index: Index, beside: list[Index]) -> Index | None:
    """The index that this one was to replace, or has been replaced by, if it is there."""
    stem = LEFT_BY_REINDEX.sub("", index.name)
    named = [each for each in beside if each.name == stem]
    if not named and len(index.name.encode()) >= CUT_SHORT:
        longer = [each for each in beside if each.name.startswith(stem)]
        named = [each for each in longer if not LEFT_BY_REINDEX.search(each.name)]
    return next(iter(named), None)


def _twin(index: Index, beside: list[Index]) -> Index | None:
    """An index that would make this one superfluous, were it built."""
    built = replace(index, is_valid=True, is_ready=True, is_live=True)
    return next((each for each in beside if each is not index and replaces(each, built)), None)


def _finding(index: Index, beside: list[Index], declarations: Declarations) -> Finding:
    message, fix = _diagnosis(index, beside)
    return rule.finding(
        declaration.subject(index),
        message,
        evidence={
            "size_bytes": index.size_bytes,
            "is_ready": index.is_ready,
            "is_live": index.is_live,
            "is_unique": index.is_unique,
            "definition": index.definition,
        },
        location=declaration.location(declarations.of(index)),
        fix=fix,
    )


def _diagnosis(index: Index, beside: list[Index]) -> tuple[str, Fix]:
    what = f"{index.name} on {index.table} ({words.size(index.size_bytes)})"
    drop = drop_statement(index)
    if index.is_partitioned:
        return (
            f"{index.name} on {index.table} is invalid: some partition has no valid index attached to it.",
            Fix(
                "text",
                "For each partition that lacks one: CREATE INDEX CONCURRENTLY, then ALTER INDEX "
                f"{words.quote(index.schema, index.name)} ATTACH PARTITION that index; once more for "
                "one that was attached while invalid and has been rebuilt.",
            ),
        )
    if not index.is_live:
        return f"{what} is half dropped: a DROP INDEX CONCURRENTLY did not finish.", Fix("sql", drop)
    if left := LEFT_BY_REINDEX.search(index.name):
        return _leftover(index, what, left[1], _original(index, beside))
    twin = _twin(index, beside)
    if twin is not None:
        return (
            f"{what} is invalid: a concurrent build failed. {twin.name} does all that it was to do.",
            Fix("sql", drop),
        )
    return _failed_build(index, what)


def _leftover(index: Index, what: str, suffix: str, original: Index | None) -> tuple[str, Fix]:
    drop = drop_statement(index)
    works = original is not None and original.is_usable
    if suffix == "old":
        rest = "its replacement is in place" if works else "there is no working replacement"
        return f"{what} is the old copy of a REINDEX CONCURRENTLY; {rest}.", Fix("sql", drop)
    message = f"{what} is the unfinished copy of a REINDEX CONCURRENTLY;"
    if original is None:
        return f"{message} the index that it was to replace is gone.", Fix("sql", drop)
    if not works:
        return f"{message} {original.name} does not work either.", Fix("sql", drop)
    again = f"REINDEX INDEX CONCURRENTLY {words.quote(original.schema, original.name)};"
    return f"{message} {original.name} still works.", Fix("sql", f"{drop}\n{again}")


def _failed_build(index: Index, what: str) -> tuple[str, Fix]:
    drop = drop_statement(index)
    if index.is_unique and index.is_ready:
        consequence = "no query can use it, yet it still refuses duplicates"
    elif index.is_ready:
        consequence = "no query can use it, yet every write keeps it up"
    else:
        consequence = "no query can use it, and it misses rows"
    build = index.definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
    again = f"{drop}\n{build};"
    if index.parent_oid is not None:
        # PostgreSQL refuses to drop it without the partitioned index that it is attached to.
        again = f"REINDEX INDEX CONCURRENTLY {words.quote(index.schema, index.name)};"
    fix = Fix("sql", again)
    if index.definition.startswith("--"):
        # Without the definition only half of it could be said: the half that destroys.
        fix = Fix("text", "Its table is locked just now: audit again to see how it was to be built.")
    first = " Rows that are duplicates have to go first." if index.is_unique else ""
    return (
        f"{what} is invalid: a concurrent build failed. {consequence[0].upper()}{consequence[1:]}.{first}",
        fix,
    )
