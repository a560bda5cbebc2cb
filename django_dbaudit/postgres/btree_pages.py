"""How many pages CREATE INDEX makes of so many entries in a btree."""

from __future__ import annotations

import math
from dataclasses import dataclass

# What pages are made of: src/include/storage/bufpage.h, src/include/access/nbtree.h, nbtsort.c.
PAGE = 8192
#: A btree page less its header and what btree keeps at its end.
ROOM = PAGE - 24 - 16
ITEM_POINTER = 4
TUPLE_HEADER = 8
#: A header with a bitmap of NULLs.
NULLS_HEADER = 16
ROW_POINTER = 6
#: A tenth of a page, less its item pointer: longer than this CREATE INDEX makes no posting list.
LONGEST_POSTING = PAGE // 10 // 8 * 8 - ITEM_POINTER
#: Percent of an internal page that CREATE INDEX fills.
INTERNAL_FILLFACTOR = 70


@dataclass(frozen=True, slots=True)
class Filling:
    """How many entries there are, of how many different keys, each how long."""

    entries: float
    keys: float
    #: Bytes of an index tuple with one row pointer.
    tuple_bytes: float


def spare(fillfactor: int) -> int:
    """Bytes of a page that a rebuild leaves free."""
    return PAGE * (100 - fillfactor) // 100


def leaf_pages(filling: Filling, fillfactor: int) -> float:
    """How many leaves the entries take; parts of a page count."""
    if not filling.entries:
        return 0.0
    item = filling.tuple_bytes + ITEM_POINTER
    total = item * filling.entries
    if filling.keys < filling.entries:
        pieces, total = _postings(filling)
        item = total / pieces
    # CREATE INDEX takes the last entry off a full page, and makes the high key of it, which bounds it.
    room = ROOM - ITEM_POINTER
    fitting = min((room - spare(fillfactor)) // item, (room - 8) // item - 1)
    return total / (item * max(1.0, fitting))


def _postings(filling: Filling) -> tuple[float, float]:
    """How many tuples the entries make, and how many bytes, where equal keys share one."""
    each = filling.entries / filling.keys
    low = math.floor(each)
    pieces_low, bytes_low = _posting(low, filling.tuple_bytes)
    pieces_high, bytes_high = _posting(low + 1, filling.tuple_bytes)
    part = each - low
    return (
        filling.keys * (pieces_low * (1 - part) + pieces_high * part),
        filling.keys * (bytes_low * (1 - part) + bytes_high * part),
    )


def _posting(pointers: int, tuple_bytes: float) -> tuple[int, float]:
    """The same for one key with so many row pointers."""
    longest = max(1, math.floor((LONGEST_POSTING - tuple_bytes) / ROW_POINTER))
    if longest == 1:
        return pointers, pointers * (tuple_bytes + ITEM_POINTER)
    whole, rest = divmod(pointers, longest)
    size = whole * (align(tuple_bytes + longest * ROW_POINTER, 8) + ITEM_POINTER)
    if rest:
        list_bytes = rest * ROW_POINTER if rest > 1 else 0
        size += align(tuple_bytes + list_bytes, 8) + ITEM_POINTER
    return whole + bool(rest), size


def with_upper_levels(leaves: float, tuple_bytes: float) -> int:
    """All pages: the leaves, those above them, and the metapage."""
    fanout = max(2, int(ROOM * INTERNAL_FILLFACTOR / 100 / (tuple_bytes + ITEM_POINTER)))
    level = math.ceil(leaves)
    pages = level
    while level > 1:
        level = math.ceil(level / fanout)
        pages += level
    return pages + 1


def align(size: float, step: int) -> float:
    return math.ceil(size / step) * step
