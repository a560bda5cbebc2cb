"""How a query gets at each of its tables: by which conditions on its columns, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django_dbaudit.sql import comparisons, conditions
from django_dbaudit.sql.comparisons import Compared
from django_dbaudit.sql.conditions import Condition, Names, Term
from django_dbaudit.sql.grammar import IS_INSTALLED, Query, TableName, find_all, table_name

if IS_INSTALLED:
    from sqlglot import exp
    from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
    from sqlglot.optimizer.scope import Scope, traverse_scope


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of ORDER BY."""

    term: Term
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Access:
    """One table of one SELECT. A table that is read twice has two."""

    table: TableName
    conditions: tuple[Condition, ...]
    #: ORDER BY, where every key of it is this table's; what min() and max() ask for counts as one.
    sort: tuple[SortKey, ...]
    has_limit: bool
    #: Another table of the SELECT has conditions of its own, so that not every row here will do.
    others_are_filtered: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """All accesses of a query, and which column the constant of each mark is compared with."""

    accesses: tuple[Access, ...]
    compared: tuple[Compared, ...]
    #: Every SELECT hands on each row it finds, so that the rows returned are the rows found.
    returns_what_it_finds: bool


def read(query: Query, columns: Mapping[TableName, Collection[str]]) -> Reading:
    """``columns`` are those of the tables that exist; other names, a WITH's, are left out."""
    tree = normalize_identifiers(query.tree.copy(), dialect="postgres")
    accesses: list[Access] = []
    compared: list[Compared] = []
    for scope in traverse_scope(tree):
        select = scope.expression
        if not isinstance(select, exp.Select):
            continue
        names = _names(scope, columns)
        found = tuple(conditions.of(select, names))
        for alias, table in names.tables.items():
            accesses.append(_access(select, names, alias, table, found))
        compared += comparisons.compared(select, names)
    return Reading(tuple(accesses), tuple(compared), _returns_all(tree))


def _names(scope: Scope, columns: Mapping[TableName, Collection[str]]) -> Names:
    own: dict[str, TableName] = {}
    others: set[str] = set()
    for alias, (_, source) in scope.selected_sources.items():
        name = table_name(source) if isinstance(source, exp.Table) else None
        if name is not None and name in columns:
            own[alias] = name
        else:
            others.add(alias)
    return Names(own, frozenset(others), columns)


def _access(
    select: exp.Select, names: Names, alias: str, table: TableName, found: tuple[Condition, ...]
) -> Access:
    return Access(
        table=table,
        conditions=tuple(each for each in found if each.term.alias == alias),
        sort=tuple(_sort(select, names, alias)),
        has_limit=select.args.get("limit") is not None or _extreme(select) is not None,
        others_are_filtered=any(
            each.term.alias != alias and each.kind is not conditions.Kind.JOIN for each in found
        ),
    )


def _sort(select: exp.Select, names: Names, alias: str) -> Iterator[SortKey]:
    order = select.args.get("order")
    if select.args.get("group") is not None:
        return
    keys: list[SortKey] = []
    extreme = _extreme(select)
    if extreme is not None:
        term = conditions.term(extreme.this, names)
        if term is not None and term.alias == alias:
            # An index is read from either end, and min() and max() pass over NULLs.
            yield SortKey(term, descending=False, nulls_first=False)
        return
    for each in order.expressions if order is not None else ():
        term = conditions.term(_selected(each.this, select), names)
        if term is None or term.alias != alias:
            return
        keys.append(SortKey(term, bool(each.args.get("desc")), bool(each.args.get("nulls_first"))))
    yield from keys


def _selected(key: exp.Expr, select: exp.Select) -> exp.Expr:
    """What ORDER BY 2, or ORDER BY the name of an expression, stands for."""
    if isinstance(key, exp.Literal) and not key.is_string:
        position = int(key.name) - 1
        chosen = select.expressions[position] if 0 <= position < len(select.expressions) else key
        return chosen.unalias()
    if isinstance(key, exp.Column) and not key.table:
        for each in select.expressions:
            if isinstance(each, exp.Alias) and each.alias == key.name:
                return each.unalias()
    return key


def _extreme(select: exp.Select) -> exp.Min | exp.Max | None:
    """The min() or max() that is all the SELECT asks for."""
    if len(select.expressions) != 1 or select.args.get("group") is not None:
        return None
    found = select.expressions[0].unalias()
    return found if isinstance(found, (exp.Min, exp.Max)) else None


def _returns_all(tree: exp.Expr) -> bool:
    if not isinstance(tree, exp.Select) or len(list(find_all(tree, exp.Select))) > 1:
        return False
    shortens = ("group", "having", "limit", "offset", "distinct")
    if any(tree.args.get(each) is not None for each in shortens):
        return False
    return not any(find_all(tree, exp.AggFunc))
