"""``indexreport --write-migration``: on a real app, written, edited, applied and rolled back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connections

from aliases import alias_like
from running import command
from scratch import Scratch

SETTINGS = """
import json, os
SECRET_KEY = "x"
DATABASES = {"default": json.loads(os.environ["PARLOUR_DATABASE"])}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_dbaudit", "parlour", "bare"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DBAUDIT = {"THRESHOLDS": {
    "UNUSED_INDEX_DAYS": 0, "UNUSED_INDEX_TABLE_PAGES": 0, "UNINDEXED_FOREIGN_KEY_ROWS": 0,
}}
"""

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

#: What the command says, done.
EDITS = {
    "USER_MODEL, models.CASCADE)": "USER_MODEL, models.CASCADE, db_index=False)",
    "max_length=20, db_index=True": "max_length=20",
    "SlugField()": "SlugField(db_index=False)",
    "number = models.IntegerField(db_index=True)": "number = models.IntegerField()",
    '            models.Index(fields=["-title"], name="scoop_title", '
    "condition=models.Q(number__gt=5)),\n": "",
}


@dataclass
class Parlour:
    """A project of one app, in a directory and a database of its own."""

    directory: Path
    scratch: Scratch

    @property
    def models(self) -> Path:
        return self.directory / "parlour" / "models.py"

    @property
    def migrations(self) -> list[str]:
        return sorted(each.name for each in (self.directory / "parlour" / "migrations").glob("0*.py"))

    @property
    def indexes(self) -> dict[str, str]:
        rows = self.scratch.run("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
        return dict(rows)

    def run(self, *arguments: object, status: int = 0) -> str:
        wanted = connections.settings[self.scratch.alias]
        kept = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
        done = subprocess.run(
            [sys.executable, "-m", "django", *map(str, arguments)],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "parlour_settings",
                "PYTHONPATH": os.pathsep.join([str(self.directory), os.environ.get("PYTHONPATH", "")]),
                "PARLOUR_DATABASE": json.dumps({key: wanted[key] for key in kept if key in wanted}),
            },
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    def write(self, *arguments: object, status: int = 0) -> str:
        return self.run("indexreport", "--write-migration", "parlour", *arguments, status=status)

    def edit(self, edits: dict[str, str]) -> None:
        text = self.models.read_text()
        for before, after in edits.items():
            assert before in text, before
            text = text.replace(before, after)
        self.models.write_text(text)

    def subjects(self, *arguments: object) -> list[str]:
        out = self.run(
            "indexreport", "--format", "json", "--app", "parlour", "--fail-on", "never", *arguments
        )
        findings = json.loads(out)["findings"]
        return [each["subject"]["name"] for each in findings if each["severity"] != "info"]


@pytest.fixture
def parlour(scratch: Scratch, tmp_path: Path) -> Iterator[Parlour]:
    (tmp_path / "parlour_settings.py").write_text(SETTINGS)
    for app in ("parlour", "bare"):
        (tmp_path / app).mkdir()
        (tmp_path / app / "__init__.py").touch()
    (tmp_path / "parlour" / "models.py").write_text(MODELS)
    project = Parlour(tmp_path, scratch)
    project.run("makemigrations", "parlour")
    project.run("migrate")
    yield project


def test_the_migration_goes_with_the_edits_forward_and_back(parlour: Parlour) -> None:
    before = parlour.indexes
    assert len(parlour.subjects()) > len(EDITS)
    told = parlour.write()
    assert told.startswith("Wrote parlour/migrations/0002_dbaudit_indexes.py.\n")
    for line in (
        "parlour/models.py:23: set db_index=False on parlour.Scoop.buyer",
        "parlour/models.py:24: remove db_index=True from parlour.Scoop.code",
        "parlour/models.py:25: set db_index=False on parlour.Scoop.slug",
        "parlour/models.py:26: remove db_index=True from parlour.Scoop.number",
        "parlour/models.py:32: remove from parlour.Scoop Meta.indexes: models.Index(",
        "parlour/models.py:30: add to parlour.Scoop Meta.indexes: models.Index(fields=['kind'], name=",
    ):
        assert f"  {line}" in told, told
    # What a base class declares is not this model's alone.
    assert "parlour.Diary.day: the field comes from a base class" in told
    assert "diary_newest: Meta.indexes comes from Dated" in told

    entry = told.split("add to parlour.Scoop Meta.indexes: ")[1].splitlines()[0]
    parlour.edit({**EDITS, "        indexes = [\n": f"        indexes = [\n            {entry},\n"})
    parlour.run("makemigrations", "--check", "--dry-run")
    text = (parlour.directory / "parlour" / "migrations" / "0002_dbaudit_indexes.py").read_text()
    assert text.count("    atomic = False\n") == 1
    assert "AddIndexConcurrently" in text
    assert "RemoveIndexConcurrently" in text

    parlour.run("migrate")
    gone, come = before.keys() - parlour.indexes.keys(), parlour.indexes.keys() - before.keys()
    assert len(gone) == 7, gone
    assert len(come) == 1
    assert all(len(name) <= 30 for name in come)
    # Only what was left out is found now, and the models are as the database is.
    assert [each for each in parlour.subjects() if "diary" not in each] == []

    parlour.run("migrate", "parlour", "0001")
    assert parlour.indexes == before
    parlour.run("migrate")


def test_a_partitioned_table_gets_nothing_concurrent(parlour: Parlour) -> None:
    """Its foreign keys come in two copies, which want one index together."""
    definitions = [
        definition
        for name, definition in parlour.indexes.items()
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
    told = parlour.write()
    entry = told.split("add to parlour.Scoop Meta.indexes: ")[1].splitlines()[0]
    parlour.edit({**EDITS, "        indexes = [\n": f"        indexes = [\n            {entry},\n"})
    parlour.run("makemigrations", "--check", "--dry-run")
    text = (parlour.directory / "parlour" / "migrations" / "0002_dbaudit_indexes.py").read_text()
    assert "concurrently" not in text.lower()
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


def test_an_index_whose_companion_is_read_is_left_out(parlour: Parlour) -> None:
    parlour.scratch.run(
        "SET enable_seqscan = off", "SELECT count(*) FROM parlour_scoop WHERE code LIKE 'x%'"
    )
    (name,) = [each for each in parlour.indexes if each.startswith("parlour_scoop_code") and "like" in each]
    parlour.scratch.wait_until(
        lambda: parlour.scratch.run(f"SELECT pg_stat_get_numscans('{name}'::regclass)")[0][0]
    )
    told = parlour.write()
    assert f"parlour.Scoop.code asks for {name} too, which stays" in told
    assert "remove db_index=True from parlour.Scoop.code" not in told


def test_what_a_migration_does_already_is_not_written_twice(parlour: Parlour) -> None:
    parlour.write()
    told = parlour.write()
    assert told.startswith("Nothing to write for parlour: ")
    assert "scoop_title: the migrations do not have it (any more)" in told
    assert parlour.migrations == ["0001_initial.py", "0002_dbaudit_indexes.py"]


def test_nothing_to_write_is_status_0(parlour: Parlour) -> None:
    assert parlour.write("--select", "invalid-index").startswith("Nothing to write for parlour: ")
    assert parlour.migrations == ["0001_initial.py"]


def test_what_the_baseline_knows_is_left_alone(parlour: Parlour, tmp_path: Path) -> None:
    parlour.run("indexreport", "--write-baseline", tmp_path / "known.json")
    told = parlour.write("--baseline", tmp_path / "known.json")
    assert told.startswith("Nothing to write for parlour: ")


def test_a_file_is_never_overwritten(parlour: Parlour) -> None:
    """The number after the last migration's may be taken by one that comes before it."""
    directory = parlour.directory / "parlour" / "migrations"
    taken, first = directory / "0002_dbaudit_indexes.py", directory / "0001_initial.py"
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
        (parlour.directory / "parlour" / "migrations" / f"{name}.py").write_text(
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
