"""An index whose keys are the first keys of a wider one, which serves its queries too.

An index on ``(customer, created_at)`` finds all orders of a customer just as one on ``(customer)``
does. Where both exist every write pays for both. Django brings this about by itself: a
``ForeignKey`` has an index of its own, and an entry in ``Meta.indexes`` that begins with the foreign
key makes it redundant.

**What counts.** The keys are the beginning of the wider index's, with equal operator classes,
collations and directions, or with every direction the other way round, because an index can be read
backwards; and the same predicate; what the narrow one has in INCLUDE the wider has somewhere. For
access methods other than btree no prefix counts.

**What is never reported.** A unique index, which a wider one cannot stand in for; an index that a
constraint, a foreign key, replica identity or CLUSTER depends on; an index beside a wider one that is
invalid, partial in another way, or has another collation or operator class.

**When to leave it alone.** The narrow index is smaller, so more of it stays in memory, and a table
read mostly through it may be better off with both. Where the wider index is more than three times
as large the finding is only an information.

**How to fix it.** ``db_index=False`` on the foreign key, or remove the narrow entry from
``Meta.indexes``.

*Source:* `Multicolumn indexes <https://www.postgresql.org/docs/current/indexes-multicolumn.html>`__.
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

#: From this size ratio on, the narrow index may well earn its keep.
MUCH_WIDER = 3

rule = Rule(code="IDX003", severity=Severity.WARNING, since="0.1")


@rule.check
def redundant_index(
    superfluous: SuperfluousIndexes, declarations: Declarations, companions: Companions
) -> Iterator[Finding | NotRun]:
    for found in superfluous.items:
        if not found.is_duplicate:
            yield _finding(found, declarations, companions.of(found.index))


def _finding(found: Superfluous, declarations: Declarations, companion: Index | None) -> Finding:
    index, kept = found.index, found.kept
    declared = declarations.of(index)
    ratio = kept.size_bytes / index.size_bytes if index.size_bytes else 1.0
    much_wider = ratio > MUCH_WIDER
    wider = f", though {ratio:.1f} times as large" if much_wider else ""
    return rule.finding(
        declaration.subject(index),
        f"{index.name} ({words.size(index.size_bytes)}) is the beginning of {kept.name} "
        f"({words.size(kept.size_bytes)}), which serves its queries too{wider}.",
        severity=declaration.severity(declared, Severity.INFO if much_wider else rule.severity),
        evidence={
            "size_bytes": index.size_bytes,
            "kept_size_bytes": kept.size_bytes,
            "size_ratio": round(ratio, 2),
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
