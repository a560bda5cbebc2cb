"""What a trap is: tables of its own, and what an audit has to say of each thing in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django_dbaudit.finding import Severity

INFO, WARNING, ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR


class Fails(str):
    """A statement that the server has to refuse, for what it leaves behind."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule has to say of one thing."""

    rule: str
    severity: Severity
    #: What the finding has to name beside its subject: the index that stays.
    beside: str = ""
    #: Words that its message or its fix has to hold.
    says: str = ""
    #: A second rule that would be as right.
    or_rule: str = ""
    #: As right if it is not said at all, since another verdict on the same thing says enough.
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Trap:
    """One way to be wrong about a schema.

    Everything lies in a schema of this ``name``, or of one that begins with ``name__``. ``expect`` has
    an entry for what must be named, by its name below the schema; all else must not be named.
    """

    name: str
    why: str
    sql: tuple[str, ...]
    expect: Mapping[str, Verdict | tuple[Verdict, ...]] = field(default_factory=dict)
    #: Indexes that have been read when the audit begins, and the query that reads each.
    read: Mapping[str, str] = field(default_factory=dict)
    #: Queries that every fix together must leave as well served as they were.
    served: tuple[str, ...] = ()
    #: Indexes that must stay, and the query whose plan gets worse without each: proof of the verdict.
    needed: Mapping[str, str] = field(default_factory=dict)
    #: What has to be done by hand before the fixes, as they say.
    by_hand: tuple[str, ...] = ()
    #: Statements that still work, and those still refused, when every fix has been carried out.
    works: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    #: Major versions that know what the trap is made of.
    since: int = 14
    #: Extensions that it is made of.
    extensions: tuple[str, ...] = ()
    #: It is made with a collation of ICU, which a server may be built without.
    icu: bool = False

    def __str__(self) -> str:
        return self.name

    def verdicts(self, subject: str) -> tuple[Verdict, ...]:
        """What has to be said of a thing, by its name below the schema."""
        expected = self.expect.get(subject, ())
        return expected if isinstance(expected, tuple) else (expected,)

    def owns(self, schema: str) -> bool:
        return schema == self.name or schema.startswith(f"{self.name}__")


def duplicate(of: str, *, or_rule: str = "") -> Verdict:
    return Verdict("duplicate-index", WARNING, of, or_rule=or_rule)


def redundant(to: str, severity: Severity = WARNING, *, or_rule: str = "") -> Verdict:
    return Verdict("redundant-index", severity, to, or_rule=or_rule)


def unused(*, says: str = "", optional: bool = False) -> Verdict:
    return Verdict("unused-index", WARNING, says=says, optional=optional)


def invalid(*, says: str = "") -> Verdict:
    return Verdict("invalid-index", ERROR, says=says)


def unindexed(severity: Severity = INFO) -> Verdict:
    """An information as long as the table is small, and most of these are empty."""
    return Verdict("unindexed-foreign-key", severity)


def near_limit(severity: Severity = ERROR) -> Verdict:
    return Verdict("sequence-near-limit", severity)


def keyless(severity: Severity = INFO) -> Verdict:
    """An information as long as the table is empty."""
    return Verdict("missing-primary-key", severity)


def null_heavy() -> Verdict:
    return Verdict("null-heavy-index", WARNING)


def low_selectivity(severity: Severity = WARNING) -> Verdict:
    return Verdict("low-selectivity-index", severity)
