"""The edits of models that go with a migration, as a person would make them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models
from django.db.migrations.writer import MigrationWriter

from django_dbaudit.finding import Location
from django_dbaudit.project import source_lines
from django_dbaudit.project.schema import DeclaredIndex

#: No class has as many entries: asks for where a new one would stand.
AFTER_ALL = 1 << 16

Model = type[models.Model]


@dataclass(frozen=True, slots=True)
class Line:
    location: Location | None
    text: str

    def __str__(self) -> str:
        return f"{self.location}: {self.text}" if self.location else self.text


@dataclass(slots=True)
class _Entries:
    """What changes in one model's ``Meta.indexes``: the old entry, the new one, or both."""

    changes: list[tuple[models.Index | None, models.Index | None]] = field(default_factory=list)

    @property
    def are_only_removed(self) -> bool:
        return all(new is None for _, new in self.changes)


@dataclass(frozen=True, slots=True)
class _Unindexed:
    declared: DeclaredIndex
    field: Any
    unindexed: Any
    #: Nothing takes the index's place, so that it makes no difference where the field is edited.
    is_plain: bool


class ModelEdits:
    """Collects what changes in an app's models, and says where to write what.

    What an abstract base declares is edited there if all its models agree, and they are this app's;
    else each model that is changed gets a word of its own, which goes before the base's.
    """

    def __init__(self, app: str) -> None:
        self._app = app
        self._entries: dict[Model, _Entries] = defaultdict(_Entries)
        self._fields: dict[tuple[Model, str], _Unindexed] = {}
        self._constraints: list[tuple[Model, Any]] = []

    def replace(self, model: Model, old: models.Index | None, new: models.Index | None) -> None:
        self._entries[model].changes.append((old, new))

    def remove_constraint(self, model: Model, constraint: Any) -> None:
        self._constraints.append((model, constraint))

    def unindex(
        self, model: Model, declared: DeclaredIndex, before: Any, after: Any, *, is_plain: bool
    ) -> None:
        # In a migration's state a field does not know its own name.
        self._fields[model, declared.field or ""] = _Unindexed(declared, before, after, is_plain)

    def lines(self) -> list[Line]:
        """Each edit once, in no more places than it takes."""
        found = [*self._field_lines(), *self._constraint_lines(), *self._entry_lines()]
        return list(dict.fromkeys(found))

    def _field_lines(self) -> Iterator[Line]:
        for (model, name), change in self._fields.items():
            base = source_lines.declaring_class(model, name)
            # A SlugField or a ForeignKey has an index unless it says otherwise.
            says_so = "db_index" in change.field.deconstruct()[3]
            what = "remove db_index=True from" if says_so else "set db_index=False on"
            if base is model:
                yield Line(change.declared.location, f"{what} {change.declared.source}")
            elif self._all_unindex(base, name):
                of = ", ".join(each._meta.label for each in _heirs_of_field(base, name))
                yield Line(change.declared.location, f"{what} {base.__qualname__}.{name}, of {of}")
            else:
                text = f"add to {model._meta.label}: {name} = {_serialized(change.unindexed)}"
                yield Line(_class_line(model), f"{text}, in the place of {base.__qualname__}'s")

    def _all_unindex(self, base: type, name: str) -> bool:
        changes = [self._fields.get((heir, name)) for heir in _heirs_of_field(base, name)]
        return all(each is not None and each.is_plain for each in changes)

    def _constraint_lines(self) -> Iterator[Line]:
        for model, constraint in self._constraints:
            location = source_lines.meta_location(model, "constraints", constraint.name, AFTER_ALL)
            base = source_lines.meta_class(model, "constraints")
            of = "" if base is model else f", which come from {base.__qualname__}"
            text = f"remove from {model._meta.label} Meta.constraints{of}: {_serialized(constraint)}"
            yield Line(location, text)

    def _entry_lines(self) -> Iterator[Line]:
        for model, entries in self._entries.items():
            base = source_lines.meta_class(model, "indexes")
            if base is not model and model._meta.indexes:
                yield from self._inherited(model, base, entries)
            elif _needs_meta(model):
                yield _own_meta(model, entries)
            else:
                yield from (_change(model, old, new) for old, new in entries.changes)

    def _inherited(self, model: Model, base: type, entries: _Entries) -> Iterator[Line]:
        heirs = _heirs_of_entries(base)
        positions = {each: self._removed_positions(each) for each in heirs}
        together = set.intersection(*positions.values()) if positions else set()
        if not entries.are_only_removed or positions[model] - together:
            yield _own_meta(model, entries)
            return
        of = ", ".join(each._meta.label for each in heirs)
        for old, _ in entries.changes:
            if old is not None:
                location = source_lines.meta_location(model, "indexes", old.name, AFTER_ALL)
                entry = _serialized(_as_written(old, model, base))
                yield Line(location, f"remove from {base.__qualname__} Meta.indexes, of {of}: {entry}")

    def _removed_positions(self, model: Model) -> set[int]:
        """Which entries go; none if something else than that is to happen to the model's."""
        entries = self._entries.get(model)
        if entries is None or not entries.are_only_removed:
            return set()
        gone = {old.name for old, _ in entries.changes if old is not None}
        return {at for at, each in enumerate(model._meta.indexes) if each.name in gone}


def _heirs_of_field(base: type, name: str) -> list[Model]:
    """The models that have the field from this abstract class."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if any(each.name == name for each in model._meta.local_fields)
        and not model._meta.proxy
        and source_lines.declaring_class(model, name) is base
    ]


def _heirs_of_entries(base: type) -> list[Model]:
    """The models that have their ``Meta.indexes`` from this abstract class."""
    return [
        model
        for model in apps.get_models()
        if model._meta.indexes
        and not model._meta.proxy
        and source_lines.meta_class(model, "indexes") is base
    ]


def _as_written(index: models.Index, model: Model, base: type) -> models.Index:
    """The entry of the abstract class, whose name may be a pattern."""
    written = getattr(getattr(base, "Meta", None), "indexes", ())
    names: dict[str, models.Index] = {source_lines.resolved(each.name, model): each for each in written}
    return names.get(index.name, index)


def _needs_meta(model: Model) -> bool:
    """Whether a ``Meta`` of its own would first have to take over what it inherits."""
    lines = source_lines.class_lines(model)
    return lines is not None and lines.meta_line is None and _base_with_meta(model) is not None


def _base_with_meta(model: Model) -> type | None:
    # Django leaves it on abstract classes alone.
    return next((each for each in model.__mro__[1:] if "Meta" in vars(each)), None)


def _own_meta(model: Model, entries: _Entries) -> Line:
    """All entries of a model whose list was its base's until now."""
    gone = {old.name for old, _ in entries.changes if old is not None}
    kept = [each for each in model._meta.indexes if each.name not in gone]
    kept += [new for _, new in entries.changes if new is not None]
    listed = f"indexes = [{', '.join(map(_serialized, kept))}]"
    lines = source_lines.class_lines(model)
    if lines is not None and lines.meta_line is not None:
        return Line(Location(lines.path, lines.meta_line), f"set in {model._meta.label} Meta: {listed}")
    base = _base_with_meta(model)
    head = f"class Meta({base.__qualname__}.Meta): " if base else "class Meta: "
    return Line(_class_line(model), f"add to {model._meta.label}: {head}{listed}")


def _change(model: Model, old: models.Index | None, new: models.Index | None) -> Line:
    place = f"{model._meta.label} Meta.indexes"
    location = source_lines.meta_location(model, "indexes", old.name if old else None, AFTER_ALL)
    if old is None:
        return Line(location, f"add to {place}: {_serialized(new)}")
    if new is None:
        return Line(location, f"remove from {place}: {_serialized(old)}")
    return Line(location, f"in {place} replace {_serialized(old)} by: {_serialized(new)}")


def _class_line(model: Model) -> Location | None:
    lines = source_lines.class_lines(model)
    return Location(lines.path, lines.line) if lines else None


def _serialized(value: Any) -> str:
    return str(MigrationWriter.serialize(value)[0])
