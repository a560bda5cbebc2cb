"""An index that is largely empty space, which a rebuild would win back.

Where rows were deleted, or updated in ways that are not HOT, VACUUM makes their entries' room free for
new ones. But a btree page is given back only once it is all empty; half-empty ones stay, are read, kept in
memory and backed up, until keys come that belong just there.

**What counts.** A btree index of which a rebuild would win ``BLOATED_INDEX_SHARE`` (45 %) or more, and
at least ``BLOATED_INDEX_PAGES`` pages (128, which is 1 MB). It is an information, and from
``BLOATED_INDEX_WARNING_PAGES`` on (12,800, 100 MB) a warning. Partitions are judged one by one and told
together, under the partitioned index.

**How it is known.** First from what ANALYZE knows: the number of entries, how long the columns are, how
many are NULL, and how many values they have, for equal ones are stored once (deduplication). The index's
own ``fillfactor`` counts, as does the shape that random inserts give, 70 % full, which is no bloat.
ANALYZE takes a sample, so the estimate has two ends; an index is reported only where even the cautious end
says so, and the message says *about*, or gives both.

Where the statistics leave it open, and the `pgstattuple
<https://www.postgresql.org/docs/current/pgstattuple.html>`__ extension is installed and our role may use
it (``pg_monitor`` may), ``pgstatindex`` tells exactly. That reads the whole index, so it is asked of as
many as ``PGSTATTUPLE_MEGABYTES`` allows (512; 0 turns it off), those with most to win first, under the
statement timeout. It takes the lock of a mere SELECT, and reads through a small ring of buffers, which
leaves what others have in memory where it is. Where neither tells, the index is named as *not run*.

**What is never reported.** Fresh indexes; those that ``unused-index``, ``duplicate-index`` or
``redundant-index`` would have dropped; invalid ones and those of extensions. How full GIN, GiST, SP-GiST
and hash indexes are, nothing on the server tells: large ones are named as *not run*. BRIN indexes are too
small to matter.

**When to leave it alone.** When the rows will come back, as in a table that is emptied and filled in turn:
the room will be used again. An index that gets all its entries at the low end, as ``-created`` does, fills
its pages by half and will do so again: an ascending one is read backwards as well. If bloat comes back
soon after a rebuild, look for what holds VACUUM up: a transaction left open (``idle-in-transaction``), a
replication slot that nobody reads, autovacuum settings too mild for the table.

**How to fix it.** ``REINDEX INDEX CONCURRENTLY``, outside a transaction: it lets reads and writes go on,
needs disk for the new index beside the old one, and waits for older transactions to end. If it fails it
leaves an invalid index whose name ends in ``_ccnew`` (``invalid-index``): drop that and try again. The
index of an exclusion constraint cannot be rebuilt so; ``REINDEX INDEX`` alone locks the table against
writes while it runs.

*Source:* `Routine reindexing <https://www.postgresql.org/docs/current/routine-reindex.html>`__, `REINDEX
<https://www.postgresql.org/docs/current/sql-reindex.html>`__, `B-tree deduplication
<https://www.postgresql.org/docs/current/btree.html#BTREE-DEDUPLICATION>`__.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django_dbaudit import words
from django_dbaudit.analysis import declaration
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.leading_columns import sentence
from django_dbaudit.analysis.partitions import IndexTrees
from django_dbaudit.analysis.usage import DroppableIndexes
from django_dbaudit.conf import Thresholds
from django_dbaudit.finding import Finding, Fix, NotRun, Severity
from django_dbaudit.postgres import rebuilt_size
from django_dbaudit.postgres.btree_pages import PAGE
from django_dbaudit.postgres.contents import Contents
from django_dbaudit.postgres.index_contents import IndexContents
from django_dbaudit.postgres.indexes import Index
from django_dbaudit.postgres.rebuilt_size import RebuiltSize
from django_dbaudit.rule import Rule

#: The two ends of an estimate are one number where they lie no further apart, as a share of the index.
ALIKE = 0.05
#: More partitions than these are rebuilt with one statement for the whole.
STATEMENTS = 5

rule = Rule(code="IDX006", severity=Severity.WARNING, since="0.1")


@rule.check
def bloated_index(
    trees: IndexTrees,
    contents: IndexContents,
    droppable: DroppableIndexes,
    declarations: Declarations,
    thresholds: Thresholds,
) -> Iterator[Finding | NotRun]:
    by_oid = {index.oid: index for index in trees.items}
    bloated: dict[int, list[_Part]] = defaultdict(list)
    open_: dict[str, list[str]] = defaultdict(list)
    for each in contents.items:
        index = by_oid.get(each.oid)
        if index is None:
            continue
        root = trees.root(index)
        if root.extension or root.oid in droppable.oids or each.access_method == "brin":
            continue
        judged = _judge(each, thresholds)
        if isinstance(judged, str):
            open_[judged].append(each.qualified_name)
        elif judged is not None:
            bloated[root.oid].append(judged)
    for oid, parts in bloated.items():
        if sum(part.won for part in parts) >= thresholds.bloated_index_pages * PAGE:
            yield _finding(by_oid[oid], parts, by_oid, declarations, thresholds)
    for reason, names in open_.items():
        yield rule.not_run(sentence(names, reason))


@dataclass(frozen=True, slots=True)
class _Part:
    """A bloated index or, of a partitioned one, that of one partition."""

    contents: Contents
    rebuilt: RebuiltSize

    @property
    def won(self) -> int:
        """Bytes that a rebuild surely wins."""
        return self.contents.size_bytes - self.rebuilt.most


def _judge(contents: Contents, thresholds: Thresholds) -> _Part | str | None:
    """What is bloated, why nobody can tell, or None for an index that is as it should be."""
    if contents.size_bytes < thresholds.bloated_index_pages * PAGE:
        return None
    rebuilt = rebuilt_size.of(contents)
    if isinstance(rebuilt, str):
        return rebuilt
    enough = thresholds.bloated_index_share * contents.size_bytes
    if contents.size_bytes - rebuilt.most >= enough:
        return _Part(contents, rebuilt)
    if contents.size_bytes - rebuilt.least >= max(enough, thresholds.bloated_index_pages * PAGE):
        why = contents.unmeasured or "other thresholds held when the facts were saved"
        return f"the statistics leave it open, and pgstatindex was not asked: {why}"
    return None


def _finding(
    index: Index,
    parts: list[_Part],
    by_oid: dict[int, Index],
    declarations: Declarations,
    thresholds: Thresholds,
) -> Finding:
    declared = declarations.of(index)
    size = sum(part.contents.size_bytes for part in parts)
    won = sum(part.won for part in parts)
    is_measured = all(part.contents.leaves for part in parts)
    evidence: dict[str, str | int | float | list[str] | None] = {
        "method": "pgstatindex" if is_measured else "estimate",
        "size_bytes": size,
        "bytes_won": won,
        "share_won": round(won / size, 4),
        "rebuilt_size_bytes": sum(part.rebuilt.most for part in parts),
        "rebuilt_size_at_least_bytes": sum(part.rebuilt.least for part in parts),
        "fillfactor": parts[0].contents.fillfactor,
    }
    if not is_measured:
        evidence["not_measured_because"] = _why_not_measured(parts)
    if index.is_partitioned:
        evidence["partitions"] = [part.contents.qualified_name for part in parts]
    is_warning = won >= thresholds.bloated_index_warning_pages * PAGE
    return rule.finding(
        declaration.subject(index),
        _message(index, parts, size, is_measured=is_measured),
        severity=Severity.WARNING if is_warning else Severity.INFO,
        evidence={
            **evidence,
            "definition": index.definition,
            **declaration.evidence(declared),
        },
        location=declaration.location(declared),
        fix=Fix("sql", "\n".join(_statements(index, [by_oid[part.contents.oid] for part in parts]))),
    )


def _why_not_measured(parts: Iterable[_Part]) -> str | None:
    reasons = (part.contents.unmeasured for part in parts if not part.contents.leaves)
    return next(filter(None, reasons), "the statistics were enough")


def _message(index: Index, parts: list[_Part], size: int, *, is_measured: bool) -> str:
    least = sum(part.won for part in parts)
    most = size - sum(part.rebuilt.least for part in parts)
    number = words.count(len(parts), "partition")
    whole = f"{index.name} on {index.table} ({f'{number}, ' * index.is_partitioned}{words.size(size)})"
    if is_measured:
        how = f"{words.size(least)} ({words.percent(least / size)}) of it, as pgstatindex measured"
    elif most - least <= ALIKE * size:
        how = f"about {words.size(least)} ({words.percent(least / size)}) of it, estimated from statistics"
    else:
        how = (
            f"about {words.size(least)} ({words.percent(least / size)}) to {words.size(most)} "
            f"({words.percent(most / size)}) of it, estimated from statistics"
        )
    return f"{whole} is largely empty: a rebuild would win {how}."


def _statements(index: Index, parts: list[Index]) -> Iterator[str]:
    rebuilt = parts if len(parts) <= STATEMENTS else [index]
    for each in rebuilt:
        # PostgreSQL refuses to rebuild the index of an exclusion constraint concurrently.
        concurrently = "" if each.is_exclusion else "CONCURRENTLY "
        yield f"REINDEX INDEX {concurrently}{words.quote(each.schema, each.name)};"
