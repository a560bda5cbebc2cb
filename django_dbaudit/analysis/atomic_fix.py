"""Where the ``with transaction.atomic()`` goes that makes one unit of several."""

from __future__ import annotations

from collections.abc import Sequence

from django_dbaudit.analysis.commit_units import Unit
from django_dbaudit.analysis.verdicts import shared_calls, way_to
from django_dbaudit.finding import Fix, Location
from django_dbaudit.project.effects.facts import ViewEffects

#: Whose functions are not the project's to edit.
FRAMEWORKS = ("django.", "rest_framework.", "builtins.")


def fix(view: ViewEffects, units: Sequence[Unit]) -> Fix:
    """The innermost function of the project's that holds all the units, and the lines in it."""
    ways = [way_to(view.body, unit.writes[0]) for unit in units]
    shared = shared_calls(ways)
    held = [
        (*(call.location for call in way), unit.writes[0].location)
        for way, unit in zip(ways, units, strict=True)
    ]
    using = _using(units)
    while shared and shared[-1].name.startswith(FRAMEWORKS):
        shared = shared[:-1]
    if view.view.is_async:
        return Fix(
            "text",
            "Move the writes into one function that is not async, in a "
            f"with transaction.atomic({using}) block, and await it by sync_to_async.",
        )
    if not shared:
        return Fix("text", _decorate(view, using))
    lines = sorted(
        {way[len(shared)].line for way in held if way[len(shared)].path == _path(held, len(shared))}
    )
    place = Location(_path(held, len(shared)), lines[0])
    where = f"{place}" if len(lines) == 1 else f"{place} to {lines[-1]}"
    return Fix("text", f"In {shared[-1].name}, put with transaction.atomic({using}): around {where}.")


def _decorate(view: ViewEffects, using: str) -> str:
    name = view.view.name.rpartition(".")[2]
    if view.view.kind == "admin":
        return f"Override the method of {name} that saves, with transaction.atomic({using}): around it."
    handler = name.partition("#")[2] or view.view.method.lower()
    return (
        f"Decorate {handler}() of {name.partition('#')[0]} with @transaction.atomic"
        f"{f'({using})' if using else ''}: define it, and call super() in it, where it is inherited."
    )


def _path(held: Sequence[Sequence[Location]], depth: int) -> str:
    return held[0][depth].path


def _using(units: Sequence[Unit]) -> str:
    aliases = {unit.alias for unit in units}
    (alias,) = aliases if len(aliases) == 1 else (None,)
    return f'using="{alias}"' if alias not in (None, "default") else ""
