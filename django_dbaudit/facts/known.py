"""What is known of the aliases that were asked for, and of the code they have in common."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django_dbaudit import derived
from django_dbaudit.analysis.cluster import Cluster
from django_dbaudit.analysis.testimony import Testimony
from django_dbaudit.derived import DerivedFact
from django_dbaudit.finding import Database
from django_dbaudit.project.replication import DeclaredAlias
from django_dbaudit.store.history import IndexHistory
from django_dbaudit.traffic.facts import Traffic

#: What it means that a fact is not there, for those without which rules know less but still enough.
ABSENT: Mapping[type[Any], Any] = {
    IndexHistory: IndexHistory(absence="the facts were saved without records"),
    Cluster: Cluster(),
    Testimony: Testimony(Traffic()),
}


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A fact that cannot be had. ``failed`` tells what went wrong from what is merely so."""

    reason: str
    failed: bool = False


NOT_GATHERED = Unavailable("not among the facts that were gathered")


@dataclass(frozen=True, slots=True)
class AliasFacts:
    """What is known of one alias."""

    database: Database
    known: Mapping[type[Any], Any]
    #: Known also of an alias that cannot be reached.
    declared: DeclaredAlias = field(default_factory=DeclaredAlias)
    #: What was made of it; another `AliasFacts`, which knows other things, begins anew.
    _derived: dict[type[Any], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def get(self, kind: type[Any]) -> Any:
        """The fact, or `Unavailable`; a `DerivedFact` is made when it is first asked for."""
        if kind in self.known:
            return self.known[kind]
        if not issubclass(kind, DerivedFact):
            return ABSENT.get(kind, NOT_GATHERED)
        if kind not in self._derived:
            self._derived[kind] = self._derive(kind)
        return self._derived[kind]

    def having(self, *facts: Any) -> AliasFacts:
        """The same with these facts, in place of what it knows of their kinds."""
        if all(self.known.get(type(each)) is each for each in facts):
            return self
        return replace(self, known={**self.known, **{type(each): each for each in facts}})

    def _derive(self, kind: type[DerivedFact]) -> Any:
        parts = {name: self.get(each) for name, each in derived.needs(kind).items()}
        missing = next((each for each in parts.values() if isinstance(each, Unavailable)), None)
        return kind(**parts) if missing is None else ABSENT.get(kind, missing)


#: Stands for no database in particular: where rules judge the code, or what it was seen to do.
OF_THE_CODE = Database("", "")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of all the aliases that were asked for, and of the code they have in common."""

    aliases: tuple[AliasFacts, ...] = field(default=())
    code: Mapping[type[Any], Any] = field(default_factory=dict)
    #: The same, with what was made of it.
    of_code: AliasFacts = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of_code", AliasFacts(OF_THE_CODE, self.code))

    @property
    def databases(self) -> tuple[Database, ...]:
        return tuple(each.database for each in self.aliases)

    def having(self, *facts: Any) -> Facts:
        """The same with these facts about every alias, and about the code."""
        aliases = tuple([each.having(*facts) for each in self.aliases])
        of_code = self.of_code.having(*facts)
        if of_code is self.of_code and all(map(operator.is_, aliases, self.aliases)):
            return self
        return Facts(aliases, of_code.known)
