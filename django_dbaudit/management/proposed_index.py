"""An index that advice proposes, as the object that a migration adds: `index_entry` has its text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Cast, Lower, Trunc, Upper

from django_dbaudit.analysis.index_entry import Fields
from django_dbaudit.postgres.plans import Candidate, CandidateKey, Restriction

FUNCTIONS = {"lower": Lower, "upper": Upper}


def index_of(candidate: Candidate, fields: Fields, name: str) -> models.Index:
    """Django's index for the candidate, whose columns must all be fields of one model."""
    kind: Any = GinIndex if candidate.access_method == "gin" else models.Index
    names = [fields[candidate.table, key.column].field for key in candidate.keys]
    options: dict[str, Any] = {"name": name}
    if candidate.predicate:
        options["condition"] = models.Q(
            **dict(_lookup(each, candidate, fields) for each in candidate.predicate)
        )
    if any(key.function or key.nulls_moved for key in candidate.keys):
        expressions = [_expression(key, field) for key, field in zip(candidate.keys, names, strict=True)]
        return _made(kind, expressions, options)
    options["fields"] = [
        f"-{field}" if key.descending else field for key, field in zip(candidate.keys, names, strict=True)
    ]
    opclasses = [key.opclass for key in candidate.keys if key.opclass]
    if opclasses:
        options["opclasses"] = opclasses
    return _made(kind, (), options)


def is_among(held: Iterable[models.Index], index: models.Index) -> bool:
    """Whether one of them is the same, whatever its name."""
    return any(each.deconstruct() == _renamed(index, each.name).deconstruct() for each in held)


def _renamed(index: models.Index, name: str) -> models.Index:
    same: models.Index = index.clone()
    same.name = name
    return same


def _made(kind: Any, expressions: Iterable[Any], options: Mapping[str, Any]) -> models.Index:
    index: models.Index = kind(*expressions, **options)
    return index


def _expression(key: CandidateKey, field: str) -> Any:
    function, _, unit = key.function.partition(":")
    expression: Any
    if function == "date":
        expression = Cast(field, models.DateField())
    elif unit:
        expression = Trunc(field, unit)
    elif function:
        expression = FUNCTIONS[function](field)
    else:
        expression = models.F(field)
    # True or nothing: False is an error.
    moved = key.nulls_moved or None
    if key.descending:
        expression = expression.desc(nulls_last=moved)
    elif moved:
        expression = expression.asc(nulls_first=True)
    return OpClass(expression, name=key.opclass) if key.opclass else expression


def _lookup(restriction: Restriction, candidate: Candidate, fields: Fields) -> tuple[str, bool]:
    field = fields[candidate.table, restriction.column].field
    if restriction.word.endswith("null"):
        return f"{field}__isnull", restriction.word == "null"
    return field, restriction.word == "true"
