"""What lies in the large indexes, and how full those are whose size the statistics cannot explain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db import Error

from django_dbaudit import words
from django_dbaudit.codec import decode
from django_dbaudit.conf import Config
from django_dbaudit.postgres import failure, rebuilt_size
from django_dbaudit.postgres.btree_pages import PAGE
from django_dbaudit.postgres.contents import Contents, LeafPages
from django_dbaudit.postgres.source import Source


@dataclass(frozen=True, slots=True)
class IndexContents:
    """The indexes of one database that are large enough to be called bloated.

    Note [Measuring]
    ``pgstatindex`` reads an index from end to end: it tells exactly, and costs what a sequential scan
    of that size does. So it is asked only of a btree that by the statistics may be bloated, or of which
    they say nothing; those first that have most to win; and of as many as PGSTATTUPLE_MEGABYTES allows.
    It takes ACCESS SHARE, which stands in nobody's way but that of an ALTER, DROP or REINDEX, and the
    statement timeout ends it: then, and where the extension or the right is missing, all is estimated.
    """

    items: tuple[Contents, ...]


def read(source: Source) -> IndexContents:
    smallest = source.config.thresholds.bloated_index_pages * PAGE
    found = list(source.rows("index_contents", {"smallest": smallest}))
    columns = {(row["schema"], each["relation"]) for row in found for each in row["columns"]}
    relations = sorted({relation for _, relation in columns})
    known = list(source.rows("index_statistics", {"relations": relations})) if relations else []
    statistics = {
        (row.pop("schema"), row.pop("relation"), row.pop("name")): row
        for row in known
        if (row["schema"], row["relation"]) in columns
    }
    for row in found:
        for each in row["columns"]:
            each.update(statistics.get((row["schema"], each["relation"], each["name"]), {}))
    return IndexContents(tuple(_measured(source, [decode(Contents, row) for row in found])))


def _measured(source: Source, items: list[Contents]) -> Iterator[Contents]:
    """The same, those measured that are worth it. See Note [Measuring]."""
    doubtful = sorted(
        (each for each in items if _is_doubtful(each, source.config)), key=_most_to_win, reverse=True
    )
    chosen, left_out = _within(doubtful, source.config.pgstattuple_megabytes)
    leaves, reason = _ask(source, chosen) if chosen else ({}, None)
    why = {**left_out, **{each.oid: reason or "it was locked" for each in chosen}}
    for each in items:
        if each.oid in leaves:
            yield replace(each, leaves=leaves[each.oid])
        else:
            yield replace(each, unmeasured=why.get(each.oid))


def _is_doubtful(contents: Contents, config: Config) -> bool:
    return (
        contents.access_method == "btree"
        and not contents.is_locked
        and _most_to_win(contents) >= config.thresholds.bloated_index_share * contents.size_bytes
    )


def _most_to_win(contents: Contents) -> int:
    rebuilt = rebuilt_size.of(contents)
    return contents.size_bytes - (0 if isinstance(rebuilt, str) else rebuilt.least)


def _within(items: Iterable[Contents], megabytes: int) -> tuple[list[Contents], dict[int, str]]:
    """As many as may be read, and why the others may not."""
    left = megabytes * 1024**2
    chosen: list[Contents] = []
    left_out: dict[int, str] = {}
    for each in items:
        if each.size_bytes <= left:
            left -= each.size_bytes
            chosen.append(each)
        else:
            left_out[each.oid] = (
                f"it has {words.size(each.size_bytes)}, and DBAUDIT['PGSTATTUPLE_MEGABYTES'] is {megabytes}"
            )
    return chosen, left_out


def _ask(source: Source, chosen: list[Contents]) -> tuple[dict[int, LeafPages], str | None]:
    """What ``pgstatindex`` says, or why it does not."""
    where: list[dict[str, Any]] = list(source.rows("pgstattuple"))
    if not where:
        return {}, "needs the pgstattuple extension"
    if not where[0]["may_call"]:
        return {}, "needs membership in pg_stat_scan_tables (or pg_monitor) for pgstattuple"
    oids = [each.oid for each in chosen]
    try:
        rows = source.rows("measured_indexes", {"oids": oids}, {"pgstattuple": where[0]["schema"]})
    except Error as error:
        return {}, f"pgstattuple: {failure.explain(error)}"
    return {row.pop("oid"): decode(LeafPages, row) for row in rows}, None
