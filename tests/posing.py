"""Hard cases posed as facts: what the server says, but for what a test changes in it."""

from __future__ import annotations

import dataclasses
from typing import Any

from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.finding import Finding
from django_dbaudit.postgres.indexes import Index, IndexKey
from django_dbaudit.rule import get_rule
from scratch import Scratch


def judge(rule: str, scratch: Scratch, *posed: Any, **thresholds: Any) -> audit.Audit:
    """What a rule says of a database, with these facts in the place of those gathered from it."""
    rules = [get_rule(rule)]
    seen = facts.gather([scratch.alias], audit.needed_facts(rules), Config())
    (alias,) = seen.aliases
    known = {**alias.known, **{type(fact): fact for fact in posed}}
    changed = facts.Facts((dataclasses.replace(alias, known=known),))
    return audit.run(rules, changed, Thresholds(**thresholds))


def only(found: audit.Audit) -> Finding:
    """The one finding there is."""
    assert not found.failures, found.failures
    (finding,) = found.findings
    return finding


def a_key(column: str = "a", **attributes: Any) -> IndexKey:
    """A key on a column of numbers, but for these attributes."""
    plain = IndexKey(
        definition=column,
        column=column,
        opclass="pg_catalog.int4_ops",
        opfamily="pg_catalog.integer_ops",
        opclass_options=None,
        collation=None,
        descending=False,
        nulls_first=False,
    )
    return dataclasses.replace(plain, **attributes)


def an_index(**attributes: Any) -> Index:
    """A plain, usable index, but for these attributes."""
    plain = Index(
        oid=1,
        schema="public",
        name="t_a",
        table_oid=1,
        table="t",
        access_method="btree",
        keys=(a_key(),),
        include=(),
        predicate=None,
        storage_parameters=(),
        definition="CREATE INDEX t_a ON public.t USING btree (a)",
        is_unique=False,
        is_primary=False,
        is_exclusion=False,
        is_immediate=True,
        nulls_not_distinct=False,
        is_valid=True,
        is_ready=True,
        is_live=True,
        is_replica_identity=False,
        is_clustered=False,
        is_partitioned=False,
        parent_oid=None,
        constraints=(),
        extension=None,
        on_materialized_view=False,
        is_being_built=False,
        size_bytes=8192,
        size_is_estimate=False,
        scans=0,
        tuples_read=0,
        tuples_fetched=0,
        last_scan=None,
    )
    return dataclasses.replace(plain, **attributes)
