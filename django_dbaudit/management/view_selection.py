"""Which views ``transactionreport`` shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from django_dbaudit import facts
from django_dbaudit.analysis.verdicts import VERDICTS
from django_dbaudit.audit import Audit
from django_dbaudit.errors import AuditError
from django_dbaudit.finding import Finding
from django_dbaudit.management.options import one_of
from django_dbaudit.management.view_list import Judged
from django_dbaudit.management.view_names import is_named, meant
from django_dbaudit.project.views import View
from django_dbaudit.traffic.facts import Traffic


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for; all that is empty leaves nothing out."""

    views: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--view",
        action="append",
        metavar="NAME",
        help="Show only this view and, step by step, the path to each of its writes: its name as the "
        "report has it, or the end of it; may be repeated.",
    )
    parser.add_argument(
        "--app",
        action="append",
        metavar="MODULE",
        help="Show only the views of this package or module; may be repeated.",
    )
    parser.add_argument(
        "--verdict",
        action="append",
        metavar="VERDICT",
        help=f"Show only views with this verdict: {', '.join(VERDICTS)}; may be repeated.",
    )
    parser.add_argument(
        "--traffic",
        metavar="FILE",
        help="Hold it against the traffic of this facts file, as a test suite's --dbaudit-record writes "
        "it, and not against what the store has.",
    )


def traffic(given: Mapping[str, Any]) -> Traffic | None:
    """The traffic of the file that ``--traffic`` names; None without one."""
    if not given["traffic"]:
        return None
    if given["load_facts"]:
        raise AuditError(
            "--traffic would take the place of what --load-facts reads: leave one of them out."
        )
    found = facts.load(Path(given["traffic"])).code.get(Traffic)
    if not isinstance(found, Traffic):
        reason = f": {found.reason}" if isinstance(found, facts.Unavailable) else ""
        raise AuditError(
            f"--traffic: the facts file {given['traffic']} has no traffic{reason}. Record some with "
            "pytest --dbaudit-record FILE, or manage.py test --testrunner "
            "django_dbaudit.testing.RecordingRunner --dbaudit-record FILE."
        )
    return found


def parse(given: Mapping[str, Any]) -> Selection:
    return Selection(
        views=tuple(given["view"] or ()),
        apps=tuple(given["app"] or ()),
        verdicts=tuple(one_of("--verdict", each, VERDICTS) for each in given["verdict"] or ()),
    )


def arrange(selection: Selection, judged: Sequence[Judged], outcome: Audit) -> tuple[list[Judged], Audit]:
    """The views that were asked for, and the findings about them and the functions that they call."""
    _check(selection, [each.effects.view.name for each in judged])
    if not (selection.views or selection.apps or selection.verdicts):
        return list(judged), outcome
    shown = [each for each in judged if _is_wanted(selection, each)]
    keys = {(each.effects.view.name, each.effects.view.method) for each in shown}
    findings = tuple(each for each in outcome.findings if not keys.isdisjoint(_views_of(each)))
    return shown, dataclasses.replace(outcome, findings=findings)


def _views_of(finding: Finding) -> Iterator[tuple[str, str | None]]:
    """Name and method of each view that the finding tells of."""
    if finding.subject.kind == "view":
        yield finding.subject.name, finding.subject.method
    for each in finding.related:
        if each.kind == "view":
            name, _, method = each.name.partition(" (")
            yield name, method.removesuffix(")")


def _is_wanted(selection: Selection, judged: Judged) -> bool:
    view = judged.effects.view
    return (
        (not selection.views or any(is_named(view.name, each) for each in selection.views))
        and (not selection.apps or any(_is_in(view, each) for each in selection.apps))
        and (not selection.verdicts or judged.verdict.word in selection.verdicts)
    )


def _is_in(view: View, module: str) -> bool:
    return view.name.startswith(f"{module}.")


def _check(selection: Selection, names: Sequence[str]) -> None:
    for asked in selection.views:
        if not any(is_named(name, asked) for name in names):
            raise AuditError(_unknown("view", asked, names))
    for asked in selection.apps:
        if not any(name.startswith(f"{asked}.") for name in names):
            packages = [name.partition(".")[0] for name in names]
            raise AuditError(_unknown("package with views", asked, packages))


def _unknown(kind: str, asked: str, known: Iterable[str]) -> str:
    return f"Unknown {kind}: {asked!r}. {meant(asked, known, 'There are none.')}"
