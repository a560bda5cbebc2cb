"""The hard cases of ``--write-migration``, each written, edited, applied, rolled back and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connections

from parlour import EVERYTHING, Parlour
from scratch import Scratch
from versions import needs_server

#: Nothing that is unread counts as unused: what is found has other reasons.
PATIENT = {**EVERYTHING, "UNUSED_INDEX_DAYS": 30, "LARGE_INDEX_PAGES": 1, "NULL_HEAVY_SHARE": 0.9}

CHECK = ["makemigrations", "--check", "--dry-run"]

HEAD = "from django.db import models\n\n\n"

SHARED = """\
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex, HashIndex
from django.db import models
from django.db.models.functions import Upper


class Dated(models.Model):
    day = models.DateField(db_index=True)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["-day"], name="%(app_label)s_%(class)s_newest"),
        ]


class Shared(models.Model):
    noted = models.DateField(db_index=True)
    kept = models.IntegerField()

    class Meta:
        abstract = True
        ordering = ["noted"]
        indexes = [
            models.Index(fields=["noted", "kept"], name="%(app_label)s_%(class)s_two"),
            models.Index(fields=["-kept"], name="%(app_label)s_%(class)s_kept"),
        ]


class Diary(Dated):
    pass


class Ledger(Dated):
    pass


class Note(Shared):
    pass


class Memo(Shared):
    title = models.TextField()

    class Meta(Shared.Meta):
        verbose_name = "memorandum"


class Patron(models.Model):
    name = models.CharField(max_length=20, db_index=True)

    class Meta:
        swappable = "PATRON_MODEL"


class Base(models.Model):
    code = models.IntegerField(db_index=True)


class Child(Base):
    extra = models.IntegerField(db_index=True)


class Seen(Child):
    class Meta:
        proxy = True


class Elsewhere(models.Model):
    name = models.IntegerField(db_index=True)

    class Meta:
        managed = False


class Odd(models.Model):
    words = ArrayField(models.CharField(max_length=10))
    text = models.CharField(max_length=20)
    number = models.IntegerField()
    large = models.IntegerField(db_index=True, db_column="The Large")

    class Meta:
        db_table = "Odd Table"
        indexes = [
            GinIndex(fields=["words"], name="odd_gin"),
            BrinIndex(fields=["number"], name="odd_brin", pages_per_range=16),
            HashIndex(fields=["text"], name="odd_hash", condition=models.Q(number__gt=5)),
            models.Index(Upper("text"), models.F("number").desc(), name="odd_expression"),
            models.Index(fields=["text"], name="odd_opclass", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["number"], name="odd_covering", include=["text"]),
            models.Index(fields=["large", "-number"], name="odd_direction"),
        ]
"""


def project(directory: Path, scratch: Scratch, apps: dict[str, str], **options: object) -> Parlour:
    made = Parlour(directory, scratch, apps, **options)  # type: ignore[arg-type]  # one of its own
    made.run_all(["makemigrations", *apps], ["migrate"])
    return made


def there_and_back(parlour: Parlour, told: str, before: str = "0001") -> None:
    """Follow what is told; the models and the database agree; rolled back all is as it was."""
    as_it_was = parlour.indexes
    if "Make these edits" in told:
        parlour.follow(told)
    parlour.run_all(CHECK, ["migrate"])
    assert parlour.indexes != as_it_was
    missing = "index-missing-from-database,undeclared-index"
    assert parlour.subjects("--select", missing) == []
    parlour.run("migrate", "parlour", before)
    assert parlour.indexes == as_it_was


def test_abstract_bases_children_and_odd_indexes(scratch: Scratch, tmp_path: Path) -> None:
    cellar = "from django.db import models\n\nfrom parlour.models import Shared\n\n\n"
    cellar += "class Jar(Shared):\n    pass\n\n\n"
    cellar += "class Patron(models.Model):\n    pass\n"
    parlour = project(
        tmp_path,
        scratch,
        {"parlour": SHARED, "cellar": cellar},
        settings={"PATRON_MODEL": "cellar.Patron"},
    )
    told = parlour.write()
    lines = [line.strip() for line in told.splitlines()]
    # All models of Dated are of this app, and agree: once, in the class they come from.
    assert (
        "parlour/models.py:8: remove db_index=True from Dated.day, of parlour.Diary, parlour.Ledger"
        in lines
    )
    assert (
        sum("remove from Dated Meta.indexes, of parlour.Diary, parlour.Ledger" in each for each in lines)
        == 1
    )
    # Another app's model shares Shared: each model for itself.
    assert any("add to parlour.Note: class Meta(Shared.Meta): indexes = []" in each for each in lines)
    assert any("set in parlour.Memo Meta: indexes = []" in each for each in lines)
    assert any("add to parlour.Note: noted = models.DateField()" in each for each in lines)
    # No table of these is Django's to change here.
    assert not any("Patron" in each or "Elsewhere" in each for each in lines), told
    assert "Left out" not in told, told
    there_and_back(parlour, told)


class TestATextFieldsIndexes:
    """``db_index=True`` on a ``CharField`` makes two, and one of them may be needed."""

    MODELS = (
        HEAD + "class Scoop(models.Model):\n    code = models.CharField(max_length=20, db_index=True)\n"
    )

    @pytest.mark.parametrize("stays", ["like", "plain"])
    def test_the_one_that_is_read_stays_under_another_name(
        self, stays: str, scratch: Scratch, tmp_path: Path
    ) -> None:
        parlour = project(tmp_path, scratch, {"parlour": self.MODELS})
        condition = "LIKE 'x%'" if stays == "like" else "> 'x'"
        scratch.run(
            "SET enable_seqscan = off",
            f'SELECT count(*) FROM parlour_scoop WHERE code {condition} COLLATE "default"',
        )
        names = [each for each in parlour.indexes if each.startswith("parlour_scoop_code")]
        (read,) = (each for each in names if each.endswith("_like") == (stays == "like"))
        scratch.wait_until(lambda: scratch.run(f"SELECT pg_stat_get_numscans('{read}'::regclass)")[0][0])
        told = parlour.write()
        entry = 'opclasses=["varchar_pattern_ops"]' if stays == "like" else "fields=['code'], name="
        assert entry.replace('"', "'") in told
        before = scratch.run(f"SELECT '{read}'::regclass::oid")
        parlour.follow(told)
        parlour.run_all(CHECK, ["migrate"])
        (left,) = [each for each in parlour.indexes if each.startswith("parlour_scoop_code")]
        # Renamed, and not built again.
        assert scratch.run(f"SELECT '{left}'::regclass::oid") == before
        assert parlour.subjects() == []
        parlour.run("migrate", "parlour", "0001")
        assert set(names) <= parlour.indexes.keys()


def test_indexes_full_of_nulls_become_partial_ones(scratch: Scratch, tmp_path: Path) -> None:
    models = HEAD + (
        "class Kind(models.Model):\n    pass\n\n\n"
        "class Scoop(models.Model):\n"
        "    note = models.CharField(max_length=20, null=True, db_index=True)\n"
        "    kind = models.ForeignKey(Kind, models.CASCADE, null=True)\n"
        "    number = models.IntegerField(null=True)\n"
        "    second = models.IntegerField(null=True)\n\n"
        "    class Meta:\n        indexes = [\n"
        '            models.Index(fields=["-number", "second"], name="scoop_number"),\n'
        "        ]\n"
    )
    parlour = project(tmp_path, scratch, {"parlour": models}, thresholds=PATIENT)
    scratch.run("INSERT INTO parlour_scoop SELECT n FROM generate_series(1, 5000) AS n", "ANALYZE")
    told = parlour.write("--select", "null-heavy-index")
    assert "Left out" not in told, told
    assert told.count("__isnull") == 4
    there_and_back(parlour, told)
    parlour.run("migrate")
    predicates = [definition for definition, _ in parlour.indexes.values() if "IS NOT NULL" in definition]
    assert len(predicates) == 4
    assert parlour.subjects() == []


def test_equal_unique_constraints_are_one_too_many(scratch: Scratch, tmp_path: Path) -> None:
    models = HEAD + (
        "class Scoop(models.Model):\n    a = models.IntegerField()\n    b = models.IntegerField()\n\n"
        "    class Meta:\n        constraints = [\n"
        '            models.UniqueConstraint(fields=["a", "b"], name="scoop_one"),\n'
        '            models.UniqueConstraint(fields=["a", "b"], name="scoop_two"),\n'
        "        ]\n"
    )
    parlour = project(tmp_path, scratch, {"parlour": models})
    # Of two that come with their table PostgreSQL makes one.
    scratch.run("ALTER TABLE parlour_scoop ADD CONSTRAINT scoop_two UNIQUE (a, b)")
    told = parlour.write()
    assert "remove from parlour.Scoop Meta.constraints: models.UniqueConstraint(" in told
    assert "atomic" not in parlour.migration("0002_dbaudit_indexes.py").read_text()
    there_and_back(parlour, told)
    assert "'scoop_two'" in told


def test_unique_together_beside_a_constraint_is_left_to_makemigrations(
    scratch: Scratch, tmp_path: Path
) -> None:
    models = HEAD + (
        "class Scoop(models.Model):\n    a = models.IntegerField()\n    b = models.IntegerField()\n\n"
        '    class Meta:\n        unique_together = [("a", "b")]\n'
    )
    parlour = project(tmp_path, scratch, {"parlour": models})
    scratch.run(
        "ALTER TABLE parlour_scoop ADD CONSTRAINT other UNIQUE (a, b)",
        "CREATE TABLE child (a int, b int, FOREIGN KEY (a, b) REFERENCES parlour_scoop (a, b))",
    )
    told = parlour.write()
    # Which of the two the foreign key has taken is the server's business.
    assert "Left out:" in told
    assert "and not by db_index: see its fix" in told or "a constraint that no model declares" in told


@pytest.mark.parametrize("app", ["parlour", "cellar", "hand"])
def test_an_index_that_no_model_declares_goes_and_comes_back(
    app: str, scratch: Scratch, tmp_path: Path
) -> None:
    """Made by this app's RunSQL, by another app's, or by nobody's migration."""
    models = HEAD + "class Scoop(models.Model):\n    number = models.IntegerField()\n"
    parlour = project(
        tmp_path, scratch, {"parlour": models, "cellar": HEAD + "class Jar(models.Model): pass\n"}
    )
    create = 'CREATE UNIQUE INDEX "by ON hand" ON parlour_scoop (number, abs(number)) WHERE number > 5'
    if app == "hand":
        scratch.run(create)
    else:
        parlour.migration("0002_more.py", app).write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            f'    dependencies = [("{app}", "0001_initial"), ("parlour", "0001_initial")]\n'
            f"    operations = [migrations.RunSQL('{create}', 'DROP INDEX \"by ON hand\"')]\n"
        )
        parlour.run("migrate")
    scratch.run(
        "CREATE INDEX twin ON parlour_scoop (number)", "CREATE INDEX other ON parlour_scoop (number)"
    )
    told = parlour.write("--select", "duplicate-index")
    assert "No model is to be edited; migrate." in told
    written = parlour.migrations()[-1]
    there_and_back_without_edits(parlour, written, gone="other")
    scratch.run("DROP INDEX twin")
    scratch.run('DROP INDEX "by ON hand"', create.replace("UNIQUE ", ""))
    parlour.write("--select", "unused-index")
    text = parlour.migration(parlour.migrations()[-1]).read_text()
    assert ("('cellar', '0002_more')" in text) == (app == "cellar")
    there_and_back_without_edits(parlour, parlour.migrations()[-1], gone="by ON hand")


def there_and_back_without_edits(parlour: Parlour, written: str, gone: str) -> None:
    before = parlour.indexes
    parlour.run_all(CHECK, ["migrate"])
    assert before.keys() - parlour.indexes.keys() == {gone}
    parlour.run("migrate", "parlour", f"{int(written[:4]) - 1:04}")
    assert parlour.indexes == before
    parlour.run("migrate")


def test_an_undeclared_index_waits_for_makemigrations(scratch: Scratch, tmp_path: Path) -> None:
    """The model has been edited already: a RunSQL would come between it and its migration."""
    models = HEAD + "class Scoop(models.Model):\n    number = models.IntegerField(db_index=True)\n"
    parlour = project(tmp_path, scratch, {"parlour": models})
    path = tmp_path / "parlour" / "models.py"
    path.write_text(models.replace("db_index=True", ""))
    told = parlour.write()
    assert "the models have changes that no migration has: run makemigrations first" in told
    assert parlour.migrations() == ["0001_initial.py"]


class TestWhatTheDatabaseLacks:
    MODELS = HEAD + (
        "class Kind(models.Model):\n    pass\n\n\n"
        "class Scoop(models.Model):\n"
        "    code = models.CharField(max_length=20, db_index=True)\n"
        "    kind = models.ForeignKey(Kind, models.CASCADE)\n"
        "    number = models.IntegerField(unique=True)\n\n"
        "    class Meta:\n        indexes = [\n"
        '            models.Index(fields=["-number"], name="scoop_some", '
        "condition=models.Q(code__startswith='100%')),\n"
        "        ]\n"
    )

    def test_is_made_again_as_a_new_database_has_it(self, scratch: Scratch, tmp_path: Path) -> None:
        parlour = project(tmp_path, scratch, {"parlour": self.MODELS}, thresholds=PATIENT)
        whole = parlour.indexes
        lost = [each for each in whole if "_code_" in each or "_kind_id_" in each or each == "scoop_some"]
        assert len(lost) == 4
        scratch.run(
            *[f'DROP INDEX "{each}"' for each in lost],
            "ALTER TABLE parlour_scoop DROP CONSTRAINT parlour_scoop_number_key",
        )
        told = parlour.write("--select", "index-missing-from-database,unindexed-foreign-key")
        assert "public.parlour_scoop_number_key: it promises that values are unique" in told
        parlour.run_all(CHECK, ["migrate"])
        # The companion's absence is but an information.
        like = next(each for each in lost if each.endswith("_like"))
        gone = {like, "parlour_scoop_number_key"}
        assert parlour.indexes == {name: each for name, each in whole.items() if name not in gone}
        # On a database where nobody has dropped them, nothing happens, and nothing is lost.
        parlour.run_all(["migrate", "parlour", "0001"], ["migrate"])

    def test_where_a_migration_waits_it_is_to_be_applied(self, scratch: Scratch, tmp_path: Path) -> None:
        parlour = project(tmp_path, scratch, {"parlour": self.MODELS}, thresholds=PATIENT)
        scratch.run("DROP INDEX scoop_some", "DELETE FROM django_migrations WHERE app = 'parlour'")
        assert "parlour.0001_initial is not applied yet: migrate first" in parlour.write()

    def test_from_a_facts_file_nobody_knows(self, scratch: Scratch, tmp_path: Path) -> None:
        parlour = project(tmp_path, scratch, {"parlour": self.MODELS}, thresholds=PATIENT)
        scratch.run("DROP INDEX scoop_some")
        saved = tmp_path / "facts.json"
        parlour.run("indexreport", "--save-facts", saved, "--fail-on", "never")
        told = parlour.write("--load-facts", saved)
        assert "scoop_some: a facts file does not tell which migrations are applied" in told

    def test_an_index_that_is_otherwise_is_for_people_to_judge(
        self, scratch: Scratch, tmp_path: Path
    ) -> None:
        parlour = project(tmp_path, scratch, {"parlour": self.MODELS}, thresholds=PATIENT)
        scratch.run("DROP INDEX scoop_some", "CREATE INDEX scoop_some ON parlour_scoop (number DESC)")
        told = parlour.write()
        assert "public.scoop_some: the database has scoop_some over all rows: decide which is right" in told


def test_an_index_comes_back_as_it_was_and_not_as_declared(scratch: Scratch, tmp_path: Path) -> None:
    models = HEAD + (
        "class Scoop(models.Model):\n    number = models.IntegerField()\n\n"
        "    class Meta:\n        indexes = [\n"
        '            models.Index(fields=["number"], name="scoop_number"),\n        ]\n'
    )
    parlour = project(tmp_path, scratch, {"parlour": models})
    scratch.run(
        "DROP INDEX scoop_number",
        "CREATE INDEX scoop_number ON parlour_scoop (number DESC NULLS LAST) WITH (fillfactor = 50)",
    )
    told = parlour.write()
    there_and_back(parlour, told)


@needs_server(150_000)
def test_an_index_comes_back_into_its_tablespace(scratch: Scratch, tmp_path: Path) -> None:
    models = HEAD + (
        "class Scoop(models.Model):\n"
        '    number = models.IntegerField(db_index=True, db_tablespace="{0}")\n'
        "    other = models.IntegerField()\n\n"
        "    class Meta:\n        indexes = [\n"
        '            models.Index(fields=["other"], name="scoop_other", db_tablespace="{0}"),\n'
        '            models.Index(fields=["-other"], name="scoop_some", db_tablespace="{0}",'
        " condition=models.Q(other__gt=5)),\n"
        "        ]\n"
    )
    name = f"{scratch.alias}_space"
    scratch.run("SET allow_in_place_tablespaces = on", f"CREATE TABLESPACE {name} LOCATION ''")
    try:
        parlour = project(tmp_path, scratch, {"parlour": models.format(name)})
        assert [space for _, space in parlour.indexes.values()].count(name) == 3
        there_and_back(parlour, parlour.write())
        scratch.run("DROP TABLE parlour_scoop")
    finally:
        connections[scratch.alias].close()
        scratch.run(f"DROP TABLESPACE {name}")


def test_copies_of_a_table_in_several_schemas_have_one_migration(scratch: Scratch, tmp_path: Path) -> None:
    models = HEAD + "class Scoop(models.Model):\n    number = models.IntegerField(db_index=True)\n"
    parlour = project(tmp_path, scratch, {"parlour": models})
    scratch.run(
        "CREATE SCHEMA tenant",
        "CREATE TABLE tenant.parlour_scoop (LIKE public.parlour_scoop INCLUDING ALL)",
    )
    (name,) = (each for each in parlour.indexes if each.startswith("parlour_scoop_number"))
    ((copy,),) = scratch.run(
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'tenant' AND indexname LIKE '%number%'"
    )
    scratch.run(f'ALTER INDEX tenant."{copy}" RENAME TO "{name}"')
    told = parlour.write("--select", "unused-index")
    text = parlour.migration("0002_dbaudit_indexes.py").read_text()
    assert text.count("DROP INDEX") == 1
    # As in Django's own operations the search path says which table is meant.
    assert "public" not in text
    there_and_back(parlour, told)


def test_where_one_copy_is_read_none_goes(scratch: Scratch, tmp_path: Path) -> None:
    models = HEAD + "class Scoop(models.Model):\n    number = models.IntegerField(db_index=True)\n"
    parlour = project(tmp_path, scratch, {"parlour": models})
    (name,) = (each for each in parlour.indexes if each.startswith("parlour_scoop_number"))
    scratch.run(
        "CREATE SCHEMA tenant",
        "CREATE TABLE tenant.parlour_scoop (LIKE public.parlour_scoop)",
        f'CREATE INDEX "{name}" ON tenant.parlour_scoop (number)',
        "SET enable_seqscan = off",
        "SELECT count(*) FROM tenant.parlour_scoop WHERE number > 5",
    )
    scratch.wait_until(lambda: scratch.run(f"SELECT pg_stat_get_numscans('tenant.{name}'::regclass)")[0][0])
    told = parlour.write("--select", "unused-index")
    assert f"public.{name}: the same table in another schema still needs its own" in told


def test_a_table_in_a_schema_of_its_own(scratch: Scratch, tmp_path: Path) -> None:
    """``db_table`` with the schema in it, as some projects have it."""
    models = HEAD + (
        "class Scoop(models.Model):\n    number = models.IntegerField(db_index=True)\n\n"
        "    class Meta:\n        db_table = 'attic\".\"scoop'\n\n\n"
        "class Other(models.Model):\n    number = models.IntegerField(db_index=True)\n\n"
        "    class Meta:\n        db_table = 'scoop'\n"
    )
    scratch.run("CREATE SCHEMA attic")
    made = Parlour(tmp_path, scratch, {"parlour": models})
    made.run_all(["makemigrations", "parlour"], ["migrate"])
    assert made.subjects("--select", "index-missing-from-database,undeclared-index") == []
    told = made.write()
    assert "parlour.Other.number" in told
    assert "parlour.Scoop.number" in told


class TestWhatIsRefused:
    MODELS = HEAD + "class Scoop(models.Model):\n    number = models.IntegerField(db_index=True)\n"

    @pytest.fixture
    def parlour(self, scratch: Scratch, tmp_path: Path) -> Parlour:
        return project(tmp_path, scratch, {"parlour": self.MODELS})

    def test_an_installed_packages_app(self, parlour: Parlour) -> None:
        message = parlour.write(app="postgres", status=2)
        assert "The app 'postgres' is not this project's, but an installed package's (" in message

    def test_an_app_whose_migrations_are_switched_off(self, parlour: Parlour) -> None:
        parlour.settings["MIGRATION_MODULES"] = {"parlour": None}
        assert "MIGRATION_MODULES['parlour'] is None" in parlour.write(status=2)

    def test_an_alias_that_the_router_keeps_it_off(self, parlour: Parlour) -> None:
        (parlour.directory / "routing.py").write_text(
            "class Router:\n    def allow_migrate(self, db, app_label, **hints):\n"
            "        return app_label != 'parlour'\n"
        )
        parlour.settings["DATABASE_ROUTERS"] = ["routing.Router"]
        message = parlour.write(status=2)
        assert "DATABASE_ROUTERS keep the migrations of 'parlour' off the alias 'default'" in message

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--format", "json"),
            ("--fail-on", "error"),
            ("--write-baseline", "known.json"),
            ("--sort", "name"),
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_options_that_would_be_without_effect(
        self, arguments: tuple[str, str], parlour: Parlour
    ) -> None:
        message = parlour.write(*arguments, status=2)
        assert f"{arguments[0]} does not go with --write-migration: " in message
        assert parlour.migrations() == ["0001_initial.py"]


class TestWhereMigrationsAre:
    MODELS = TestWhatIsRefused.MODELS

    def test_elsewhere(self, scratch: Scratch, tmp_path: Path) -> None:
        (tmp_path / "moved").mkdir()
        (tmp_path / "moved" / "__init__.py").touch()
        settings = {"MIGRATION_MODULES": {"parlour": "moved.of_parlour"}}
        parlour = project(tmp_path, scratch, {"parlour": self.MODELS}, settings=settings)
        told = parlour.write()
        assert told.startswith("Wrote moved/of_parlour/0002_dbaudit_indexes.py.")
        there_and_back(parlour, told)

    def test_squashed(self, scratch: Scratch, tmp_path: Path) -> None:
        parlour = project(tmp_path, scratch, {"parlour": self.MODELS})
        parlour.migration("0002_more.py").write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("parlour", "0001_initial")]\n    operations = []\n'
        )
        parlour.run_all(["migrate"], ["squashmigrations", "parlour", "0002", "--no-input"])
        told = parlour.write()
        # The number goes on after those that were squashed.
        assert told.startswith("Wrote parlour/migrations/0003_dbaudit_indexes.py.")
        parlour.follow(told)
        parlour.run_all(CHECK, ["migrate"])

    def test_a_router_by_model_is_given_the_model(self, scratch: Scratch, tmp_path: Path) -> None:
        (tmp_path / "routing.py").write_text(
            "class Router:\n    def allow_migrate(self, db, app_label, model_name=None, **hints):\n"
            "        return app_label != 'parlour' or model_name in (None, 'scoop')\n"
        )
        settings = {"DATABASE_ROUTERS": ["routing.Router"]}
        parlour = project(tmp_path, scratch, {"parlour": self.MODELS}, settings=settings)
        told = parlour.write()
        assert "hints={'model_name': 'scoop'}" in parlour.migration("0002_dbaudit_indexes.py").read_text()
        there_and_back(parlour, told)
