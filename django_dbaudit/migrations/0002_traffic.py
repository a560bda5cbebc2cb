"""Tables for the traffic that the middleware records."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("django_dbaudit", "0001_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecordedView",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("identity", models.UUIDField()),
                ("day", models.DateField(db_index=True)),
                ("key", models.JSONField()),
                ("requests", models.BigIntegerField()),
                ("failed_requests", models.BigIntegerField()),
                ("executions", models.BigIntegerField()),
                ("most_executions", models.BigIntegerField()),
                ("writes", models.BigIntegerField()),
                ("microseconds", models.BigIntegerField()),
                ("slowest_microseconds", models.BigIntegerField()),
                ("query_microseconds", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "recorded view",
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RecordedQuerySet",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("identity", models.UUIDField()),
                ("day", models.DateField(db_index=True)),
                ("key", models.JSONField()),
                ("requests", models.BigIntegerField()),
                ("built", models.BigIntegerField()),
                ("executions", models.BigIntegerField()),
                ("most_executions", models.BigIntegerField()),
                ("repeats", models.BigIntegerField()),
                ("fetched", models.BigIntegerField()),
                ("unread", models.BigIntegerField()),
                (
                    "view",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="django_dbaudit.recordedview",
                    ),
                ),
            ],
            options={
                "verbose_name": "recorded queryset",
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RecordedQuery",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("identity", models.UUIDField()),
                ("day", models.DateField(db_index=True)),
                ("key", models.JSONField()),
                ("requests", models.BigIntegerField()),
                ("requests_with_2", models.BigIntegerField()),
                ("requests_with_3", models.BigIntegerField()),
                ("requests_with_5", models.BigIntegerField()),
                ("requests_with_10", models.BigIntegerField()),
                ("executions", models.BigIntegerField()),
                ("querysets", models.BigIntegerField()),
                ("most_executions", models.BigIntegerField()),
                ("duplicates", models.BigIntegerField()),
                ("rows", models.BigIntegerField()),
                ("most_rows", models.BigIntegerField()),
                ("microseconds", models.BigIntegerField()),
                ("slowest_microseconds", models.BigIntegerField()),
                ("failures", models.BigIntegerField()),
                (
                    "view",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="django_dbaudit.recordedview",
                    ),
                ),
            ],
            options={
                "verbose_name": "recorded query",
                "verbose_name_plural": "recorded queries",
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RecordedEagerLoad",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("identity", models.UUIDField()),
                ("day", models.DateField(db_index=True)),
                ("key", models.JSONField()),
                ("requests", models.BigIntegerField()),
                ("loads", models.BigIntegerField()),
                ("reads", models.BigIntegerField()),
                (
                    "view",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="django_dbaudit.recordedview",
                    ),
                ),
            ],
            options={
                "verbose_name": "recorded eager load",
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RecordedCommit",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("identity", models.UUIDField()),
                ("day", models.DateField(db_index=True)),
                ("key", models.JSONField()),
                ("requests", models.BigIntegerField()),
                ("most_units", models.BigIntegerField()),
                ("rolled_back", models.BigIntegerField()),
                ("failed_requests", models.BigIntegerField()),
                (
                    "view",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="django_dbaudit.recordedview",
                    ),
                ),
            ],
            options={
                "verbose_name": "recorded commit",
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
    ]
