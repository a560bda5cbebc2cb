"""Conditions as Django sends them and as a real server writes them: the same is the same, whatever else."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from decimal import Decimal

import pytest
from django.db import connections, models
from django.db.models import F, Q
from django.db.models.functions import Abs, Coalesce, Length, Lower, Upper

from django_dbaudit.analysis import sql_text
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.project import structure
from oddities.models import Compared
from scratch import Scratch

NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.timezone.utc)

#: Whatever the other says, each of these surely differs from each other one.
TOLD_APART = {
    "number": Q(number=5),
    "another number": Q(number=6),
    "a negative one": Q(number__gt=-7),
    "several": Q(number__in=[1, 2]),
    "another column": Q(other=5),
    "two columns": Q(number=5, other=5),
    "text": Q(text="open"),
    "another text": Q(text='it\'s "open" :: x'),
    "texts": Q(text__in=["open", "late"]),
    "a beginning": Q(text__startswith="open"),
    "null": Q(number=None),
    "not null": Q(number__isnull=False),
    "a fraction": Q(price__gte=Decimal("1.50")),
    "columns": Q(number__gt=F("other")),
    "flag": Q(flag=True),
    "a range": Q(number__range=(3, 4)),
}
#: Of these it cannot be told what they say, so that they differ from nothing on the same columns.
NOT_TOLD = {
    "no flag": Q(flag=False),
    "not": ~Q(number=5),
    "not of a nullable": ~Q(other=5) & Q(flag=True),
    "a moment": Q(moment__lt=NOON),
    "a day": Q(moment__date=NOON.date()),
    "a year": Q(moment__year=2026),
    "identity": Q(key=uuid.UUID(int=5)),
    "document": Q(document__a="b"),
    "regex": Q(text__regex=r"^a\d+'\\\\"),
    "either": Q(number=5) | Q(text="open"),
    "float": Q(measure__gt=1e20),
}

EXPRESSIONS = {
    "lower": Lower("text"),
    "upper": Upper("text"),
    "length": Length("text"),
    "absolute": Abs("number"),
    "sum": F("number") + F("other"),
    "coalesce": Coalesce("number", 0),
    "coalesce to one": Coalesce("number", 1),
}


@pytest.fixture
def columns() -> set[str]:
    return {str(each.column) for each in Compared._meta.concrete_fields}


def both_ways(scratch: Scratch, indexes: list[models.Index]) -> dict[str, tuple[str, str]]:
    """For each index what Django sends and what the server makes of it."""
    connection = connections[scratch.alias]
    with connection.schema_editor() as editor:
        editor.create_model(Compared)
        for index in indexes:
            editor.add_index(Compared, index)
        wanted = {each.name: structure.read(each, Compared, editor) for each in indexes}
    pairs = {}
    for index in scratch.fact(Indexes).items:
        found = wanted.get(index.name)
        if found is not None:
            has = index.predicate or index.keys[0].definition
            pairs[index.name] = (found.predicate or found.keys[0].definition, has)
    assert len(pairs) == len(indexes)
    return pairs


def test_what_the_server_made_of_a_condition_is_that_condition(scratch: Scratch, columns: set[str]) -> None:
    conditions = {**TOLD_APART, **NOT_TOLD}
    indexes = [models.Index(fields=["id"], name=name, condition=each) for name, each in conditions.items()]
    pairs = both_ways(scratch, indexes)
    assert [name for name, (wants, has) in pairs.items() if sql_text.differ(wants, has, columns)] == []
    missed = [
        (one, other)
        for one, other in itertools.permutations(TOLD_APART, 2)
        if not sql_text.differ(pairs[one][0], pairs[other][1], columns)
    ]
    assert missed == []


def test_what_the_server_made_of_an_expression_is_that_expression(
    scratch: Scratch, columns: set[str]
) -> None:
    indexes = [models.Index(each, name=name) for name, each in EXPRESSIONS.items()]
    pairs = both_ways(scratch, indexes)
    assert [name for name, (wants, has) in pairs.items() if sql_text.differ(wants, has, columns)] == []
    missed = [
        (one, other)
        for one, other in itertools.permutations(EXPRESSIONS, 2)
        if not sql_text.differ(pairs[one][0], pairs[other][1], columns)
    ]
    assert missed == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('"number" IN (1)', "(number = 1)"),
        ('"number" IN (1, 2)', "((number = 1) OR (number = 2))"),
        ('"number" BETWEEN 1 AND 2', "((number >= 1) AND (number <= 2))"),
        ('"flag"', "(flag = true)"),
        ('NOT ("number" IS NULL)', "(number IS NOT NULL)"),
        ("\"text\" = 'a'", "((text)::text = ANY ('{a}'::text[]))"),
        ('"number" > 5', "(\"number\" > '5'::numeric(6,2))"),
        ("\"moment\" > '2026-01-01'", "(moment > '2026-01-01 00:00:00+00'::timestamp with time zone)"),
        ('EXTRACT(YEAR FROM "moment") = 2026', "(date_part('year'::text, moment) = 2026)"),
        ("\"text\" = E'a\\\\b'", "((text)::text = 'a\\b'::text)"),
    ],
)
def test_other_ways_to_say_the_same_raise_no_alarm(one: str, other: str, columns: set[str]) -> None:
    assert not sql_text.differ(one, other, columns)
    assert not sql_text.differ(other, one, columns)
