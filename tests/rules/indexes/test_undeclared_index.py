"""Indexes of a model's table that no model knows of. That nothing is found amiss on the whole project
is promised in ``test_index_missing_from_database``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState

from django_dbaudit.finding import Severity
from django_dbaudit.project import migrations
from django_dbaudit.project.migrations import MigrationIndex, MigrationIndexes
from flavors.models import Category, Flavor
from posing import judge, only
from scratch import Scratch

RULE = "undeclared-index"


@pytest.fixture
def shop(scratch: Scratch) -> Iterator[Scratch]:
    with connections[scratch.alias].schema_editor() as editor:
        editor.create_model(Category)
        editor.create_model(Flavor)
    yield scratch


def found(shop: Scratch) -> list[str]:
    return [each.subject.name for each in shop.findings(RULE)]


class TestWhatIsLeftAlone:
    def test_tables_as_django_makes_them(self, shop: Scratch) -> None:
        assert found(shop) == []

    def test_tables_without_a_model(self, shop: Scratch) -> None:
        shop.run("CREATE TABLE cone (id bigint)", "CREATE INDEX cone_id ON cone (id)")
        assert found(shop) == []

    def test_unmanaged_models(self, shop: Scratch) -> None:
        shop.run(
            "CREATE TABLE oddities_elsewhere (id bigint, name text)",
            "CREATE INDEX by_hand ON oddities_elsewhere (name)",
        )
        assert found(shop) == []

    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER TABLE flavors_flavor ADD CONSTRAINT by_hand UNIQUE (likes)",
            "ALTER TABLE flavors_flavor ADD CONSTRAINT by_hand EXCLUDE (likes WITH =)",
            "ALTER INDEX flavor_title_idx RENAME TO by_hand",
        ],
    )
    def test_what_a_constraint_needs_or_a_model_lost_the_name_of(
        self, shop: Scratch, statement: str
    ) -> None:
        shop.run(statement)
        assert found(shop) == []

    def test_partitions(self, scratch: Scratch) -> None:
        scratch.run(
            "CREATE TABLE flavors_category (id bigint PRIMARY KEY, name varchar(50))"
            " PARTITION BY RANGE (id)",
            "CREATE TABLE one PARTITION OF flavors_category FOR VALUES FROM (0) TO (9)",
            "CREATE INDEX of_part ON one (name)",
        )
        assert found(scratch) == []
        scratch.run("CREATE INDEX of_whole ON flavors_category (name)")
        assert found(scratch) == ["public.of_whole"]


class TestWhatIsFound:
    def test_an_index_made_by_hand(self, shop: Scratch) -> None:
        shop.run("CREATE INDEX by_hand ON flavors_flavor (lower(title))")
        (finding,) = shop.findings(RULE)
        assert finding.severity is Severity.INFO
        assert finding.message == (
            "by_hand (8 kB) on flavors_flavor is declared by no model; no migration's RunSQL names it."
        )
        assert finding.fix is not None
        assert 'DROP INDEX CONCURRENTLY "public"."by_hand";' in finding.fix.text

    def test_a_partial_one_on_the_columns_of_a_field(self, shop: Scratch) -> None:
        shop.run("CREATE INDEX by_hand ON flavors_flavor (category_id) WHERE likes > 5")
        assert found(shop) == ["public.by_hand"]

    def test_the_migration_that_makes_it_is_named(self, shop: Scratch) -> None:
        shop.run("CREATE INDEX by_hand ON flavors_flavor (lower(title))")
        made = MigrationIndexes((MigrationIndex("by_hand", "flavors.0002_more", None),))
        finding = only(judge(RULE, shop, made))
        assert finding.message.endswith("declared by no model; RunSQL in flavors.0002_more makes it.")
        assert finding.fix is not None
        assert "DROP INDEX" not in finding.fix.text


class TestMigrations:
    @staticmethod
    def names(*operations: Any) -> list[str]:
        kind = type("Migration", (Migration,), {"operations": list(operations)})
        migration = kind("0002_more", "flavors")
        return [each.name for each in migrations._of(migration)]

    @pytest.mark.parametrize(
        "sql",
        [
            "CREATE INDEX by_hand ON t (a)",
            "create unique index concurrently if not exists By_Hand on t (a);",
            'CREATE INDEX\n  "by_hand" ON t (a)',
            ["SELECT 1", "CREATE INDEX by_hand ON t (a)"],
            [("CREATE INDEX by_hand ON t (a) WHERE b = %s", ["x"])],
            "ALTER INDEX old RENAME TO by_hand",
        ],
    )
    def test_sql_in_all_its_forms(self, sql: Any) -> None:
        assert self.names(RunSQL(sql)) == ["by_hand"]

    def test_sql_beside_operations_on_the_state(self) -> None:
        inner = RunSQL("CREATE INDEX by_hand ON t (a)")
        assert self.names(SeparateDatabaseAndState(database_operations=[inner])) == ["by_hand"]

    @pytest.mark.parametrize(
        "sql", [RunSQL.noop, "DROP INDEX by_hand", "CREATE INDEX ON t (a)", "CREATE TABLE by_hand (a int)"]
    )
    def test_sql_that_makes_none(self, sql: str) -> None:
        assert self.names(RunSQL(sql)) == []

    def test_a_name_too_long_is_cut_as_the_server_cuts_it(self) -> None:
        assert self.names(RunSQL(f"CREATE INDEX {'n' * 70} ON t (a)")) == ["n" * 63]

    def test_the_line_of_the_statement(self, tmp_path: Any, monkeypatch: Any, settings: Any) -> None:
        package = tmp_path / "hand_migrations"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "0001_more.py").write_text(
            "from django.db import migrations\n\n\n"
            "class Migration(migrations.Migration):\n"
            "    operations = [\n"
            '        migrations.RunSQL("CREATE INDEX by_hand ON t (a)"),\n'
            "    ]\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        settings.MIGRATION_MODULES = {"flavors": "hand_migrations"}
        (found,) = [each for each in migrations.read("default").items if each.name == "by_hand"]
        assert found.migration == "flavors.0001_more"
        assert found.location is not None
        assert found.location.path.endswith("hand_migrations/0001_more.py")
        assert found.location.line == 6

    def test_migrations_that_cannot_be_loaded_only_cost_the_hint(
        self, tmp_path: Any, monkeypatch: Any, settings: Any
    ) -> None:
        package = tmp_path / "broken_migrations"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "0001_more.py").write_text("raise RuntimeError\n")
        monkeypatch.syspath_prepend(tmp_path)
        settings.MIGRATION_MODULES = {"flavors": "broken_migrations"}
        assert migrations.read("default") == MigrationIndexes(())
