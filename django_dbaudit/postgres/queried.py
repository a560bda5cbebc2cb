"""The tables that statements name: their columns, and values to plan those statements with.

None of this is a fact that is saved: it holds values out of the project's tables.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django_dbaudit.postgres.source import ProjectSource


@dataclass(frozen=True, slots=True)
class Values:
    """What ``pg_stats`` has of one column; everything empty where it has nothing for us."""

    null_fraction: float = 0
    #: As PostgreSQL has it: a number of values, or, below zero, minus their share of the rows.
    distinct: float = 0
    common_values: tuple[str, ...] = ()
    common_fractions: tuple[float, ...] = ()
    #: Of equally many rows each, from the lowest value to the highest; without the common ones.
    bounds: tuple[str, ...] = ()
    #: Of arrays: what they hold most often.
    common_elements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    #: As in ``pg_type``, and of a domain the type below it: int4, timestamptz.
    type: str
    #: ``pg_type.typcategory``: N for numbers, S for text, D for dates, A for arrays…
    category: str
    is_not_null: bool
    #: Text in the order of its bytes, which serves LIKE 'x%' as it is.
    is_c_collated: bool
    #: An index that sorts can be made of it.
    is_sortable: bool
    values: Values


@dataclass(frozen=True, slots=True)
class QueriedTable:
    oid: int
    schema: str
    name: str
    is_partitioned: bool
    columns: Mapping[str, Column]
    #: The names, with a schema or None, by which statements mean it.
    known_as: tuple[tuple[str | None, str], ...]


def read(
    source: ProjectSource, names: Iterable[tuple[str | None, str]]
) -> dict[tuple[str | None, str], QueriedTable]:
    """By the names given; those that mean no table are left out."""
    wanted = {"tables": json.dumps(sorted(names, key=str))}
    rows = list(source.rows_as_project("queried_tables", wanted))
    known = json.dumps([[row["schema"], row["name"], row["is_partitioned"]] for row in rows])
    values = _values(source.rows_as_project("queried_statistics", {"tables": known}))
    tables: dict[tuple[str | None, str], QueriedTable] = {}
    for row in rows:
        schema, name = row["schema"], row["name"]
        called = (None if row["by_search_path"] else schema, name)
        known_as = ((None, name), (schema, name)) if row["by_search_path"] else ((schema, name),)
        tables[called] = QueriedTable(
            oid=row["oid"],
            schema=schema,
            name=name,
            is_partitioned=row["is_partitioned"],
            columns={
                each["name"]: Column(**each, values=values[schema, name].get(each["name"], Values()))
                for each in row["columns"]
            },
            known_as=known_as,
        )
    return tables


def _values(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, Values]]:
    found: dict[tuple[str, str], dict[str, Values]] = defaultdict(dict)
    for row in rows:
        common = [each for each in row["common_values"] or () if isinstance(each, str)]
        found[row["schema"], row["table"]][row["column"]] = Values(
            null_fraction=row["null_fraction"] or 0,
            distinct=row["distinct"] or 0,
            common_values=tuple(common),
            common_fractions=tuple(row["common_fractions"] or ()) if common else (),
            bounds=tuple(each for each in row["bounds"] or () if isinstance(each, str)),
            common_elements=tuple(each for each in row["common_elements"] or () if isinstance(each, str)),
        )
    return found


def folding_functions(source: ProjectSource) -> frozenset[str]:
    """Names of the project's own functions that planning a statement may run."""
    return frozenset(row["name"] for row in source.rows("folding_functions"))
