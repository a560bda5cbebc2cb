"""A sequence, or the column it fills, is about to run out of numbers.

When a sequence reaches its maximum, or the largest value of the column's type, every INSERT fails.
``AutoField`` and ``serial`` columns are 32 bits wide and hold 2,147,483,647; rolled back and
conflicting inserts use numbers up as well.

**What counts.** The smaller of the sequence's maximum and what the column's type holds, for the
owner of the sequence and for every column whose default calls ``nextval`` on it: a ``bigint`` column
on a sequence ``AS integer`` is as short as an ``integer`` column on a ``bigint`` sequence. Sequences
that count down are measured towards their minimum.

**What is never reported.** A sequence that begins anew (CYCLE), unless its column ends before it does.

**When it is an error.** At ``SEQUENCE_SHARE`` (70 % by default) it is a warning, two thirds of the
remaining way further on (90 %) an error. A sequence that our role may not read is named as *not run*.

**How to fix it.** ``BigAutoField``: Django's migration rewrites the table under a lock, so for a large
one add a ``bigint`` column, copy in batches and swap. ``ALTER SEQUENCE … AS bigint`` is instant.

*Source:* `Numeric types <https://www.postgresql.org/docs/current/datatype-numeric.html>`__.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django_dbaudit import words
from django_dbaudit.analysis.declared_columns import Columns
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity, Subject
from django_dbaudit.postgres.sequences import Sequence, Sequences, SequenceUse
from django_dbaudit.project.schema import DeclaredColumn
from django_dbaudit.rule import Rule

#: Sequences that could not be read and are named; the rest is a number.
NAMED = 5

LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}

rule = Rule(code="IDX007", severity=Severity.WARNING, since="0.1")


@rule.check
def sequence_near_limit(
    sequences: Sequences, columns: Columns, thresholds: Thresholds
) -> Iterator[Finding | NotRun]:
    urgent = 1 - (1 - thresholds.sequence_share) / 3
    for sequence in sequences.items:
        if sequence.last_value is None:
            continue
        reach = _reach(sequence, sequence.last_value)
        if reach.begins_anew or reach.share < thresholds.sequence_share:
            continue
        use = reach.use
        field = columns.of(use.schema, use.table, use.column) if use else None
        yield rule.finding(
            Subject("sequence", sequence.qualified_name, f"{use.schema}.{use.table}" if use else None),
            _message(sequence, reach),
            severity=Severity.ERROR if reach.share >= urgent else None,
            evidence={
                "last_value": sequence.last_value,
                "limit": reach.limit,
                "used_share": round(reach.share, 4),
                "column": f"{use.schema}.{use.table}.{use.column}" if use else None,
                "column_type": use.type if use else None,
                "sequence_type": sequence.type,
            },
            location=field.location if field and not field.is_third_party else None,
            fix=_fix(sequence, reach, field),
        )
    yield from _unread(sequences)


def _unread(sequences: Sequences) -> Iterator[NotRun]:
    hidden: dict[str, list[str]] = defaultdict(list)
    for sequence in sequences.items:
        if sequence.hidden is not None:
            hidden[sequence.hidden].append(sequence.qualified_name)
    for reason, names in hidden.items():
        rest = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        yield rule.not_run(f"only in part: {', '.join(names[:NAMED])}{rest} not read: {reason}")


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far a sequence is on its way to ``limit``; ``use`` is the column that it is shortest for."""

    share: float
    limit: int
    #: How often the sequence can still be called.
    left: int
    use: SequenceUse | None
    #: At its end the sequence starts over, before the column is full.
    begins_anew: bool


def _reach(sequence: Sequence, last: int) -> _Reach:
    uses = [each for each in sequence.columns if each.type in LARGEST]
    use = min(uses, key=lambda each: LARGEST[each.type], default=None)
    widest = LARGEST[use.type] if use else LARGEST["bigint"]
    if sequence.increment > 0:
        limit = min(sequence.maximum, widest)
        # A range that reaches below zero is counted from where it was made to begin.
        origin = max(sequence.minimum, min(sequence.start, 1))
    else:
        limit = max(sequence.minimum, -widest - 1)
        origin = min(sequence.maximum, max(sequence.start, -1))
    whole = abs(limit - origin) or 1
    # Set back by hand, a sequence may stand before its own beginning, or beyond the column's end.
    used = max(0, last - origin if sequence.increment > 0 else origin - last)
    return _Reach(
        share=min(1.0, used / whole),
        limit=limit,
        left=max(0, abs(limit - origin) - used) // abs(sequence.increment),
        use=use,
        begins_anew=sequence.cycles and limit in (sequence.minimum, sequence.maximum),
    )


def _message(sequence: Sequence, reach: _Reach) -> str:
    where = f" for {reach.use.table}.{reach.use.column} ({reach.use.type})" if reach.use else ""
    return (
        f"{sequence.name}{where} is at {sequence.last_value:,} of {reach.limit:,}: "
        f"{words.percent(reach.share)} used, {words.count(reach.left, 'number')} left."
    )


def _fix(sequence: Sequence, reach: _Reach, field: DeclaredColumn | None) -> Fix:
    if reach.use and reach.use.type != "bigint" and field and field.is_third_party:
        return Fix(
            "text",
            f"{field.model} is not this project's code: look for a release of it with a BigAutoField, "
            "or alter the column's type in a migration of your own, which rewrites the table.",
        )
    if reach.use and reach.use.type != "bigint":
        return Fix(
            "migration",
            f"Make {reach.use.table}.{reach.use.column} a BigAutoField or BigIntegerField; "
            "the migration rewrites the table under a lock, so plan for it.",
        )
    name = words.quote(sequence.schema, sequence.name)
    bound = "MAXVALUE" if sequence.increment > 0 else "MINVALUE"
    return Fix("sql", f"ALTER SEQUENCE {name} AS bigint NO {bound};")
