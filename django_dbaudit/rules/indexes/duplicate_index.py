"""Two indexes that serve the same queries; every write pays for both.

Two indexes of one table with the same access method, keys, operator classes, collations, directions
and predicate answer the same questions. Both are kept up by every write and both take their place in
memory, but the planner needs only one of them.

**What counts as the same.** Storage parameters such as ``fillfactor`` make no difference. A plain
index beside a unique one with the same keys is a duplicate; so is the mirror of an index (every key
the other way round, NULLs too), because an index can be read backwards. ``varchar_ops`` and ``text_ops``
are one operator class by two names. Where a column is declared with the collation ``C`` the plain index
serves ``LIKE 'x%'`` as well, and a ``_pattern_ops`` one adds nothing; where the whole database happens
to have it, the next one may not, and the companion is left alone.

**What is never reported.** An index with another predicate, operator class (Django's ``_like``
companion has one), collation or access method; an index beside one that is invalid; a unique index
beside one that is not; a unique index beside one that is deferrable or treats NULLs differently; the
index of a constraint, unless the other one belongs to a unique constraint that says the same. Of two
equals the one to keep is that which the table is clustered on, or a constraint or a foreign key
depends on, then the unique one, then the older.

**When to leave it alone.** Hardly ever. While a replacement index is being built concurrently both
exist for a while.

**How to fix it.** Drop the one that is named: remove it from the model and let a migration drop it
with ``RemoveIndexConcurrently``. A field with ``unique=True``, or a ``ForeignKey``, needs no entry in
``Meta.indexes`` of its own, and with ``unique=True`` none in ``Meta.constraints`` either.

*Source:* `Index uniqueness, ordering and operator classes
<https://www.postgresql.org/docs/current/indexes.html>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.analysis import declaration
from django_dbaudit.analysis.declaration import Companions, Declarations
from django_dbaudit.analysis.redundancy import Superfluous, SuperfluousIndexes
from django_dbaudit.finding import Finding, NotRun, Severity
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.rule import Rule

rule = Rule(code="IDX002", severity=Severity.WARNING, since="0.1")


@rule.check
def duplicate_index(
    superfluous: SuperfluousIndexes, declarations: Declarations, companions: Companions
) -> Iterator[Finding | NotRun]:
    for found in superfluous.items:
        if found.is_duplicate:
            yield _finding(found, declarations, companions.of(found.index))


def _finding(found: Superfluous, declarations: Declarations, companion: Index | None) -> Finding:
    index, kept = found.index, found.kept
    declared = declarations.of(index)
    return rule.finding(
        declaration.subject(index),
        f"{index.name} ({words.size(index.size_bytes)}) serves the same queries as {kept.name} "
        f"on {index.table}.",
        severity=declaration.severity(declared, rule.severity),
        evidence={
            "size_bytes": index.size_bytes,
            "scans": index.scans,
            "kept_scans": kept.scans,
            "definition": index.definition,
            "kept_definition": kept.definition,
            **declaration.evidence(declared),
        },
        location=declaration.location(declared),
        related=[declaration.related(kept, declarations)],
        fix=declaration.drop(index, declared, companion),
    )
