"""``indexreport --write-migration``: which options go with it, and what it tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_dbaudit.errors import AuditError
from django_dbaudit.management.app_migrations import AppMigrations
from django_dbaudit.management.migration_steps import Steps
from django_dbaudit.project import source_lines

#: Options of a report, which the writing of a migration has no use for; and why.
REFUSED: Mapping[str, str] = {
    "format": "what it prints are edits to be made by hand",
    "fail_on": "it judges nothing, and ends with 0 where it could do what it was asked to",
    "write_baseline": "write the baseline with a report first, and leave its findings out with --baseline",
    "sort": "it shows no list",
}
#: What these are if nobody has asked for anything else.
DEFAULTS: Mapping[str, object] = {"format": "console", "sort": "gain"}


def check_options(given: Mapping[str, Any]) -> None:
    """Refuse options that would be without effect."""
    for name, reason in REFUSED.items():
        if given[name] and given[name] != DEFAULTS.get(name):
            option = f"--{name.replace('_', '-')}"
            raise AuditError(f"{option} does not go with --write-migration: {reason}.")


def carry_out(app: AppMigrations, steps: Steps) -> str:
    """Write the migration, if there is anything to write; what to tell of it."""
    lines: list[str] = []
    if steps.operations:
        path = app.write(steps.operations, sorted(steps.after))
        lines += [f"Wrote {source_lines.relative(str(path))}.", ""]
        edits = steps.edits.lines()
        if edits:
            lines.append("Make these edits, and makemigrations --check is clean; then migrate:")
            lines += _indented(edits)
        else:
            lines.append("No model is to be edited; migrate.")
    else:
        lines.append(f"Nothing to write for {app.label}: no finding that a migration of it would mend.")
    if steps.left_out:
        lines += ["", "Left out:", *_indented(f"{each.name}: {each.reason}" for each in steps.left_out)]
    return "\n".join([*lines, ""])


def _indented(lines: Iterable[object]) -> list[str]:
    return [f"  {each}" for each in lines]
