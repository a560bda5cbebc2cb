"""Tables of ours, in the alias ``DBAUDIT["STORE"]``; all stay empty unless ``--snapshot`` is given.

They are written and read by the SQL in ``store/queries``, over a session of our own: not by these
models, whose part is to have ``migrate`` make the tables. Django asks nothing of PostgreSQL alone
here, so that ``migrate`` works on whatever the other aliases are.
"""

from __future__ import annotations

from django.db import models

#: PostgreSQL keeps 63 bytes of a name unless it was compiled otherwise.
NAME = 255


class RecordedDatabase(models.Model):
    """A database that was looked at, on whatever server of its cluster."""

    #: The system identifier; where nobody may know it, ``alias:`` and the alias.
    cluster = models.CharField(max_length=NAME)
    name = models.CharField(max_length=NAME)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["cluster", "name"], name="dbaudit_database_uniq"),)

    def __str__(self) -> str:
        return f"{self.name} of {self.cluster}"


class RecordedServer(models.Model):
    """One set of counters: a server's, from when it began to count until they were lost."""

    database = models.ForeignKey(RecordedDatabase, models.CASCADE)
    #: Under which it was seen last.
    alias = models.CharField(max_length=NAME)
    counting_since = models.DateTimeField()
    statistics_reset_at = models.DateTimeField(null=True)
    first_taken_at = models.DateTimeField()
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.alias} since {self.counting_since}"


class Snapshot(models.Model):
    """That an alias was looked at on this day, and which time its counters cover."""

    database = models.ForeignKey(RecordedDatabase, models.CASCADE, db_index=False)
    alias = models.CharField(max_length=NAME)
    #: In UTC.
    day = models.DateField()
    in_recovery = models.BooleanField()
    covered_from = models.DateTimeField()
    taken_at = models.DateTimeField()
    #: Of that time, what no counter tells of, because a reset or a crash came before the look.
    lost_seconds = models.FloatField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["database", "alias", "day"], name="dbaudit_snapshot_uniq"),
        )

    def __str__(self) -> str:
        return f"{self.alias} on {self.day}"


class RecordedIndex(models.Model):
    """An index on one server: what its counters said last, and what they add up to."""

    server = models.ForeignKey(RecordedServer, models.CASCADE)
    oid = models.BigIntegerField()
    schema = models.CharField(max_length=NAME)
    table = models.CharField(max_length=NAME)
    name = models.CharField(max_length=NAME)
    definition = models.TextField()
    #: Attached to a partitioned index: such ones come and go with the partitions.
    is_partition = models.BooleanField()
    size_bytes = models.BigIntegerField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    #: Known from PostgreSQL 16 on; before that, when it was first seen to have been read again.
    last_scan = models.DateTimeField(null=True)
    counted_scans = models.BigIntegerField()
    counted_tuples_read = models.BigIntegerField()
    counted_tuples_fetched = models.BigIntegerField()
    #: Of all lives of the counters, as are the next two.
    scans = models.BigIntegerField()
    tuples_read = models.BigIntegerField()
    tuples_fetched = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class RecordedDay(models.Model):
    """The sums of an index on a day: the last look of the day stays."""

    pk = models.CompositePrimaryKey("index_id", "day")
    index = models.ForeignKey(RecordedIndex, models.CASCADE, db_index=False)
    #: In UTC.
    day = models.DateField()
    size_bytes = models.BigIntegerField()
    scans = models.BigIntegerField()
    tuples_read = models.BigIntegerField()
    tuples_fetched = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.index_id} on {self.day}"
