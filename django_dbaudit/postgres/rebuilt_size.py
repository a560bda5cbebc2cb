"""How large an index would be if it were built anew: measured where it was read, else estimated.

Note [Two bounds]
ANALYZE looks at a sample, so the number of values, and with it what deduplication saves, may be far
off; and it does not know how long the values are that lie out of line. So an estimate has two ends: at
``least`` as the statistics have it, at ``most`` as they might err. A fresh index is never larger than
``most``, which is how a rule that says "bloated" keeps from crying wolf.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from django_dbaudit.postgres.btree_pages import (
    ITEM_POINTER,
    NULLS_HEADER,
    PAGE,
    ROOM,
    TUPLE_HEADER,
    Filling,
    align,
    leaf_pages,
    spare,
    with_upper_levels,
)
from django_dbaudit.postgres.contents import ContentColumn, Contents, LeafPages

#: The longest key that btree takes.
LONGEST_KEY = 2704
#: From this length on a row's long values are kept out of line.
TOAST_THRESHOLD = 2032
#: Share of the rows that may have been written since the last ANALYZE; beyond, its widths say little.
STALE = 0.2


@dataclass(frozen=True, slots=True)
class RebuiltSize:
    """In bytes; equal where the index was measured. See Note [Two bounds]."""

    least: int
    most: int


def of(contents: Contents) -> RebuiltSize | str:
    """The size, or why nobody can tell it."""
    if contents.leaves is not None:
        size = _measured(contents, contents.leaves)
        return RebuiltSize(size, size)
    if contents.access_method != "btree":
        return f"nothing on the server tells how full a {contents.access_method} index is"
    if contents.is_locked:
        return "another session has locked the table"
    if contents.rows is None or (contents.is_partial and contents.entries is None):
        return "run ANALYZE on the table, which was never counted"
    unknown = _unknown(contents)
    if unknown:
        return unknown
    least = _Estimate(contents, is_most=False).size()
    return RebuiltSize(least, max(least, _Estimate(contents, is_most=True).size()))


def _measured(contents: Contents, leaves: LeafPages) -> int:
    # Every page has its high key, which is no entry; of emptied pages it is the better part.
    high_key = (
        0.0 if _unknown(contents) else _Estimate(contents, is_most=False).tuple_bytes() + ITEM_POINTER
    )
    used = leaves.leaf_pages * max(0.0, ROOM * leaves.density - high_key)
    needed = math.ceil(used / (ROOM - spare(contents.fillfactor) - high_key))
    internal = math.ceil(leaves.internal_pages * needed / max(1, leaves.leaf_pages))
    return min(contents.size_bytes, (needed + internal + 1) * PAGE)


def _unknown(contents: Contents) -> str | None:
    """Why the statistics do not do."""
    needed = [each for each in contents.columns if _needs_statistics(each, contents)]
    for column in needed:
        if column.hidden:
            return column.hidden
    if any(not column.is_known for column in needed):
        return "run ANALYZE on the table, which has no statistics on its columns yet"
    varies = any(column.length < 0 for column in needed)
    if varies and contents.written_rows > STALE * (contents.rows or 0):
        return "run ANALYZE on the table, much of which was written since"
    return None


def _needs_statistics(column: ContentColumn, contents: Contents) -> bool:
    return column.length < 0 or column.is_nullable or contents.deduplicates


class _Estimate:
    """One end of the estimate of a btree index."""

    def __init__(self, contents: Contents, *, is_most: bool) -> None:
        self._contents = contents
        self._is_most = is_most
        self._entries = _entries(contents, is_most=is_most)

    def size(self) -> int:
        nulls = self._nulls()
        values = self._entries - nulls
        parts = [Filling(values, min(values, self._keys(values)), self.tuple_bytes())]
        if nulls:
            parts.append(Filling(nulls, 1 if self._contents.deduplicates else nulls, NULLS_HEADER))
        leaves = sum(leaf_pages(part, self._contents.fillfactor) for part in parts)
        leaves += self._longer_keys(parts[0]) / (ROOM - spare(self._contents.fillfactor))
        return with_upper_levels(leaves, parts[0].tuple_bytes) * PAGE

    def _nulls(self) -> float:
        """Entries that are nothing but NULL; those of several columns are not told apart."""
        (column, *more) = self._contents.columns
        # Of a partial index nobody knows the share.
        if more or (self._contents.is_partial and not column.is_expression):
            return 0
        return self._entries * (column.null_fraction or 0)

    def _longer_keys(self, filling: Filling) -> float:
        """Bytes by which keys may be longer than values are: the rare ones may be the longest."""
        if not self._is_most:
            return 0.0
        extra = 0.0
        for column in self._contents.columns:
            if column.length < 0:
                width = self._width(column)
                longest = min(column.longest or LONGEST_KEY, LONGEST_KEY)
                extra += min(
                    (filling.entries - filling.keys) * width, filling.keys * max(0.0, longest - width)
                )
        return extra

    def tuple_bytes(self) -> float:
        columns = self._contents.columns
        alone = len(columns) == 1
        offset, padded = 0.0, 0.0
        for column in columns:
            if column.length >= 0:
                offset = align(offset, column.alignment) + column.length
                continue
            width = self._width(column)
            if width > 126:
                offset = align(offset, column.alignment)
            share = 1.0 if alone or self._is_most else 1 - (column.null_fraction or 0)
            offset += width * share
            # Lengths that differ are rounded up by half a step more than their mean is.
            padded = 3.5
        may_be_null = any(
            column.null_fraction or (column.is_nullable and self._contents.is_partial) for column in columns
        )
        header = (
            NULLS_HEADER
            if may_be_null and (not alone or self._is_partial()) and self._is_most
            else TUPLE_HEADER
        )
        constant = align(header + offset, 8)
        varying = header + offset + padded if padded else constant
        return max(constant, varying) if self._is_most else min(constant, varying)

    def _is_partial(self) -> bool:
        return self._contents.is_partial and self._is_most

    def _width(self, column: ContentColumn) -> float:
        width = float(column.width or 0)
        if not self._is_most:
            return width
        contents, rows = self._contents, max(1.0, float(self._contents.most_rows))
        longest = min(column.longest or LONGEST_KEY, LONGEST_KEY)
        # Values that lie out of line count with the 18 bytes that point to them. What is short enough
        # for all of a row's columns to fit in is never among them.
        if longest > TOAST_THRESHOLD / contents.table_columns:
            width += contents.toast_bytes / rows
        if contents.is_partial and not column.is_expression:
            # The longest values may be just those that the predicate picks out.
            width *= max(1.0, rows / max(1.0, float(contents.entries or 1)))
        return min(width, longest)

    def _keys(self, values: float) -> float:
        if not self._contents.deduplicates:
            return values
        each = [self._distinct(column) for column in self._contents.columns]
        return min(values, math.prod(each)) if self._is_most else max(each)

    def _distinct(self, column: ContentColumn) -> float:
        """How many values a column has, NULL included."""
        contents = self._contents
        rows = max(1.0, _rows(contents, is_most=self._is_most))
        if contents.is_partial and column.is_expression:
            rows = max(1.0, self._entries)
        given = column.distinct or 0.0
        distinct = given if given > 0 else max(1.0, -given * rows)
        if column.null_fraction:
            distinct += 1
        if not self._is_most:
            return distinct
        sample = min(rows, max(1.0, column.sample_rows * self._share_seen(column, rows)))
        return distinct + _unseen(distinct, rows, sample) + contents.written_rows

    def _share_seen(self, column: ContentColumn, rows: float) -> float:
        """Which share of the sampled rows the statistics are of."""
        contents = self._contents
        if not (contents.is_partial and column.is_expression):
            return 1.0
        return rows / max(rows, float(contents.most_rows))


def _unseen(distinct: float, rows: float, sample: float) -> float:
    """How many rows, at most, may have a value of their own that the estimate knows nothing of.

    ANALYZE takes ``distinct = n*d / (n - f + f*n/N)`` for its guess (Haas and Stokes), where of ``n``
    sampled of ``N`` rows there were ``d`` values, ``f`` of them once. With ``f <= d`` this bounds ``f``;
    and what the sample saw once is all that may be rare.
    """
    once = distinct / (sample + distinct * max(0.0, 1 - sample / rows))
    return min(1.0, once) * rows


def _rows(contents: Contents, *, is_most: bool) -> float:
    return float(contents.most_rows if is_most else contents.rows or 0)


def _entries(contents: Contents, *, is_most: bool) -> float:
    if not contents.is_partial:
        return _rows(contents, is_most=is_most)
    entries = float(contents.entries or 0)
    if not is_most:
        return entries
    # ANALYZE counts those of its sample, which are few where the index is small.
    rows = max(1.0, float(contents.most_rows))
    share = min(1.0, min(column.sample_rows for column in contents.columns) / rows)
    if share < 1:
        seen = entries * share
        entries = (seen + 3 * math.sqrt(seen) + 5) / share
    return min(rows, entries + contents.written_rows)
