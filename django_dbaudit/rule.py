"""A rule: facts in, findings out; and the registry that finds every rule by walking ``rules/``."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django_dbaudit import derived
from django_dbaudit.errors import AuditError
from django_dbaudit.finding import (
    Evidence,
    Finding,
    Fix,
    Location,
    NotRun,
    Related,
    Severity,
    Subject,
)

Check = Callable[..., "Iterator[Finding | NotRun]"]


@dataclass(slots=True)
class Rule:
    """One thing that can be wrong. The file that holds it gives it its name, in kebab case.

    ``code`` is kept for ever; ``since`` is the version of django-dbaudit that first had the rule;
    ``min_server_version`` is in the server's own numbering (160000 for PostgreSQL 16). ``per_server``
    says that primary and replica may differ in what the rule finds, though it looks at the schema,
    which they share: then it looks at both.
    """

    code: str
    severity: Severity
    since: str
    min_server_version: int = 0
    per_server: bool = False
    name: str = field(default="", init=False)
    function: Check = field(init=False, repr=False)

    def check(self, function: Check) -> Check:
        """Decorate the function that judges; its parameters say which facts it needs."""
        self.function = function
        self.name = function.__module__.rpartition(".")[2].replace("_", "-")
        return function

    @property
    def needs(self) -> Mapping[str, type[Any]]:
        """The facts this rule asks for, derived or not, by the name of the parameter."""
        return derived.parameters(self.function)

    @property
    def sources(self) -> frozenset[type[Any]]:
        """The facts that it comes down to: a derived one stands for those that it is made from."""
        return frozenset(source for kind in self.needs.values() for source in derived.sources(kind))

    @property
    def page(self) -> str:
        """What the rule finds, why it hurts, when to leave it alone and how to mend it, in reST."""
        return inspect.cleandoc(sys.modules[self.function.__module__].__doc__ or "")

    @property
    def summary(self) -> str:
        """The first line of the page."""
        return self.page.partition("\n")[0]

    def finding(
        self,
        subject: Subject,
        message: str,
        *,
        evidence: Evidence | None = None,
        severity: Severity | None = None,
        location: Location | None = None,
        related: Sequence[Related] = (),
        fix: Fix | None = None,
        identity: tuple[str, ...] = (),
    ) -> Finding:
        return Finding(
            rule=self.code,
            name=self.name,
            severity=severity or self.severity,
            subject=subject,
            message=message,
            evidence=evidence or {},
            location=location,
            related=tuple(related),
            fix=fix,
            identity=identity,
        )

    def not_run(self, reason: str) -> NotRun:
        """Say that this rule could not look, or could look only in part."""
        return NotRun(rule=self.code, name=self.name, reason=reason)


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code: each module below ``rules/`` holds one, as ``rule``."""
    # By its name and not by an import, so that no arrow runs from here to what imports this module.
    package = importlib.import_module("django_dbaudit.rules")
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    found = [importlib.import_module(each.name).rule for each in modules if not each.ispkg]
    return tuple(sorted(found, key=lambda rule: rule.code))


def get_rule(word: str) -> Rule:
    """The one rule with this code or name."""
    for rule in all_rules():
        if _means(word, rule, prefix=False):
            return rule
    raise _unknown(word)


def select_rules(select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """The rules that ``select`` names, all if it is empty, less those that ``ignore`` names.

    A word is a code, the beginning of one, or a name; an unknown one is an `AuditError`.
    """
    for word in (*select, *ignore):
        if not any(_means(word, rule) for rule in all_rules()):
            raise _unknown(word)
    return tuple(
        rule
        for rule in all_rules()
        if (not select or any(_means(word, rule) for word in select))
        and not any(_means(word, rule) for word in ignore)
    )


def _means(word: str, rule: Rule, *, prefix: bool = True) -> bool:
    code = word.upper()
    by_code = rule.code.startswith(code) if prefix else rule.code == code
    return bool(word) and (by_code or word.lower().replace("_", "-") == rule.name)


def _unknown(word: str) -> AuditError:
    known = "\n".join(f"  {rule.code}  {rule.name}" for rule in all_rules())
    return AuditError(
        f"Unknown rule: {word!r}. A rule is named by its code, the beginning of one, or its name:\n{known}"
    )
