"""What a model declares and the database lacks; above all, when it does not lack it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from django_dbaudit import audit, facts
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.project.schema import DeclaredIndexes
from django_dbaudit.rule import get_rule
from flavors.models import Category, Flavor
from oddities.models import Constrained, Parent, Tag
from scratch import Scratch
from versions import needs_server

RULE = "index-missing-from-database"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", [RULE, "undeclared-index"])
def test_a_migrated_project_has_nothing_to_find(name: str) -> None:
    """The shop, Django's own apps and every odd model that the tests know."""
    rules = [get_rule(name)]
    seen = facts.gather(["default"], audit.needed_facts(rules), Config())
    outcome = audit.run(rules, seen, Thresholds())
    assert (outcome.findings, outcome.not_run, outcome.failures) == ((), (), ())


@pytest.fixture
def shop(scratch: Scratch) -> Iterator[Scratch]:
    with connections[scratch.alias].schema_editor() as editor:
        for model in (Category, Flavor, Tag, Parent, Constrained):
            editor.create_model(model)
    MigrationRecorder(connections[scratch.alias]).ensure_schema()
    yield scratch


def missing(shop: Scratch, kind: str = "index") -> tuple[Finding, ...]:
    return tuple(each for each in shop.findings(RULE) if each.subject.kind == kind)


def index_of(shop: Scratch, like: str) -> str:
    ((name,),) = shop.run(f"SELECT indexname FROM pg_indexes WHERE indexname LIKE '{like}'")
    return str(name)


class TestWhatIsLeftAlone:
    def test_tables_as_django_makes_them(self, shop: Scratch) -> None:
        assert missing(shop) == ()

    def test_a_database_where_no_migration_was_ever_applied(self, scratch: Scratch) -> None:
        scratch.run("CREATE TABLE flavors_flavor (id bigint)")
        (not_run,) = scratch.not_run(RULE)
        assert "there is no table django_migrations" in not_run.reason

    def test_the_index_that_a_renamed_field_left_behind(self, shop: Scratch) -> None:
        name = index_of(shop, "flavors_flavor_category_id_%")
        shop.run(f"ALTER INDEX {name} RENAME TO flavors_flavor_kind_id_0123abcd")
        assert missing(shop) == ()

    @pytest.mark.parametrize("index", ["flavor_title_idx", "constrained_direction", "flavors_flavor_pkey"])
    def test_an_index_of_another_name_with_the_same_columns(self, shop: Scratch, index: str) -> None:
        shop.run(f"ALTER INDEX {index} RENAME TO by_hand")
        assert missing(shop) == ()

    def test_a_unique_constraint_by_the_name_that_alter_table_gives(self, shop: Scratch) -> None:
        name = index_of(shop, "oddities_parent_number_key")
        shop.run(f"ALTER INDEX {name} RENAME TO oddities_parent_number_0123abcd_uniq")
        assert missing(shop) == ()

    def test_a_text_column_whose_collation_may_allow_no_companion(self, shop: Scratch) -> None:
        like = index_of(shop, "oddities_parent_code_%_like")
        shop.run(
            f"DROP INDEX {like}",
            # It would be a nondeterministic one, which needs a server with ICU.
            'ALTER TABLE oddities_parent ALTER code TYPE varchar(20) COLLATE "C"',
        )
        assert missing(shop) == ()

    def test_another_schema_that_has_a_copy_of_the_table(self, shop: Scratch) -> None:
        shop.run("CREATE SCHEMA attic", "CREATE TABLE attic.flavors_flavor AS TABLE flavors_flavor")
        assert missing(shop) == ()

    def test_models_that_migrations_leave_alone(self, shop: Scratch) -> None:
        shop.run("CREATE TABLE oddities_elsewhere (id bigint, name text)")
        assert missing(shop) == ()

    def test_models_for_another_vendor(self, shop: Scratch, monkeypatch: Any) -> None:
        shop.run("DROP INDEX flavor_title_idx", "DROP INDEX flavor_title_copy")
        monkeypatch.setattr(Flavor._meta, "required_db_vendor", "sqlite")
        assert missing(shop) == ()

    def test_an_unmanaged_model_of_a_managed_ones_table(self, shop: Scratch) -> None:
        seen = shop.gather()
        (alias,) = seen.aliases
        declared = alias.get(DeclaredIndexes)
        other = replace(declared.items[0], table="flavors_flavor", names=("x",), columns=("likes",))
        items = (*declared.items, replace(other, is_managed=False, is_primary=False, kind="db_index"))
        posed = replace(alias, known={**alias.known, DeclaredIndexes: replace(declared, items=items)})
        found = audit.run([get_rule(RULE)], facts.Facts((posed,)), Thresholds()).findings
        assert [each for each in found if each.subject.kind == "index"] == []

    @pytest.mark.parametrize(
        ("name", "made"),
        [
            ("constrained_direction", "(a DESC, b)"),
            ("constrained_partial", "(b) WITH (fillfactor = 50) WHERE a::bigint > 0::bigint"),
            ("constrained_partial", "(b) WHERE NOT (a <= 0)"),
            ("constrained_brin", "USING brin (a) WITH (pages_per_range = 7)"),
            ("constrained_hash", "USING hash (c text_ops)"),
        ],
    )
    def test_an_index_that_says_the_same_in_other_words(self, shop: Scratch, name: str, made: str) -> None:
        shop.run(f"DROP INDEX {name}", f"CREATE INDEX {name} ON oddities_constrained {made}")
        assert missing(shop) == ()

    def test_a_field_of_text_whose_index_somebody_gave_the_types_other_name(self, shop: Scratch) -> None:
        shop.run(
            "DROP INDEX flavor_title_copy",
            "CREATE INDEX flavor_title_copy ON flavors_flavor (title varchar_ops)",
        )
        assert missing(shop) == ()

    def test_a_whole_index_while_its_table_is_locked(self, shop: Scratch) -> None:
        with shop.session() as other, other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE oddities_constrained IN ACCESS EXCLUSIVE MODE")
            assert missing(shop) == ()
            cursor.execute("ROLLBACK")


class TestWhatIsMissing:
    def test_an_index_of_meta(self, shop: Scratch) -> None:
        shop.run("DROP INDEX constrained_expression")
        (finding,) = missing(shop)
        assert finding.subject.name == "public.constrained_expression"
        assert finding.subject.table == "public.oddities_constrained"
        assert finding.message == (
            "oddities.Constrained Meta.indexes asks for an index on oddities_constrained, "
            "which the database does not have."
        )
        assert finding.severity is Severity.WARNING
        assert finding.location is not None
        assert finding.fix is not None
        assert "manage.py showmigrations oddities" in finding.fix.text

    def test_another_index_does_not_stand_in_twice(self, shop: Scratch) -> None:
        shop.run("DROP INDEX flavor_title_idx", "ALTER INDEX flavor_title_copy RENAME TO by_hand")
        (finding,) = missing(shop)
        assert finding.subject.name.startswith("public.flavor_title_")

    def test_the_index_of_a_foreign_key_with_the_statement_that_makes_it(self, shop: Scratch) -> None:
        name = index_of(shop, "flavors_flavor_category_id_%")
        shop.run(f"DROP INDEX {name}")
        (finding,) = missing(shop)
        assert finding.message.startswith("flavors.Flavor.category asks for an index on flavors_flavor (")
        assert finding.fix is not None
        statement = finding.fix.text[finding.fix.text.index("CREATE INDEX") :]
        shop.run(statement)
        assert missing(shop) == ()

    def test_a_unique_constraint(self, shop: Scratch) -> None:
        shop.run("ALTER TABLE flavors_flavor DROP CONSTRAINT flavor_slug_unique")
        (finding,) = missing(shop)
        assert "asks for a unique index on flavors_flavor (slug)" in finding.message

    def test_one_that_is_not_unique_is_no_substitute(self, shop: Scratch) -> None:
        shop.run(
            "ALTER TABLE flavors_flavor DROP CONSTRAINT flavor_slug_unique",
            "CREATE INDEX by_hand ON flavors_flavor (slug)",
        )
        assert len(missing(shop)) == 1

    def test_an_index_of_the_name_on_other_columns(self, shop: Scratch) -> None:
        shop.run("DROP INDEX flavor_title_copy", "CREATE INDEX flavor_title_copy ON flavors_flavor (likes)")
        (finding,) = missing(shop)
        assert finding.message.endswith("and the database has flavor_title_copy on (likes).")

    @pytest.mark.parametrize(
        ("name", "made", "said"),
        [
            ("constrained_direction", "(a, b)", "(a, b DESC), and the database has {} on (a, b)."),
            ("constrained_direction", "(a, b DESC NULLS LAST)", "{} on (a, b DESC NULLS LAST)."),
            (
                "constrained_expression",
                "(upper(c), a DESC)",
                '(LOWER("c"), a DESC), and the database has {} on (upper(c), a DESC).',
            ),
            ("constrained_partial", "(b)", '(b) WHERE "a" > 0, and the database has {} over all rows.'),
            ("constrained_partial", "(b) WHERE a > 1", "{} WHERE (a > 1)."),
            ("constrained_covering", "(b)", "(b) including a, and the database has {} without INCLUDE."),
            ("constrained_opclass", "(c)", "(c text_pattern_ops), and the database has {} on (c)."),
            ("constrained_brin", "(a)", "using brin (a), and the database has {} by btree and not brin."),
            ("constrained_gist", "(during) WHERE a > 0", "{} by btree and not gist, WHERE (a > 0)."),
        ],
    )
    def test_an_index_of_the_name_that_is_otherwise(
        self, shop: Scratch, name: str, made: str, said: str
    ) -> None:
        shop.run(f"DROP INDEX {name}", f"CREATE INDEX {name} ON oddities_constrained {made}")
        (finding,) = missing(shop)
        assert finding.message.endswith(said.format(name)), finding.message
        assert finding.evidence["differences"]

    @pytest.mark.parametrize(
        ("made", "said"),
        [
            ("DEFERRABLE", "deferrable"),
            ("INCLUDE (b)", "including b"),
            pytest.param("NULLS NOT DISTINCT", "with NULLS NOT DISTINCT", marks=needs_server(150_000)),
        ],
    )
    def test_a_constraint_of_the_name_that_is_otherwise(self, shop: Scratch, made: str, said: str) -> None:
        before, after = (made, "") if "NULLS" in made else ("", made)
        columns = f"{before} (a, c) {after}"
        shop.run(
            "ALTER TABLE oddities_constrained DROP CONSTRAINT constrained_plain",
            f"ALTER TABLE oddities_constrained ADD CONSTRAINT constrained_plain UNIQUE {columns}",
        )
        (finding,) = missing(shop)
        assert finding.message.endswith(f"(a, c), and the database has constrained_plain {said}.")

    def test_a_companion_is_but_an_information(self, shop: Scratch) -> None:
        shop.run(f"DROP INDEX {index_of(shop, 'oddities_parent_code_%_like')}")
        (finding,) = missing(shop)
        assert finding.severity is Severity.INFO

    def test_a_table_that_is_missing_is_said_once(self, shop: Scratch) -> None:
        shop.run("DROP TABLE flavors_flavor")
        (finding,) = [each for each in missing(shop, "table") if each.subject.name.startswith("flavors_")]
        assert finding.message == ("flavors_flavor, the table of flavors.Flavor, is not in the database.")
        assert finding.fix is not None
        assert finding.fix.text.endswith("run manage.py migrate flavors.")
        assert missing(shop) == ()

    def test_every_model_is_looked_at(self, shop: Scratch) -> None:
        absent = {each.subject.name for each in missing(shop, "table")}
        tables = {
            model._meta.db_table
            for model in apps.get_models(include_auto_created=True)
            if model._meta.managed and not model._meta.swapped and not model._meta.proxy
        }
        there = {model._meta.db_table for model in (Category, Flavor, Tag, Parent, Constrained)}
        there |= {Parent.tags.through._meta.db_table, Parent.friends.through._meta.db_table}
        # Ours are for those alone who want records.
        ours = {model._meta.db_table for model in apps.get_app_config("django_dbaudit").get_models()}
        assert absent == tables - there - ours
