"""Which requests are recorded, where not all are."""

from __future__ import annotations

import itertools
import random

#: Shares are counted in parts of this, as integers: with floats, rows would overlap or leave gaps.
WHOLE = 1 << 32


class Sample:
    """One request in each row of ``1 / share``, chosen by lot: never more, and never fewer.

    By lot, so that a page that always sends its requests in the same order is seen whole.
    """

    def __init__(self, share: float, seed: int | None = None) -> None:
        self._parts = round(share * WHOLE)
        self._seed = random.getrandbits(32) if seed is None else seed
        # Which thread asks is all the same: each gets a number of its own.
        self._numbers = itertools.count()

    @property
    def takes_all(self) -> bool:
        return self._parts >= WHOLE

    def takes_next(self) -> bool:
        if self._parts <= 0:
            return False
        number = next(self._numbers)
        row = number * self._parts // WHOLE
        first, end = self._begin_of(row), self._begin_of(row + 1)
        return number == first + hash((self._seed, row)) % (end - first)

    def _begin_of(self, row: int) -> int:
        return -(-row * WHOLE // self._parts)
