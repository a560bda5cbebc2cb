"""Values to plan a statement with, in the place of the constants that nobody has recorded.

For an equality, the value that the row in the middle has: the most common one if half of the rows have
it. For a range, as much of the table as the statement is known to return, and else what the planner
itself assumes of a comparison that it knows nothing of. None of them lies at either end of what the
column holds, where the planner would look the true end up in an index, which counts as a scan of it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

from django_dbaudit.postgres.queried import Column, QueriedTable, Values
from django_dbaudit.sql import marks
from django_dbaudit.sql.access import Reading
from django_dbaudit.sql.comparisons import Compared
from django_dbaudit.sql.conditions import Kind
from django_dbaudit.sql.grammar import TableName

#: DEFAULT_INEQ_SEL in PostgreSQL's selfuncs.h.
OPEN_RANGE = 1 / 3
#: Share between two constants: what two neighbouring bounds of a histogram of 100 parts have between them.
CLOSED_RANGE = 0.01
#: For columns of which nothing is known, by category of type; 1 is a number, a text and a true boolean.
OF_CATEGORY = {"D": "2000-01-01", "T": "1 day", "A": "{}", "I": "127.0.0.1", "R": "empty", "V": "0"}
OF_TYPE = {
    "uuid": "00000000-0000-0000-0000-000000000000",
    "json": "{}",
    "jsonb": '{"a": 1}',
    "time": "12:00",
    "timetz": "12:00",
}
#: For constants that a statement casts, where no column tells more.
OF_CAST = {
    **OF_TYPE,
    **dict.fromkeys(("date", "timestamp", "timestamptz"), OF_CATEGORY["D"]),
    **dict.fromkeys(("inet", "cidr"), OF_CATEGORY["I"]),
    "interval": OF_CATEGORY["T"],
    "bytea": "",
}
ANYTHING = "1"

Tables = Mapping[TableName, QueriedTable]


def bindings(reading: Reading, tables: Tables, share: float | None, *, bare: bool) -> dict[int, str]:
    """A literal for each mark that is compared with a column.

    ``share`` is how much of its table the statement returns, where that is known. ``bare`` has numbers as
    they are, which fit where a string would be taken for text, and leaves out what is but a guess.
    """
    found: dict[int, str] = {}
    ends = _both_ends(reading.compared)
    for each in reading.compared:
        if each.is_loose and bare:
            continue
        column = tables[each.table].columns[each.term.column]
        if each.kind is Kind.RANGE and not each.term.function:
            is_closed = not each.side or (each.table, each.term.alias, each.term.column) in ends
            wanted = CLOSED_RANGE if is_closed else share or OPEN_RANGE
            values = _range(column, each, wanted, closed=is_closed)
        else:
            values = _equal(column, each)
        endless = itertools.cycle(list(values) or [_unknown(column)])
        for mark, value in zip(each.marks, endless, strict=False):
            is_number = bare and re.fullmatch(r"-?[0-9.]+", value)
            found.setdefault(mark, value if is_number else marks.literal(_of_function(value, each)))
    return found


def _both_ends(compared: Iterable[Compared]) -> set[tuple[TableName, str, str]]:
    sides: dict[tuple[TableName, str, str], set[str]] = {}
    for each in compared:
        if each.kind is Kind.RANGE:
            sides.setdefault((each.table, each.term.alias, each.term.column), set()).add(each.side)
    return {key for key, found in sides.items() if {"<", ">"} <= found}


def _equal(column: Column, compared: Compared) -> Iterator[str]:
    if compared.kind is Kind.PATTERN:
        text = next(iter(typical(column.values)), "abc").replace("%", "").replace("_", "")
        # As long as people type. Whether a % comes before it, is not on record.
        yield text[:5] + "%"
    elif compared.kind is Kind.CONTAINS:
        if column.category == "A":
            elements = [each for each in column.values.common_elements if _is_plain(each)]
            if elements:
                typical_one = elements[len(elements) // 2]
                yield typical_one if compared.in_array else '{"' + typical_one.replace('"', "") + '"}'
    else:
        yield from typical(column.values)


def typical(values: Values) -> Iterator[str]:
    """Values for equalities, the most typical first: around the middle of all rows."""
    bounds = _around_the_middle(values.bounds[1:-1] or values.bounds)
    common = [value for value in values.common_values if _is_plain(value)]
    if sum(values.common_fractions) + values.null_fraction < 0.5 and bounds:
        yield from bounds
        return
    reached = 0.0
    for position, (value, fraction) in enumerate(
        zip(values.common_values, values.common_fractions, strict=False)
    ):
        reached += fraction
        if reached >= (1 - values.null_fraction) / 2 and _is_plain(value):
            yield value
            common = common[position + 1 :] + common[:position]
            break
    yield from common
    yield from bounds


def _around_the_middle(bounds: tuple[str, ...]) -> list[str]:
    middle = len(bounds) // 2
    return [each for each in (*bounds[middle:], *bounds[:middle]) if _is_plain(each)]


def _range(column: Column, compared: Compared, share: float, *, closed: bool) -> Iterator[str]:
    """Ends of a range that has this share of the rows."""
    bounds = column.values.bounds or tuple(sorted(column.values.common_values))
    if len(bounds) < 3:
        yield from (each for each in bounds[:1] if _is_plain(each))
        return
    last = len(bounds) - 1
    if closed:
        low = last // 2
        ends = (bounds[low], bounds[min(last, low + max(1, round(share * last)))])
        yield from {"": ends, ">": ends[:1], "<": ends[1:]}[compared.side]
        return
    position = round(last * (1 - share) if compared.side == ">" else last * share)
    yield bounds[min(max(position, 1), last - 1)]


def _unknown(column: Column) -> str:
    return OF_TYPE.get(column.type) or OF_CATEGORY.get(column.category) or ANYTHING


def _of_function(value: str, compared: Compared) -> str:
    if compared.term.function == "lower":
        return value.lower()
    if compared.term.function == "upper":
        return value.upper()
    return value


def _is_plain(value: str) -> bool:
    """Whether it can go into a statement without a second thought: see `grammar.parse`."""
    return len(value) <= 200 and ";" not in value and "\\" not in value and "\0" not in value
