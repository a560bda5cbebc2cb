"""Views by the names that are given on the command line: whole, or their ends."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: More names than these would bury the message.
NAMES_SHOWN = 10


def is_named(name: str, asked: str) -> bool:
    """
    >>> is_named("shop.views.cart", "views.cart"), is_named("shop.Cart#list", "list")
    (True, True)
    >>> is_named("shop.views.cart", "art")
    False
    """
    return name == asked or name.endswith((f".{asked}", f"#{asked}"))


def meant(asked: str, known: Iterable[str], otherwise: str) -> str:
    """Which of the known names may be meant, or some of them; ``otherwise`` if there is none at all."""
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(asked, names, NAMES_SHOWN, 0.5) or names[:NAMES_SHOWN]
    return f"Did you mean: {', '.join(near)}?" if near else otherwise
