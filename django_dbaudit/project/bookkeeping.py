"""The indexes of tables that Django keeps for itself, without a model."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from django_dbaudit.project.naming import as_kept, bare
from django_dbaudit.project.schema import DeclaredIndex


def read() -> Iterator[DeclaredIndex]:
    """Tables that Django keeps for itself, without a model in the registry."""
    yield _index("django_migrations", "id", "pkey", "the migration recorder")
    for cache in settings.CACHES.values():
        if cache.get("BACKEND", "").endswith("DatabaseCache"):
            table = str(cache.get("LOCATION", ""))
            yield _index(table, "cache_key", "pkey", f"createcachetable {table}")
            yield _index(table, "expires", "expires", f"createcachetable {table}")


def _index(table: str, column: str, suffix: str, source: str) -> DeclaredIndex:
    return DeclaredIndex(
        table=bare(table),
        names=(as_kept(f"{bare(table)}_{suffix}"),),
        columns=(column,),
        is_unique=suffix == "pkey",
        is_primary=suffix == "pkey",
        kind="primary_key" if suffix == "pkey" else "bookkeeping",
        model=source,
        field=None,
        is_third_party=True,
        location=None,
    )
