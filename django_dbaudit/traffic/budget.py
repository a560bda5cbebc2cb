"""What caches may hold, in bytes: a number of entries says little where a text may be long."""

from __future__ import annotations

from typing import Any


class Budget:
    """Of caches that are emptied together. What is in use comes again, and soon."""

    __slots__ = ("_caches", "most_bytes", "used_bytes")

    def __init__(self, most_bytes: int, *caches: dict[Any, Any]) -> None:
        self.most_bytes = most_bytes
        self.used_bytes = 0
        self._caches = caches

    def spend(self, size: int) -> None:
        """Account for an entry of about so many bytes, before it is put into a cache."""
        self.used_bytes += size
        if self.used_bytes > self.most_bytes:
            self.clear()
            self.used_bytes = size

    def clear(self) -> None:
        self.used_bytes = 0
        for cache in self._caches:
            cache.clear()
