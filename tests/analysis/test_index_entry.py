"""What is printed for ``Meta.indexes`` makes the very index that was meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.apps.registry import Apps
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import connections, models
from django.db.models.functions import Cast, Lower, Trunc, Upper
from django.test.utils import override_settings

from django_dbaudit.analysis import index_entry
from django_dbaudit.analysis.served import is_served
from django_dbaudit.finding import Location
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.plans import Candidate, CandidateKey, Restriction
from django_dbaudit.project.schema import DeclaredColumn
from scratch import Scratch

#: What the printed text may name.
NAMES: Mapping[str, Any] = {
    "models": models,
    "GinIndex": GinIndex,
    "OpClass": OpClass,
    "Cast": Cast,
    "Lower": Lower,
    "Trunc": Trunc,
    "Upper": Upper,
}
TABLE = (
    "CREATE TABLE oddities_entry (id bigserial PRIMARY KEY, "
    "title varchar(50), body text, day timestamp, is_on boolean NOT NULL, owner_id int, tags int[])"
)
KEY = CandidateKey


def model() -> type[models.Model]:
    class Entry(models.Model):  # noqa: DJ008  # it has no rows
        title = models.CharField(max_length=50, null=True)  # noqa: DJ001  # as the table has it
        body = models.TextField(null=True)  # noqa: DJ001  # as above
        day = models.DateTimeField(null=True)
        is_on = models.BooleanField()
        owner = models.IntegerField(null=True, db_column="owner_id")
        tags = models.JSONField(null=True)

        class Meta:
            app_label = "oddities"
            db_table = "oddities_entry"
            apps = Apps()

    return Entry


def field(column: str, **changes: Any) -> DeclaredColumn:
    plain = DeclaredColumn(
        table="oddities_entry",
        column=column,
        model="oddities.Entry",
        field=column.removesuffix("_id"),
        is_third_party=False,
        location=Location("oddities/models.py", 7),
    )
    return replace(plain, **changes)


FIELDS = {
    ("oddities_entry", name): field(name) for name in ("title", "body", "day", "is_on", "owner_id", "tags")
}


def candidate(*keys: CandidateKey, method: str = "btree", **changes: Any) -> Candidate:
    return Candidate(
        schema="public",
        table="oddities_entry",
        table_oid=0,
        is_partitioned=False,
        access_method=method,
        keys=keys,
        **changes,
    )


CASES = (
    candidate(KEY("owner_id")),
    candidate(KEY("owner_id"), KEY("day", descending=True)),
    candidate(KEY("owner_id"), KEY("day", descending=True, nulls_moved=True)),
    candidate(KEY("day", nulls_moved=True)),
    candidate(KEY("title", "upper")),
    candidate(KEY("title", "lower"), KEY("owner_id")),
    candidate(KEY("day", "date")),
    candidate(KEY("day", "date_trunc:day")),
    candidate(KEY("title", opclass="varchar_pattern_ops"), serves_prefixes_only=True),
    candidate(KEY("body", "upper", "text_pattern_ops")),
    candidate(KEY("tags"), method="gin"),
    candidate(KEY("day"), predicate=(Restriction("is_on", "true"),)),
    candidate(KEY("day"), predicate=(Restriction("is_on", "false"),)),
    candidate(KEY("owner_id"), predicate=(Restriction("day", "null"), Restriction("title", "not null"))),
)


@pytest.mark.parametrize("wanted", CASES, ids=lambda each: each.target)
def test_the_entry_makes_the_index_and_the_index_serves(scratch: Scratch, wanted: Candidate) -> None:
    scratch.run(TABLE)
    text = index_entry.entry(wanted, FIELDS, index_entry.name_of(wanted, ()))
    index = eval(text, dict(NAMES))
    assert len(index.name) <= 30
    # Only then is a time in the database one without a zone.
    with override_settings(USE_TZ=False), connections[scratch.alias].schema_editor() as editor:
        editor.add_index(model(), index)
    found: Indexes = scratch.fact(Indexes)
    here = {each.name: each for each in found.items}[index.name]
    assert is_served(replace(wanted, table_oid=here.table_oid), found.items)


@pytest.mark.parametrize("wanted", CASES, ids=lambda each: each.target)
def test_the_statement_makes_it_too(scratch: Scratch, wanted: Candidate) -> None:
    scratch.run(TABLE, index_entry.statement(wanted, "made"))
    found: Indexes = scratch.fact(Indexes)
    here = {each.name: each for each in found.items}["made"]
    assert is_served(replace(wanted, table_oid=here.table_oid), found.items)


def test_the_migration_brings_its_imports_and_is_concurrent() -> None:
    fix = index_entry.fix(candidate(KEY("title", "upper")), FIELDS, ())
    entry = 'models.Index(Upper("title"), name="oddities_entry_title_upper_idx")'
    assert fix.kind == "migration"
    assert fix.text == (
        f"Put this into Meta.indexes of oddities.Entry:\n{entry}\n"
        "and in a migration of oddities with atomic = False:\n"
        "from django.contrib.postgres.operations import AddIndexConcurrently\n"
        "from django.db.models.functions import Upper\n"
        f'AddIndexConcurrently("entry", {entry})'
    )


def test_a_partitioned_table_is_never_indexed_concurrently() -> None:
    on_root = replace(candidate(KEY("title")), is_partitioned=True)
    assert 'migrations.AddIndex("entry"' in index_entry.fix(on_root, FIELDS, ()).text
    assert "CONCURRENTLY" not in index_entry.fix(on_root, {}, ()).text


def test_a_model_of_others_is_left_to_a_migration_of_ones_own() -> None:
    fields = {key: replace(each, is_third_party=True) for key, each in FIELDS.items()}
    fix = index_entry.fix(candidate(KEY("title")), fields, ())
    assert fix.kind == "text"
    assert "not this project's code" in fix.text
    assert "migrations.RunSQL" in fix.text


def test_a_table_of_no_model_gets_the_statement() -> None:
    fix = index_entry.fix(candidate(KEY("title")), {}, ())
    assert fix.kind == "sql"
    assert fix.text == (
        'CREATE INDEX CONCURRENTLY "oddities_entry_title_idx" ON "public"."oddities_entry" '
        'USING btree ("title");'
    )


def test_a_name_is_never_one_that_there_is() -> None:
    plain = index_entry.name_of(candidate(KEY("title")), ())
    assert index_entry.name_of(candidate(KEY("title")), {plain}) != plain
