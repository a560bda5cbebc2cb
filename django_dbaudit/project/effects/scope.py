"""Names, resolved as Python resolves them: local, enclosing, global, built in."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django_dbaudit.project.effects.machine import Frame, Site
from django_dbaudit.project.effects.values import Live, Unknown, Value

BUILTINS = vars(builtins)


@dataclass(slots=True)
class Scope:
    """The names of one function in progress."""

    frame: Frame
    globals: Mapping[str, Any]
    names: dict[str, Value] = field(default_factory=dict)
    #: The function around a nested one, itself interpreted.
    enclosing: Scope | None = None
    #: What a live function's closure holds.
    cells: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Value:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            if name in scope.cells:
                return Live(scope.cells[name])
            scope = scope.enclosing
        if name in self.globals:
            return Live(self.globals[name])
        return Live(BUILTINS[name]) if name in BUILTINS else Unknown(name)

    def live(self, name: str) -> Any:
        """The live object of this name, for annotations; None where there is none."""
        value = self.get(name)
        return value.thing if isinstance(value, Live) else None

    def site(self, node: ast.AST) -> Site:
        line: int = getattr(node, "lineno", 0)
        return Site(self.frame.file, line, node if isinstance(node, ast.expr) else None)

    def within(self) -> Scope:
        """A scope of its own in the same function, as a comprehension has it."""
        return Scope(self.frame, self.globals, {}, self)
