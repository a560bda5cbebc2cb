"""A collation sorts differently, perhaps, from when the indexes on text were built.

A btree over text is ordered by rules that the operating system's C library, or ICU, brings along. A new
release of either may order some strings in another way, and PostgreSQL does not rebuild anything: an
index in the old order no longer finds rows that are there, and lets duplicates through a unique
constraint. It comes with an upgrade of the operating system, a new container image, or a replica or
backup on another one. PostgreSQL records the version a collation had, and warns when it is not the same.

**What counts.** The recorded version of a collation that an index sorts by, or of the database's default
collation, against the version at hand. The indexes named are those whose order depends on it.

**What is never reported.** Collations that no index uses; ``C`` and ``POSIX``, which have no version;
indexes that compare bytes or hashes: those with a ``_pattern_ops``, trigram or bloom operator class, hash
and SP-GiST indexes, and full-text search.

**What it cannot see.** PostgreSQL 14 keeps no version of the default collation, and a database that
``pg_upgrade`` brought from there has none recorded: then the rule is *not run* for it. Nor does it follow
a collation inside an expression or a range type. CHECK constraints and the bounds of partitions may
depend on a collation as well, and cannot be rebuilt: look at those yourself.

**When to leave it alone.** A change of version need not change the order: ``amcheck``'s
``bt_index_check`` tells whether an index is still in order, and only where it is may the new version be
recorded without a rebuild.

**How to fix it.** Rebuild the indexes, then record the new version: ``REINDEX INDEX CONCURRENTLY`` and
``ALTER COLLATION … REFRESH VERSION``, or ``ALTER DATABASE … REFRESH COLLATION VERSION``, in this order. A
unique index that holds duplicates by now cannot be rebuilt until they are gone. Where the library at hand
has no version at all, as musl in an Alpine container, PostgreSQL refuses to refresh: dump and restore.

*Source:* `ALTER COLLATION
<https://www.postgresql.org/docs/current/sql-altercollation.html#SQL-ALTERCOLLATION-NOTES>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit import words
from django_dbaudit.finding import Finding, Fix, NotRun, Related, Severity, Subject
from django_dbaudit.postgres.collations import Collation, Collations
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.server import Server
from django_dbaudit.rule import Rule

#: Indexes that are named one by one; more are a number, and rebuilt with the whole database.
NAMED = 20
#: Access methods that keep their entries, or their summaries, in the order of the collation.
ORDERED = frozenset({"btree", "gin", "gist", "brin"})
#: Ends of the names of operator classes that do not ask the collation.
BYTEWISE = ("_pattern_ops", "_trgm_ops", "_bloom_ops")

rule = Rule(code="IDX012", severity=Severity.ERROR, since="0.1", per_server=True)


@rule.check
def collation_version_mismatch(
    collations: Collations, indexes: Indexes, server: Server
) -> Iterator[Finding | NotRun]:
    for collation in collations.items:
        if collation.recorded_version == collation.actual_version:
            continue
        depending = [index for index in indexes.items if _depends(index, collation)]
        if collation.recorded_version is None:
            if collation.is_default and depending:
                yield rule.not_run(_unrecorded(server))
        elif depending or collation.is_default:
            yield _finding(collation, depending, server)


def _depends(index: Index, collation: Collation) -> bool:
    # A partitioned index has no entries; its partitions' indexes have.
    return (
        index.access_method in ORDERED
        and not index.is_partitioned
        and any(
            key.collation == collation.qualified_name and not key.opclass.endswith(BYTEWISE)
            for key in index.keys
        )
    )


def _unrecorded(server: Server) -> str:
    if server.version < 150000:
        why = f"PostgreSQL {server.version // 10000} does not record its version"
    else:
        why = (
            "its version was never recorded (ALTER DATABASE … REFRESH COLLATION VERSION does, "
            "once the indexes are known to be good)"
        )
    return f"only in part: the database's default collation is not judged, {why}"


def _finding(collation: Collation, depending: list[Index], server: Server) -> Finding:
    if collation.is_default:
        subject = Subject("database", server.database)
        what = f"the default collation of {server.database}"
    else:
        subject = Subject("collation", collation.qualified_name)
        what = f"collation {collation.name}"
    consequence = (
        f"{words.count(len(depending), 'index')} may be in the wrong order"
        if depending
        else "no index depends on it"
    )
    return rule.finding(
        subject,
        f"{what[0].upper()}{what[1:]} was recorded with version {collation.recorded_version} of its "
        f"provider ({collation.provider}), which now has {collation.actual_version or 'none'}: "
        f"{consequence}.",
        severity=None if depending else Severity.INFO,
        evidence={
            "provider": collation.provider,
            "recorded_version": collation.recorded_version,
            "actual_version": collation.actual_version,
            "indexes": len(depending),
            "unique_indexes": sum(index.is_unique for index in depending),
            "size_bytes": sum(index.size_bytes for index in depending),
        },
        related=[Related("index", index.qualified_name) for index in depending[:NAMED]],
        fix=_fix(collation, depending, server),
    )


def _fix(collation: Collation, depending: list[Index], server: Server) -> Fix:
    if collation.actual_version is None:
        # PostgreSQL refuses to record that there is no version where there was one.
        return Fix(
            "text",
            "The library that the indexes were built with has versions, and the one at hand has none, as "
            "when a container goes from glibc to musl: go back to the former, or dump and restore.",
        )
    return Fix("sql", "\n".join([*_rebuild(depending, server), _refresh(collation, server)]))


def _rebuild(depending: list[Index], server: Server) -> list[str]:
    if len(depending) > NAMED:
        return [f"REINDEX DATABASE CONCURRENTLY {words.quote(server.database)};"]
    return [
        # PostgreSQL refuses to rebuild the index of an exclusion constraint concurrently.
        f"REINDEX INDEX {'' if index.is_exclusion else 'CONCURRENTLY '}"
        f"{words.quote(index.schema, index.name)};"
        for index in depending
    ]


def _refresh(collation: Collation, server: Server) -> str:
    if collation.is_default:
        return f"ALTER DATABASE {words.quote(server.database)} REFRESH COLLATION VERSION;"
    return f"ALTER COLLATION {words.quote(collation.schema, collation.name)} REFRESH VERSION;"
