"""From an index to its declaration, and to a fix that costs nobody else's index."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from django_dbaudit.analysis.declaration import Companions, Declarations, drop, location, severity
from django_dbaudit.finding import Fix, Location, Severity
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from posing import an_index

BASE = DeclaredIndex(
    table="t",
    names=("t_a_0123abcd",),
    columns=("a",),
    is_unique=False,
    kind="db_index",
    model="shop.T",
    field="a",
    is_third_party=False,
    location=Location("shop/models.py", 7),
)
LIKE = replace(BASE, names=("t_a_0123abcd_like",), kind="like", beside="db_index")
PLAIN = an_index(name="t_a_0123abcd")
PATTERN = an_index(
    oid=2,
    name="t_a_0123abcd_like",
    keys=(replace(PLAIN.keys[0], opclass="pg_catalog.varchar_pattern_ops"),),
)


def declarations(*declared: DeclaredIndex) -> Declarations:
    return Declarations(DeclaredIndexes(declared, (), ()))


def source(index: Index, *declared: DeclaredIndex) -> str | None:
    found = declarations(*declared).of(index)
    return found.source if found else None


class TestWhatIsNotDeclared:
    def test_a_name_that_somebody_chose(self) -> None:
        assert source(an_index(name="t_a_by_hand"), BASE) is None

    def test_another_table(self) -> None:
        assert source(an_index(name="t_a_0123abcd", table="u"), BASE) is None

    def test_a_partial_index_on_the_columns_of_a_field(self) -> None:
        assert source(an_index(name="t_a_89abcdef", predicate="(a > 0)"), BASE) is None

    def test_a_covering_index_on_the_columns_of_a_field(self) -> None:
        assert source(an_index(name="t_a_89abcdef", include=("b",)), BASE) is None


class TestNamesThatMovedOn:
    def test_a_field_that_was_renamed_left_its_index_the_old_name(self) -> None:
        assert source(an_index(name="t_old_89abcdef"), BASE) == "shop.T.a"

    def test_the_companion_is_not_taken_for_the_plain_one(self) -> None:
        moved = replace(PATTERN, name="t_old_89abcdef_like")
        found = declarations(BASE, LIKE).of(moved)
        assert found is not None
        assert found.kind == "like"

    def test_a_table_has_one_primary_key_whatever_it_was_called(self) -> None:
        key = replace(BASE, kind="primary_key", names=("t_pkey",), is_unique=True, is_primary=True)
        assert source(an_index(name="old_pkey", is_primary=True, is_unique=True), key) == "shop.T.a"

    def test_a_unique_constraint_is_known_by_its_columns(self) -> None:
        unique = replace(BASE, kind="unique", names=("t_a_key",), is_unique=True)
        assert source(an_index(name="old_a_key", is_unique=True), unique) == "shop.T.a"


class TestATextFieldHasTwoIndexes:
    def test_which_know_each_other(self) -> None:
        companions = Companions(Indexes((PLAIN, PATTERN)), declarations(BASE, LIKE))
        assert (companions.of(PLAIN), companions.of(PATTERN)) == (PATTERN, PLAIN)

    def test_a_number_has_but_one(self) -> None:
        companions = Companions(Indexes((PLAIN, an_index(oid=3, name="else"))), declarations(BASE))
        assert companions.of(PLAIN) is None

    def test_where_neither_is_read_both_go(self) -> None:
        for index, declared, other in ((PLAIN, BASE, PATTERN), (PATTERN, LIKE, PLAIN)):
            text = drop(index, declared, other, companion_stays=False).text
            assert text.startswith(
                "Set db_index=False on shop.T.a, and in a migration with atomic = False:"
            )
            for name in ("t_a_0123abcd", "t_a_0123abcd_like"):
                assert f'DROP INDEX CONCURRENTLY IF EXISTS "public"."{name}";' in text

    def test_where_the_companion_is_read_it_stays_and_is_not_built_again(self) -> None:
        text = drop(PLAIN, BASE, PATTERN).text
        entry = 'models.Index(fields=["a"], opclasses=["varchar_pattern_ops"], name="t_a_idx")'
        assert f"put {entry} into Meta.indexes" in text
        assert 'ALTER INDEX "public"."t_a_0123abcd_like" RENAME TO "t_a_idx";' in text
        assert 'DROP INDEX CONCURRENTLY IF EXISTS "public"."t_a_0123abcd";' in text

    def test_where_the_plain_one_is_read_it_stays(self) -> None:
        text = drop(PATTERN, LIKE, PLAIN).text
        assert 'put models.Index(fields=["a"], name="t_a_idx") into Meta.indexes' in text
        assert 'ALTER INDEX "public"."t_a_0123abcd" RENAME TO "t_a_idx";' in text

    @pytest.mark.parametrize("beside", ["unique", "primary_key"])
    def test_beside_a_unique_index_it_is_left_alone(self, beside: str) -> None:
        like = replace(LIKE, beside=beside)
        fix = drop(PATTERN, like, replace(PLAIN, is_unique=True))
        assert fix.kind == "text"
        assert f"beside {beside}=True on shop.T.a: leave it" in fix.text
        assert severity(like, Severity.WARNING) is Severity.INFO

    def test_beside_a_foreign_key_the_key_is_edited(self) -> None:
        like = replace(LIKE, beside="foreign_key")
        assert drop(PATTERN, like, PLAIN).text.startswith(
            "Set db_index=False on shop.T.a, put models.Index("
        )


class TestTheFix:
    def test_of_an_undeclared_index_is_sql(self) -> None:
        assert drop(PLAIN, None) == Fix("sql", 'DROP INDEX CONCURRENTLY "public"."t_a_0123abcd";')

    def test_of_a_partitioned_index_is_not_concurrent(self) -> None:
        whole = replace(PLAIN, is_partitioned=True)
        meta = replace(BASE, kind="meta_index", field=None)
        assert drop(whole, None).text == 'DROP INDEX "public"."t_a_0123abcd";'
        assert drop(whole, meta).text.endswith('migrations.RemoveIndex("t", "t_a_0123abcd")')

    def test_of_a_partitioned_foreign_key_makes_the_parts_again_too(self) -> None:
        definition = "CREATE INDEX t_a ON ONLY public.t USING btree (a)"
        whole = replace(PLAIN, is_partitioned=True, definition=definition)
        text = drop(whole, replace(BASE, kind="foreign_key")).text
        assert "CREATE INDEX t_a ON public.t USING btree (a);" in text
        assert "CONCURRENTLY" not in text

    def test_of_a_meta_index_is_concurrent_and_says_where_from(self) -> None:
        text = drop(PLAIN, replace(BASE, kind="meta_index", field=None)).text
        assert "with atomic = False" in text
        assert 'RemoveIndexConcurrently("t", "t_a_0123abcd")' in text
        assert "django.contrib.postgres.operations" in text

    def test_of_a_foreign_key_leaves_the_constraint_alone(self) -> None:
        text = drop(PLAIN, replace(BASE, kind="foreign_key")).text
        assert "migrations.SeparateDatabaseAndState(" in text
        assert 'DROP INDEX CONCURRENTLY IF EXISTS "public"."t_a_0123abcd";' in text
        assert "CREATE INDEX CONCURRENTLY t_a ON public.t USING btree (a);" in text

    @pytest.mark.parametrize(
        "change", [{"is_third_party": True}, {"kind": "through"}], ids=["third party", "through"]
    )
    def test_of_what_is_not_the_projects_is_to_leave_it(self, change: dict[str, Any]) -> None:
        declared = replace(BASE, **change)
        fix = drop(PLAIN, declared)
        assert fix.kind == "text"
        assert "leave it" in fix.text
        assert severity(declared, Severity.WARNING) is Severity.INFO

    def test_the_line_of_an_installed_package_is_no_line_to_change(self) -> None:
        assert location(replace(BASE, is_third_party=True)) is None
        assert location(BASE) == Location("shop/models.py", 7)
