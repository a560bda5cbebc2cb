"""One model for each way in which an index comes to be; test_schema.py holds them to the database."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import BrinIndex, GinIndex, GistIndex, HashIndex
from django.db import models
from django.db.models import Deferrable, F, Q
from django.db.models.functions import Lower

LATE = Deferrable.DEFERRED


class Tag(models.Model):
    name = models.CharField(max_length=20, primary_key=True)


class Dated(models.Model):
    created = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["-created"], name="%(class)s_newest")]


class Parent(Dated):
    code = models.CharField(max_length=20, unique=True)
    slug = models.SlugField(db_column="url_part")
    number = models.IntegerField(unique=True)
    above = models.ForeignKey("self", models.CASCADE, null=True)
    twin = models.OneToOneField("self", models.CASCADE, null=True, related_name="+")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="+")
    tags = models.ManyToManyField(Tag, related_name="+")
    friends = models.ManyToManyField("self")
    free = models.ForeignKey(Tag, models.DO_NOTHING, db_index=False, related_name="+")


class Child(Parent):
    extra = models.IntegerField(db_index=True)

    class Meta:
        # Else it would inherit the abstract Meta's index, on a column that is its parent's.
        db_table = "oddities_child"


class ParentProxy(Parent):
    class Meta:
        proxy = True


class Elsewhere(models.Model):
    name = models.CharField(max_length=20, db_index=True)

    class Meta:
        managed = False


class Long(models.Model):
    a_field_whose_name_alone_nearly_fills_what_postgresql_keeps = models.IntegerField(unique=True)
    another_field_whose_name_is_just_about_as_long_as_the_first = models.CharField(
        max_length=10, db_index=True
    )

    class Meta:
        db_table = "a_table_whose_name_nearly_fills_what_postgresql_keeps_of_it"


class Quoted(models.Model):
    value = models.IntegerField(db_index=True, db_column="The Value")

    class Meta:
        db_table = "Odd Table-Name"


class Constrained(models.Model):
    a = models.IntegerField()
    b = models.IntegerField()
    c = models.TextField()
    during = DateTimeRangeField()
    words = ArrayField(models.CharField(max_length=10), db_index=True)

    class Meta:
        unique_together = [("a", "b")]
        indexes = [
            models.Index(fields=["a", "-b"], name="constrained_direction"),
            models.Index(Lower("c"), F("a").desc(), name="constrained_expression"),
            models.Index(fields=["b"], name="constrained_partial", condition=Q(a__gt=0)),
            models.Index(fields=["b"], name="constrained_covering", include=["a"]),
            models.Index(fields=["c"], name="constrained_opclass", opclasses=["text_pattern_ops"]),
            BrinIndex(fields=["a"], name="constrained_brin"),
            GinIndex(fields=["words"], name="constrained_gin"),
            GistIndex(fields=["during"], name="constrained_gist"),
            HashIndex(fields=["c"], name="constrained_hash"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["a", "c"], name="constrained_plain"),
            models.UniqueConstraint(fields=["b", "c"], name="constrained_some", condition=Q(a__gt=0)),
            models.UniqueConstraint(Lower("c"), name="constrained_lower"),
            models.UniqueConstraint(fields=["b", "a"], name="constrained_late", deferrable=LATE),
            models.CheckConstraint(condition=Q(a__gte=0), name="constrained_check"),
            ExclusionConstraint(
                name="constrained_exclusion", expressions=[("during", RangeOperators.OVERLAPS)]
            ),
        ]


class Compared(models.Model):
    """Columns for conditions of every kind; see test_sql_text.py."""

    number = models.IntegerField()
    other = models.IntegerField(null=True)
    text = models.CharField(max_length=20)
    flag = models.BooleanField()
    price = models.DecimalField(max_digits=6, decimal_places=2)
    moment = models.DateTimeField()
    key = models.UUIDField()
    document = models.JSONField()
    measure = models.FloatField()


class Composite(models.Model):
    pk = models.CompositePrimaryKey("left", "right")
    left = models.IntegerField()
    right = models.IntegerField()


class Membership(models.Model):
    tag = models.ForeignKey(Tag, models.CASCADE)
    parent = models.ForeignKey(Parent, models.CASCADE)


class Club(models.Model):
    members = models.ManyToManyField(Parent, through="ClubMember")


class ClubMember(models.Model):
    club = models.ForeignKey(Club, models.CASCADE)
    parent = models.ForeignKey(Parent, models.CASCADE)
