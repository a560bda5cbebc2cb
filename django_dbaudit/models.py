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


class TrafficRecord(models.Model):
    """A sum of one day's traffic, with the fields of the dataclass of ``traffic.facts`` it is named for.

    What tells it from others is in ``key``: the dataclass' key fields, as JSON.
    """

    #: Hash of ``identity`` and ``day``, so that any process knows it without asking.
    id = models.UUIDField(primary_key=True)
    #: Hash of ``key``, and of the view's.
    identity = models.UUIDField()
    #: In UTC.
    day = models.DateField(db_index=True)
    key = models.JSONField()

    class Meta:
        abstract = True
        # Nobody edits what was measured.
        default_permissions = ("view",)


class RecordedView(TrafficRecord):
    """See ``ViewTraffic``."""

    requests = models.BigIntegerField()
    failed_requests = models.BigIntegerField()
    executions = models.BigIntegerField()
    most_executions = models.BigIntegerField()
    writes = models.BigIntegerField()
    microseconds = models.BigIntegerField()
    slowest_microseconds = models.BigIntegerField()
    query_microseconds = models.BigIntegerField()

    class Meta(TrafficRecord.Meta):
        verbose_name = "recorded view"

    def __str__(self) -> str:
        return f"{self.key['method']} {self.key['view']}".strip()


class ViewPart(TrafficRecord):
    """What is recorded of a view besides its own sums."""

    # Written by us alone, after the view and in the same transaction; to have it checked costs a
    # look-up, and a lock, for each row.
    view = models.ForeignKey(RecordedView, models.CASCADE, db_constraint=False, related_name="+")
    requests = models.BigIntegerField()

    class Meta(TrafficRecord.Meta):
        abstract = True


class RecordedQuery(ViewPart):
    """See ``QueryTraffic``."""

    requests_with_2 = models.BigIntegerField()
    requests_with_3 = models.BigIntegerField()
    requests_with_5 = models.BigIntegerField()
    requests_with_10 = models.BigIntegerField()
    executions = models.BigIntegerField()
    querysets = models.BigIntegerField()
    most_executions = models.BigIntegerField()
    duplicates = models.BigIntegerField()
    rows = models.BigIntegerField()
    most_rows = models.BigIntegerField()
    microseconds = models.BigIntegerField()
    slowest_microseconds = models.BigIntegerField()
    failures = models.BigIntegerField()

    class Meta(ViewPart.Meta):
        verbose_name = "recorded query"
        verbose_name_plural = "recorded queries"

    def __str__(self) -> str:
        return str(self.key["fingerprint"])


class RecordedQuerySet(ViewPart):
    """See ``QuerySetTraffic``."""

    built = models.BigIntegerField()
    executions = models.BigIntegerField()
    most_executions = models.BigIntegerField()
    repeats = models.BigIntegerField()
    fetched = models.BigIntegerField()
    unread = models.BigIntegerField()

    class Meta(ViewPart.Meta):
        verbose_name = "recorded queryset"

    def __str__(self) -> str:
        return f"QuerySet of {self.key['model']}"


class RecordedEagerLoad(ViewPart):
    """See ``EagerLoadTraffic``."""

    loads = models.BigIntegerField()
    reads = models.BigIntegerField()

    class Meta(ViewPart.Meta):
        verbose_name = "recorded eager load"

    def __str__(self) -> str:
        return f"{self.key['method']}({self.key['lookup']!r})"


class RecordedCommit(ViewPart):
    """See ``CommitTraffic``."""

    most_units = models.BigIntegerField()
    rolled_back = models.BigIntegerField()
    failed_requests = models.BigIntegerField()

    class Meta(ViewPart.Meta):
        verbose_name = "recorded commit"

    def __str__(self) -> str:
        units = (f"{each['kind']} ({', '.join(each['tables'])})" for each in self.key["units"])
        return " → ".join(units) or "no commit"
