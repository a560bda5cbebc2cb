"""Every index of the user's tables, as ``pg_index`` and the statistics views tell it."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from datetime import datetime

from django_dbaudit.codec import decode
from django_dbaudit.postgres.source import Source

#: Collations in which text sorts by its bytes, as a _pattern_ops operator class sorts it in any.
BYTEWISE = frozenset({"pg_catalog.C", "pg_catalog.POSIX", "pg_catalog.ucs_basic", "pg_catalog.pg_c_utf8"})

#: The operator families that sort so, and those that do in such a collation.
PATTERN_FAMILIES = {
    "pg_catalog.text_pattern_ops": "pg_catalog.text_ops",
    "pg_catalog.bpchar_pattern_ops": "pg_catalog.bpchar_ops",
}


@dataclass(frozen=True, slots=True)
class IndexKey:
    """One key column of an index. ``definition`` is the column or the expression, deparsed."""

    definition: str
    #: Name of the column; None for an expression.
    column: str | None
    #: Schema-qualified, as is the operator family: pg_catalog.varchar_pattern_ops.
    opclass: str
    opfamily: str
    #: Parameters of the operator class, as in gist_trgm_ops(siglen=32).
    opclass_options: str | None
    #: Schema-qualified; None for a type that has no collation.
    collation: str | None
    descending: bool
    nulls_first: bool
    #: The column is declared NOT NULL; an expression never is.
    is_not_null: bool = False
    #: The operator class is the one that the type has by default; None if nobody has asked.
    is_default_opclass: bool | None = None

    @property
    def signature(self) -> tuple[str, str, str | None, str | None]:
        """All that the key orders by, but for the direction.

        The family and not the class: varchar_ops and text_ops are two names of one order.
        """
        family = self.opfamily
        if self.collation in BYTEWISE:
            family = PATTERN_FAMILIES.get(family, family)
        return self.definition, family, self.opclass_options, self.collation

    @property
    def is_pattern(self) -> bool:
        """It knows LIKE 'x%' in any collation, but neither < nor ORDER BY."""
        return self.opfamily in PATTERN_FAMILIES

    @property
    def direction(self) -> tuple[bool, bool]:
        return self.descending, self.nulls_first


@dataclass(frozen=True, slots=True)
class Index:
    """One index; an oid says which relation a name means, since names repeat between schemas."""

    oid: int
    schema: str
    name: str
    table_oid: int
    table: str
    access_method: str
    keys: tuple[IndexKey, ...]
    #: Columns of INCLUDE.
    include: tuple[str, ...]
    #: WHERE of a partial index, deparsed.
    predicate: str | None
    #: WITH, as in fillfactor=70.
    storage_parameters: tuple[str, ...]
    definition: str
    is_unique: bool
    is_primary: bool
    is_exclusion: bool
    #: False for the index of a DEFERRABLE constraint.
    is_immediate: bool
    nulls_not_distinct: bool
    is_valid: bool
    is_ready: bool
    is_live: bool
    is_replica_identity: bool
    is_clustered: bool
    #: Root of a partitioned index, which holds no rows itself.
    is_partitioned: bool
    #: The partitioned index that this one is attached to.
    parent_oid: int | None
    #: Constraints, of this table or of foreign keys to it, that depend on this index.
    constraints: tuple[str, ...]
    #: Extension that owns the index or its table.
    extension: str | None
    on_materialized_view: bool
    #: CREATE INDEX or REINDEX is at work on it now, or DROP INDEX CONCURRENTLY is.
    is_being_built: bool
    size_bytes: int
    #: True where a lock kept us from measuring, and ``size_bytes`` comes from the last ANALYZE.
    size_is_estimate: bool
    scans: int
    tuples_read: int
    tuples_fetched: int
    #: When it was last scanned; known from PostgreSQL 16 on.
    last_scan: datetime | None
    #: How many it has, by the last VACUUM or ANALYZE; None if there was none.
    entries: int | None = None
    #: None where it is the database's own.
    tablespace: str | None = None

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def qualified_table(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def is_usable(self) -> bool:
        """The planner may use it and every write keeps it up."""
        return self.is_valid and self.is_ready and self.is_live

    @property
    def is_deparsed(self) -> bool:
        """While its table is locked, nobody knows an index's expressions, predicate and definition."""
        return self.definition.startswith("CREATE")

    @property
    def columns(self) -> tuple[str | None, ...]:
        """The key columns in order; None stands for an expression."""
        return tuple(key.column for key in self.keys)


@dataclass(frozen=True, slots=True)
class Indexes:
    """The indexes of one database."""

    items: tuple[Index, ...]


def read(source: Source) -> Indexes:
    # Of 20,000 indexes, thousands have the same keys: made once, and held once.
    keys = functools.cache(_keys)
    return Indexes(
        tuple([decode(Index, {**row, "keys": keys(row["keys"])}) for row in source.rows("indexes")])
    )


def _keys(text: str) -> tuple[IndexKey, ...]:
    return decode(tuple[IndexKey, ...], json.loads(text))
