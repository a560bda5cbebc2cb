"""Names for new entries of ``Meta.indexes``, which may have 30 characters."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence

LENGTH = 30


def index_name(
    table: str, columns: Sequence[str], suffix: str = "idx", taken: Container[str] = frozenset()
) -> str:
    """A name that tells table and columns where there is room; else cut, with a digest, as Django's are.

    >>> index_name("orders_order", ["buyer_id"])
    'orders_order_buyer_id_idx'
    >>> index_name("orders_order", ["buyer_id"], taken={"orders_order_buyer_id_idx"})
    'orders_orde_buyer_i_3210fd_idx'
    """
    plain = "_".join([table, *columns, suffix])
    name = plain if len(plain) <= LENGTH and plain not in taken else _with_digest(table, columns, suffix)
    # Django refuses names that begin so: Oracle does.
    return f"D{name[1:]}" if name[0] == "_" or name[0].isdigit() else name


def _with_digest(table: str, columns: Sequence[str], suffix: str) -> str:
    digest = hashlib.md5("\0".join([table, *columns, suffix]).encode(), usedforsecurity=False).hexdigest()
    end = f"_{digest[:6]}_{suffix}"
    column = columns[0][:7]
    return f"{table[: LENGTH - len(end) - len(column) - 1]}_{column}{end}"
