"""Which findings an edit of the models mends, and which edit: what a migration can be written for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django_dbaudit.analysis import index_entry
from django_dbaudit.analysis.correspondence import Correspondence, Lacking
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.analysis.declared_columns import Columns
from django_dbaudit.analysis.difference import differences
from django_dbaudit.analysis.edits import (
    AddEntry,
    AddProposed,
    DropUndeclared,
    Edit,
    LeftOut,
    RemoveConstraint,
    RemoveEntry,
    Restore,
    UnindexField,
)
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.postgres.plans import Candidate
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.project.migrations import MigrationIndexes
from django_dbaudit.project.schema import DeclaredColumn, DeclaredIndex, DeclaredIndexes

DROPS = frozenset(
    {"unused-index", "duplicate-index", "redundant-index", "low-selectivity-index", "rarely-used-index"}
)
PARTIAL = "null-heavy-index"
UNINDEXED = "unindexed-foreign-key"
MISSING = "index-missing-from-database"
PROPOSED = "missing-index"

#: Kinds that a field asks for with its own index and, if it is text, the ``_like`` companion.
OF_FIELD = frozenset({"db_index", "foreign_key", "like"})


def plan(
    app: str,
    findings: Iterable[Finding],
    indexes: Indexes,
    tables: Tables,
    declared: DeclaredIndexes,
    migrations: MigrationIndexes,
    candidates: Iterable[Candidate] = (),
) -> list[Edit | LeftOut]:
    """What to do about the findings on one app's models; informations ask for nothing.

    ``candidates`` are the indexes that were thought up for statements on record.
    """
    planner = _Planner(app, indexes, tables, declared, migrations, candidates)
    urgent = [each for each in findings if each.severity > Severity.INFO]
    # Additions first, so that nothing goes before what takes its place has come.
    # Once each: two foreign keys on one column want the same index.
    return list(dict.fromkeys([*planner.additions(urgent), *planner.removals(urgent)]))


class _Planner:
    def __init__(
        self,
        app: str,
        indexes: Indexes,
        tables: Tables,
        declared: DeclaredIndexes,
        migrations: MigrationIndexes,
        candidates: Iterable[Candidate],
    ) -> None:
        self._prefix = f"{app}."
        self._indexes = indexes.items
        self._declarations = Declarations(declared)
        self._columns = Columns(declared)
        correspondence = Correspondence(declared, self._declarations, self._columns, indexes, tables)
        self._fields = index_entry.fields_of(declared)
        self._candidates: Mapping[tuple[str, ...], Candidate] = {
            index_entry.identity(each): each for each in candidates
        }
        self._managed = set(declared.tables)
        self._made = {each.name: each for each in migrations.items}
        self._tables = {each.qualified_name: each for each in tables.items}
        self._lacking = {
            (each.table.qualified_name, each.declared.names[0]): each for each in correspondence.lacking
        }

    def additions(self, findings: Iterable[Finding]) -> Iterator[Edit | LeftOut]:
        for finding in findings:
            table = self._tables.get(finding.subject.table or "")
            if table is None:
                continue
            name = finding.subject.name.removeprefix(f"{table.qualified_name}.")
            if finding.name == UNINDEXED:
                yield from self._for_foreign_key(finding, table.schema, table.name, name)
            elif finding.name == MISSING and finding.subject.kind == "index":
                name = finding.subject.name.removeprefix(f"{table.schema}.")
                yield from self._restored(self._lacking.get((table.qualified_name, name)))
            elif finding.name == PROPOSED:
                yield from self._proposed(self._candidates.get(finding.identity))

    def _proposed(self, candidate: Candidate | None) -> Iterator[AddProposed]:
        column = index_entry.owner(candidate, self._fields) if candidate else None
        # Of a table that no model stands for, the fix of the finding is SQL, and nobody's migration.
        if candidate and column and self._is_ours(column):
            yield AddProposed(candidate, column)

    def _for_foreign_key(
        self, finding: Finding, schema: str, table: str, columns: str
    ) -> Iterator[Edit | LeftOut]:
        made_by = self._columns.of(schema, table, columns)
        if made_by is None:
            model = self._columns.of_table(schema, table)
            if model and self._is_ours(model):
                yield LeftOut(finding.subject.name, "no field makes this foreign key: see its fix")
        elif self._is_ours(made_by):
            key = f"{schema}.{table}"
            lacking = [
                each
                for (where, _), each in self._lacking.items()
                if where == key and each.declared.columns == (columns,) and each.declared.kind != "like"
            ]
            if lacking:
                yield from self._restored(lacking[0])
            elif finding.fix is None or finding.fix.kind != "migration":
                yield LeftOut(finding.subject.name, finding.fix.text if finding.fix else "see its page")
            else:
                yield AddEntry(made_by, self._tables[key].is_partitioned)

    def _restored(self, lacking: Lacking | None) -> Iterator[Edit | LeftOut]:
        if lacking is None or not self._is_ours(lacking.declared):
            return
        name, declared = f"{lacking.table.schema}.{lacking.declared.names[0]}", lacking.declared
        if lacking.instead is not None:
            has = ", ".join(lacking.differences)
            yield LeftOut(name, f"the database has {lacking.instead.name} {has}: decide which is right")
        elif declared.is_unique or declared.kind not in {*OF_FIELD, "meta_index"}:
            yield LeftOut(name, "it promises that values are unique, which rows may have broken by now")
        else:
            yield Restore(lacking)

    def removals(self, findings: Sequence[Finding]) -> Iterator[Edit | LeftOut]:
        going = {each.subject.name for each in findings if each.name in DROPS}
        # Related is the other index of the same text field, if it is full of NULLs too.
        partial = {
            each
            for finding in findings
            if finding.name == PARTIAL
            for each in (finding.subject.name, *[other.name for other in finding.related])
        } - going
        # One for all copies of a table in several schemas, and for both indexes of a text field.
        groups: dict[object, list[tuple[Index, DeclaredIndex | None]]] = defaultdict(list)
        for index in self._indexes:
            declared = self._declarations.of(index)
            of_field = declared is not None and declared.kind in OF_FIELD
            key = (declared.model, declared.field) if declared and of_field else declared or index.oid
            groups[key].append((index, declared))
        for group in groups.values():
            wanted = [index for index, _ in group if index.qualified_name in going | partial]
            if wanted and self._concerns(wanted[0], group[0][1]):
                yield self._removal(group, wanted, partial)

    def _concerns(self, index: Index, declared: DeclaredIndex | None) -> bool:
        if declared is not None:
            return self._is_ours(declared)
        model = self._columns.of_table(index.schema, index.table)
        is_managed = index.table in self._managed or index.qualified_table in self._managed
        return model is not None and model.model.startswith(self._prefix) and is_managed

    def _is_ours(self, declared: DeclaredIndex | DeclaredColumn) -> bool:
        return declared.model.startswith(self._prefix) and not declared.is_third_party

    def _removal(
        self,
        group: Sequence[tuple[Index, DeclaredIndex | None]],
        wanted: Sequence[Index],
        partial: set[str],
    ) -> Edit | LeftOut:
        index, declared = wanted[0], group[0][1]
        name = index.qualified_name
        if not all(each.is_deparsed for each in wanted):
            return LeftOut(name, "its table is locked, so that nobody knows its definition: try again")
        if declared is None:
            return self._undeclared(index)
        if not _are_alike(group, {each.oid for each in wanted}):
            return LeftOut(name, "the same table in another schema still needs its own")
        if not declared.is_managed:
            return LeftOut(name, f"migrations leave the table of {declared.model} alone on this database")
        if declared.kind == "meta_index":
            return self._entry(declared, index, is_partial=name in partial)
        if declared.kind == "constraint" and index.constraints:
            return RemoveConstraint(declared, index)
        if declared.kind in OF_FIELD and declared.beside not in ("unique", "primary_key"):
            of_table = [each for each, _ in group if each.table_oid == index.table_oid]
            return _unindexed(declared, of_table, {each.oid for each in wanted}, partial)
        return LeftOut(name, f"{declared.source} asks for it, and not by db_index: see its fix")

    def _entry(self, declared: DeclaredIndex, index: Index, *, is_partial: bool) -> RemoveEntry:
        first = self._columns.of(index.schema, index.table, index.columns[0])
        drift = differences(index, declared, self._columns.names(index.schema, index.table))
        not_null = first.field if is_partial and first else None
        return RemoveEntry(declared, index, not_null, is_drifted=bool(drift))

    def _undeclared(self, index: Index) -> Edit | LeftOut:
        if index.constraints:
            return LeftOut(index.qualified_name, "a constraint that no model declares: see its fix")
        model = self._columns.of_table(index.schema, index.table)
        return DropUndeclared(index, model.model if model else "", self._made.get(index.name))


def _are_alike(group: Sequence[tuple[Index, DeclaredIndex | None]], going: set[int]) -> bool:
    """Whether what goes in one schema goes in each that has a copy of the table."""
    fates: dict[int, set[tuple[str | None, bool]]] = defaultdict(set)
    for index, declared in group:
        fates[index.table_oid].add((declared.kind if declared else None, index.oid in going))
    return len({frozenset(each) for each in fates.values()}) == 1


def _unindexed(
    declared: DeclaredIndex, indexes: Sequence[Index], going: set[int], partial: set[str]
) -> UnindexField:
    gone = tuple(each for each in indexes if each.oid in going)
    return UnindexField(
        declared,
        going=gone,
        staying=tuple(each for each in indexes if each.oid not in going),
        partial=tuple(each for each in gone if each.qualified_name in partial),
    )
