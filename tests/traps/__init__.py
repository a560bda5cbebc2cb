"""The trap schema: ways to be wrong about a database, each with the verdict that is right.

The verdicts come from PostgreSQL's documentation and from trying it out, not from our rules: which
plan gets worse without an index, what the server refuses to drop, what it refuses to insert. Many
traps say how to try (``needed``, ``served``, ``works``, ``refused``), and the tests do, on every
server. ``pytest tests/traps`` judges each trap; ``python tests/traps/score.py`` prints the score.
"""

from __future__ import annotations

from collections.abc import Mapping

from traps import (
    collations,
    duplicates,
    foreign_keys,
    invalid,
    keys,
    names,
    partitions,
    redundancy,
    sequences,
    usage,
    values,
)
from traps.trap import Trap

FAMILIES: Mapping[str, tuple[Trap, ...]] = {
    "duplicates": duplicates.TRAPS,
    "redundant": redundancy.TRAPS,
    "text and collations": collations.TRAPS,
    "names": names.TRAPS,
    "partitions": partitions.TRAPS,
    "use": usage.TRAPS,
    "foreign keys": foreign_keys.TRAPS,
    "invalid": invalid.TRAPS,
    "sequences": sequences.TRAPS,
    "keys of tables": keys.TRAPS,
    "values": values.TRAPS,
}

TRAPS = tuple(trap for family in FAMILIES.values() for trap in family)
