"""Tables for what indexreport --snapshot records."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="RecordedIndex",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("oid", models.BigIntegerField()),
                ("schema", models.CharField(max_length=255)),
                ("table", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=255)),
                ("definition", models.TextField()),
                ("is_partition", models.BooleanField()),
                ("size_bytes", models.BigIntegerField()),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("last_scan", models.DateTimeField(null=True)),
                ("counted_scans", models.BigIntegerField()),
                ("counted_tuples_read", models.BigIntegerField()),
                ("counted_tuples_fetched", models.BigIntegerField()),
                ("scans", models.BigIntegerField()),
                ("tuples_read", models.BigIntegerField()),
                ("tuples_fetched", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="RecordedDatabase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("cluster", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=255)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("cluster", "name"), name="dbaudit_database_uniq")
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordedDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "index_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("size_bytes", models.BigIntegerField()),
                ("scans", models.BigIntegerField()),
                ("tuples_read", models.BigIntegerField()),
                ("tuples_fetched", models.BigIntegerField()),
                (
                    "index",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="django_dbaudit.recordedindex",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecordedServer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("alias", models.CharField(max_length=255)),
                ("counting_since", models.DateTimeField()),
                ("statistics_reset_at", models.DateTimeField(null=True)),
                ("first_taken_at", models.DateTimeField()),
                ("taken_at", models.DateTimeField()),
                (
                    "database",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="django_dbaudit.recordeddatabase"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="recordedindex",
            name="server",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to="django_dbaudit.recordedserver"
            ),
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("alias", models.CharField(max_length=255)),
                ("day", models.DateField()),
                ("in_recovery", models.BooleanField()),
                ("covered_from", models.DateTimeField()),
                ("taken_at", models.DateTimeField()),
                ("lost_seconds", models.FloatField()),
                (
                    "database",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="django_dbaudit.recordeddatabase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("database", "alias", "day"), name="dbaudit_snapshot_uniq"
                    )
                ],
            },
        ),
    ]
