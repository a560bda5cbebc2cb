"""``indexreport --write-migration``: on a real app, written, edited, applied and rolled back."""

from __future__ import annotations

from pathlib import Path

import pytest

from aliases import alias_like
from parlour import Parlour
from running import command
from scratch import Scratch

CONTRIB = ("django.contrib.contenttypes", "django.contrib.auth")

MODELS = """\
from django.conf import settings
from django.db import models


class Dated(models.Model):
    day = models.DateField(db_index=True)

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["-day"], name="%(class)s_newest")]


class Kind(models.Model):
    name = models.CharField(max_length=20)


class Diary(Dated):
    pass


class Scoop(models.Model):
    kind = models.ForeignKey(Kind, models.CASCADE, db_index=False)
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    code = models.CharField(max_length=20, db_index=True)
    slug = models.SlugField()
    number = models.IntegerField(db_index=True)
    title = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["buyer", "title"], name="scoop_buyer_title"),
            models.Index(fields=["-title"], name="scoop_title", condition=models.Q(number__gt=5)),
        ]
"""


@pytest.fixture
def parlour(scratch: Scratch, tmp_path: Path) -> Parlour:
    project = Parlour(tmp_path, scratch, {"parlour": MODELS, "bare": ""}, contrib=CONTRIB)
    project.run("makemigrations", "parlour")
    project.run("migrate")
    return project


def test_the_migration_goes_with_the_edits_forward_and_back(parlour: Parlour) -> None:
    before = parlour.indexes
    assert len(parlour.subjects()) > 5
    told = parlour.write()
    assert told.startswith("Wrote parlour/migrations/0002_dbaudit_indexes.py.\n")
    for line in (
        "parlour/models.py:23: set db_index=False on parlour.Scoop.buyer",
        "parlour/models.py:24: remove db_index=True from parlour.Scoop.code",
        "parlour/models.py:25: set db_index=False on parlour.Scoop.slug",
        "parlour/models.py:26: remove db_index=True from parlour.Scoop.number",
        "parlour/models.py:32: remove from parlour.Scoop Meta.indexes: models.Index(",
        "parlour/models.py:30: add to parlour.Scoop Meta.indexes: models.Index(fields=['kind'], name=",
        # A base class that this model alone comes from.
        "parlour/models.py:6: remove db_index=True from Dated.day, of parlour.Diary",
        "parlour/models.py:10: remove from Dated Meta.indexes, of parlour.Diary: models.Index(",
    ):
        assert f"  {line}" in told, told
    assert "Left out" not in told

    parlour.follow(told)
    parlour.run("makemigrations", "--check", "--dry-run")
    text = parlour.migration("0002_dbaudit_indexes.py").read_text()
    assert text.count("    atomic = False\n") == 1
    assert "AddIndexConcurrently" in text
    assert "RemoveIndexConcurrently" in text

    parlour.run("migrate")
    gone, come = before.keys() - parlour.indexes.keys(), parlour.indexes.keys() - before.keys()
    assert len(gone) == 9, gone
    assert len(come) == 1
    assert all(len(name) <= 30 for name in come)
    # Nothing is left to find, and the models are as the database is.
    assert parlour.subjects() == []

    parlour.run("migrate", "parlour", "0001")
    assert parlour.indexes == before
    parlour.run("migrate")


def test_a_partitioned_table_gets_nothing_concurrent(parlour: Parlour) -> None:
    """Its foreign keys come in two copies, which want one index together."""
    definitions = [
        definition
        for name, (definition, _) in parlour.indexes.items()
        if name.startswith(("parlour_scoop_", "scoop_")) and not name.endswith("_pkey")
    ]
    parlour.scratch.run(
        "ALTER TABLE parlour_scoop RENAME TO plain",
        "CREATE TABLE parlour_scoop (LIKE plain INCLUDING DEFAULTS INCLUDING IDENTITY, PRIMARY KEY (id),"
        " FOREIGN KEY (buyer_id) REFERENCES auth_user, FOREIGN KEY (kind_id) REFERENCES parlour_kind,"
        " FOREIGN KEY (kind_id) REFERENCES parlour_kind)"
        " PARTITION BY RANGE (id)",
        "DROP TABLE plain",
        *definitions,
        "CREATE TABLE part PARTITION OF parlour_scoop FOR VALUES FROM (0) TO (1000)",
    )
    before = parlour.indexes
    told = parlour.write("--table", "parlour_scoop")
    parlour.follow(told)
    parlour.run("makemigrations", "--check", "--dry-run")
    text = parlour.migration("0002_dbaudit_indexes.py").read_text()
    assert "concurrently" not in text.lower()
    # All of it or nothing, where it can be.
    assert "atomic" not in text
    assert text.count("AddIndex(") == 1
    parlour.run("migrate")
    assert "scoop_title" not in parlour.indexes
    parlour.run("migrate", "parlour", "0001")
    assert {name for name in parlour.indexes if not name.startswith("part_")} == {
        name for name in before if not name.startswith("part_")
    }
    # Those of the partitions came back with the whole one, which is valid only with them.
    assert parlour.scratch.run("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid") == []


def test_only_what_is_selected_is_written(parlour: Parlour) -> None:
    told = parlour.write("--select", "redundant-index")
    assert "parlour.Scoop.buyer" in told
    assert "parlour.Scoop.code" not in told


def test_what_a_migration_does_already_is_not_written_twice(parlour: Parlour) -> None:
    parlour.write()
    told = parlour.write()
    assert told.startswith("Nothing to write for parlour: ")
    assert "scoop_title: the migrations do not have it (any more)" in told
    assert parlour.migrations() == ["0001_initial.py", "0002_dbaudit_indexes.py"]


def test_nothing_to_write_is_status_0(parlour: Parlour) -> None:
    assert parlour.write("--select", "invalid-index").startswith("Nothing to write for parlour: ")
    assert parlour.migrations() == ["0001_initial.py"]


def test_what_the_baseline_knows_is_left_alone(parlour: Parlour, tmp_path: Path) -> None:
    parlour.run("indexreport", "--write-baseline", tmp_path / "known.json")
    told = parlour.write("--baseline", tmp_path / "known.json")
    assert told.startswith("Nothing to write for parlour: ")


def test_a_file_is_never_overwritten(parlour: Parlour) -> None:
    """The number after the last migration's may be taken by one that comes before it."""
    taken, first = (parlour.migration(each) for each in ("0002_dbaudit_indexes.py", "0001_initial.py"))
    text = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    pass\n"
    taken.write_text(text)
    start = "dependencies = [\n"
    first.write_text(
        first.read_text().replace(start, f"{start}        ('parlour', '0002_dbaudit_indexes'),\n")
    )
    message = parlour.write(status=2)
    assert f"{taken} exists, and is not overwritten" in message
    assert taken.read_text() == text


def test_an_app_without_migrations_is_refused(parlour: Parlour) -> None:
    message = parlour.run("indexreport", "--write-migration", "bare", status=2)
    assert "The app 'bare' has no migrations to add to: run manage.py makemigrations bare." in message


def test_migrations_with_two_ends_are_refused(parlour: Parlour) -> None:
    for name in ("0002_one", "0002_other"):
        parlour.migration(f"{name}.py").write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("parlour", "0001_initial")]\n'
        )
    assert "run manage.py makemigrations --merge" in parlour.write(status=2)


def test_an_unknown_app_names_the_known_ones() -> None:
    result = command("indexreport", "--write-migration", "parlor")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("Unknown app: 'parlor'. INSTALLED_APPS has: admin, ")


def test_several_databases_are_refused(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (id bigint PRIMARY KEY)")
    with alias_like(scratch.alias) as other:
        result = command(
            "indexreport",
            "--write-migration",
            "flavors",
            "--database",
            scratch.alias,
            "--database",
            other,
            "--select",
            "IDX002",
        )
    assert (result.status, result.out) == (2, "")
    assert f"choose it with --database: {scratch.alias}, {other}." in result.err


def test_a_database_that_cannot_be_looked_at_is_said(scratch: Scratch) -> None:
    result = command("indexreport", "--write-migration", "flavors", "--database", scratch.alias)
    assert (result.status, result.out) == (2, "")
    assert "the database has no tables" in result.err
