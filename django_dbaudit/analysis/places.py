"""One defect in a function that many views call is one thing to mend: a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django_dbaudit import words
from django_dbaudit.analysis.steps import Step
from django_dbaudit.finding import Location, Related, Subject
from django_dbaudit.project.effects.facts import ViewEffects

#: Views that a finding names as leading to a place.
VIEWS_NAMED = 5


@dataclass(slots=True)
class Place:
    """A function, and what is found in it: the same one in all its lines."""

    #: ``module.qualname`` of the function; of the view where no function is known.
    function: str
    #: What tells this place from others in the same function: a table, a name.
    detail: str
    steps: list[Step] = field(default_factory=list)
    views: list[ViewEffects] = field(default_factory=list)

    @property
    def first(self) -> Step:
        """The first of its lines."""
        return min(self.steps, key=lambda step: (_line(step).path, _line(step).line))

    @property
    def location(self) -> Location:
        return _line(self.first)

    @property
    def subject(self) -> Subject:
        return Subject("function", self.function)

    @property
    def seen_from(self) -> str:
        """``shop.views.pay (POST)``, or how many views."""
        first = self.views[0].view
        if len(self.views) == 1:
            return f"{first.name} ({first.method})"
        return words.count(len(self.views), "view") + " and methods"

    def details(self, related: Iterable[Related] = (), **evidence: Any) -> Mapping[str, Any]:
        """What every finding about a place has: where it is, and the views that lead there."""
        others = [each for each in dict.fromkeys(map(_line, self.steps)) if each != self.location]
        return {
            "location": self.location,
            "identity": (self.function, self.detail),
            "evidence": {"views": len(self.views), **evidence},
            "related": [
                *related,
                *(Related("line", self.function, each) for each in others),
                *(_view(each) for each in self.views[:VIEWS_NAMED]),
            ],
        }


def _line(step: Step) -> Location:
    # Of the nodes only a sequence has no line, and no rule points at one.
    location: Location = getattr(step.node, "location")  # noqa: B009  # the type checker cannot know
    return location


def _view(each: ViewEffects) -> Related:
    return Related("view", f"{each.view.name} ({each.view.method})", each.view.location)


def group(found: Iterable[tuple[ViewEffects, Step, str]]) -> Iterator[Place]:
    """The places of what was found: of each the view that leads there, the step, and the detail."""
    places: dict[tuple[str, str], Place] = {}
    for view, step, detail in found:
        function = step.function.name if step.function is not None else view.view.name
        place = places.setdefault((function, detail), Place(function, detail))
        if not any(step.node is each.node for each in place.steps):
            place.steps.append(step)
        if not any(view is each for each in place.views):
            place.views.append(view)
    yield from sorted(places.values(), key=lambda place: (place.function, place.detail))
