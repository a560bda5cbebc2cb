"""What ``DATABASES`` says of an alias that tells whether it leads to a replica of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections


@dataclass(frozen=True, slots=True)
class DeclaredAlias:
    """The settings of an alias, as far as replication goes."""

    #: ``NAME``: the database, unless a pooler knows it by another name.
    name: str = ""
    #: ``TEST["MIRROR"]``: by Django's own word this alias is a replica of that one.
    mirror: str | None = None
    #: The aliases that are so declared replicas of this one.
    mirrored_by: tuple[str, ...] = ()


def read(alias: str) -> DeclaredAlias:
    return DeclaredAlias(
        name=str(connections.settings[alias].get("NAME") or ""),
        mirror=_mirror(alias),
        mirrored_by=tuple([each for each in connections.settings if _mirror(each) == alias]),
    )


def _mirror(alias: str) -> str | None:
    test: dict[str, Any] = connections.settings[alias].get("TEST") or {}
    mirror = test.get("MIRROR")
    return None if mirror is None else str(mirror)
