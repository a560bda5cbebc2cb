"""What several formats say in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from django_dbaudit.finding import Database, Finding, Fix, Related, Severity

VENDORS = {"postgresql": "PostgreSQL"}


def server(database: Database) -> str:
    """
    >>> server(Database("default", "postgresql", "18.6")), server(Database("old", "mysql"))
    ('PostgreSQL 18.6', 'mysql')
    >>> server(Database("replica", "postgresql", "18.6", replica_of="default"))
    'PostgreSQL 18.6, replica of default'
    """
    vendor = VENDORS.get(database.vendor, database.vendor)
    role = f", replica of {database.replica_of}" if database.replica_of else ""
    return f"{vendor} {database.server_version or ''}".strip() + role


def kind(word: str) -> str:
    """
    >>> kind("foreign_key")
    'foreign key'
    """
    return word.replace("_", " ")


def related(each: Related) -> str:
    where = f" at {each.location}" if each.location else ""
    return f"{kind(each.kind)} {each.name}{where}"


def evidence(finding: Finding) -> list[tuple[str, str]]:
    """Keys and values as a reader would want them."""
    return [(kind(key), _value(value)) for key, value in finding.evidence.items()]


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def prose_and_code(fix: Fix) -> tuple[str, str]:
    """Split a fix: what is to be read, and what is to be copied. Either may be empty.

    >>> prose_and_code(Fix("migration", 'In a migration:\\nRemoveIndex("flavor", "a")'))
    ('In a migration:', 'RemoveIndex("flavor", "a")')
    """
    if fix.kind == "sql":
        return "", fix.text
    first, colon, rest = fix.text.partition(":\n")
    if colon and "\n" not in first:
        return f"{first}:", rest
    return ("", fix.text) if "\n" in fix.text else (fix.text, "")


def by_rule(findings: Iterable[Finding]) -> Iterator[tuple[Severity, str, list[Finding]]]:
    """Runs of findings of one severity and one rule; they come worst first."""
    for (severity, rule), group in groupby(findings, lambda each: (each.severity, each.rule)):
        yield severity, rule, list(group)


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "error"), count(2500, "error")
    ('1 error', '2,500 errors')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
