"""The trap schema: ways to be wrong about a database, each with the verdict that is right.

The verdicts come from PostgreSQL's documentation and from trying it out, not from our rules: which
plan gets worse without an index, what the server refuses to drop, what it refuses to insert. Many
traps say how to try (``needed``, ``served``, ``works``, ``refused``), and the tests do, on every
server. ``pytest tests/traps`` judges each trap; ``python tests/traps/score.py`` prints the score.
"""

from __future__ import annotations

from collections.abc import Mapping

from traps import (
    access_methods,
    collations,
    constraints,
    duplicates,
    foreign_key_types,
    foreign_keys,
    invalid,
    keys,
    names,
    not_quite_prefixes,
    orders,
    partitioned_keys,
    partitions,
    redundancy,
    sequences,
    unread_and_needed,
    usage,
    values,
)
from traps.trap import Trap

FAMILIES: Mapping[str, tuple[Trap, ...]] = {
    "duplicates": (
        *duplicates.TRAPS,
        *constraints.TRAPS,
        *orders.TRAPS,
        *access_methods.TRAPS,
    ),
    "redundant": (*redundancy.TRAPS, *not_quite_prefixes.TRAPS),
    "text and collations": collations.TRAPS,
    "names": names.TRAPS,
    "partitions": (*partitions.TRAPS, *partitioned_keys.TRAPS),
    "use": (*usage.TRAPS, *unread_and_needed.TRAPS),
    "foreign keys": (*foreign_keys.TRAPS, *foreign_key_types.TRAPS),
    "invalid": invalid.TRAPS,
    "sequences": sequences.TRAPS,
    "keys of tables": keys.TRAPS,
    "values": values.TRAPS,
}

TRAPS = tuple(trap for family in FAMILIES.values() for trap in family)
