"""The options that every command of ours takes, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandParser
from django.db import connections

from django_dbaudit.conf import FAIL_ON, Config
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import Facts
from django_dbaudit.finding import Severity
from django_dbaudit.management.writing import check_writable
from django_dbaudit.reports import FORMATS


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, on the command line and, where it was silent, in ``settings.DBAUDIT``."""

    databases: tuple[str, ...]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    format: str
    output: Path | None
    fail_on: str
    baseline: Path | None
    write_baseline: Path | None
    save_facts: Path | None
    load_facts: Path | None

    def fails(self, severity: Severity) -> bool:
        return self.fail_on != "never" and Severity(self.fail_on) <= severity


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--database",
        action="append",
        metavar="ALIAS",
        help="An alias of DATABASES; may be repeated. Default: every PostgreSQL alias.",
    )
    parser.add_argument(
        "--select",
        action="append",
        metavar="RULES",
        help="Run only these rules: codes, beginnings of codes or names, separated by commas.",
    )
    parser.add_argument(
        "--ignore", action="append", metavar="RULES", help="Leave these rules out, as in --select."
    )
    parser.add_argument(
        "--format", default="console", metavar="FORMAT", help=f"One of: {', '.join(FORMATS)}."
    )
    parser.add_argument("--output", metavar="FILE", help="Write the report to a file and not to stdout.")
    parser.add_argument(
        "--fail-on",
        metavar="SEVERITY",
        help="Exit with status 1 if there is a finding of this severity or a worse one: "
        f"{', '.join(FAIL_ON)}. Default: DBAUDIT['FAIL_ON'], or warning.",
    )
    parser.add_argument(
        "--baseline", metavar="FILE", help="Report only findings that are not in this file."
    )
    parser.add_argument(
        "--write-baseline", metavar="FILE", help="Write all findings to a baseline, and exit with 0."
    )
    parser.add_argument(
        "--save-facts", metavar="FILE", help="Also write all that was seen, to be audited elsewhere."
    )
    parser.add_argument(
        "--load-facts", metavar="FILE", help="Audit what --save-facts wrote, and ask no server."
    )


def parse(given: Mapping[str, Any], config: Config) -> Options:
    """Check the options; an `AuditError` says what is wrong and what would be right."""
    if given["load_facts"] and given["save_facts"]:
        raise AuditError("--save-facts would only copy what --load-facts reads: leave one of them out.")
    return Options(
        databases=_aliases(given["database"] or (), check=not given["load_facts"]),
        select=_words(given["select"]) or config.select,
        ignore=_words(given["ignore"]) or config.ignore,
        format=one_of("--format", given["format"], tuple(FORMATS)),
        output=_file(given["output"]),
        fail_on=one_of("--fail-on", given["fail_on"] or config.fail_on, FAIL_ON),
        baseline=_path(given["baseline"] or config.baseline),
        write_baseline=_file(given["write_baseline"]),
        save_facts=_file(given["save_facts"]),
        load_facts=_path(given["load_facts"]),
    )


def default_aliases() -> tuple[str, ...]:
    """Every PostgreSQL alias; where there is none, all, so that the report says why it is empty."""
    postgresql = [alias for alias in connections if _is_postgresql(alias)]
    return tuple(postgresql or connections)


def only(databases: Sequence[str], facts: Facts) -> Facts:
    """The facts of these aliases, out of a file that holds more."""
    if not databases:
        return facts
    held = {each.database.alias: each for each in facts.aliases}
    for alias in databases:
        if alias not in held:
            raise AuditError(f"Unknown alias: {alias!r}. The facts file has: {', '.join(sorted(held))}.")
    return Facts(tuple(held[alias] for alias in databases), facts.code)


def _is_postgresql(alias: str) -> bool:
    # Engines that wrap Django's own are known by their vendor alone.
    engine = connections.settings[alias]["ENGINE"]
    if engine == "django.db.backends.postgresql":
        return True
    if engine.startswith("django.db.backends."):
        return False
    try:
        return connections[alias].vendor == "postgresql"
    except ImproperlyConfigured:
        # What cannot be loaded must come up in the report.
        return True


def _aliases(given: Sequence[str], *, check: bool) -> tuple[str, ...]:
    known = list(connections)
    for alias in given:
        if check and alias not in known:
            raise AuditError(f"Unknown alias: {alias!r}. DATABASES has: {', '.join(known)}.")
    return tuple(dict.fromkeys(given))


def _words(given: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(word.strip() for words in given or () for word in words.split(","))


def one_of(option: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise AuditError(f"{option} is {value!r}; it must be one of: {', '.join(allowed)}.")
    return value


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None


def _file(given: str | None) -> Path | None:
    """A path to write to: refused before a long look, not after it."""
    path = _path(given)
    if path is not None:
        check_writable(path)
    return path
