"""What models declare and what the database has are held against each other, both ways."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection

import oddities.models
from django_dbaudit.analysis.declaration import Declarations
from django_dbaudit.conf import Config
from django_dbaudit.facts import gather
from django_dbaudit.postgres.indexes import Index, Indexes
from django_dbaudit.project import models, naming
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def indexes() -> tuple[Index, ...]:
    (known,) = gather(["default"], {Indexes}, Config()).aliases
    found: Indexes = known.get(Indexes)
    return found.items


@pytest.fixture
def declared() -> DeclaredIndexes:
    return models.read("default")


def managed(declared: DeclaredIndexes) -> Iterator[DeclaredIndex]:
    return (each for each in declared.items if each.table in declared.tables)


def test_every_index_of_the_database_is_traced_to_what_declares_it(
    indexes: tuple[Index, ...], declared: DeclaredIndexes
) -> None:
    declarations = Declarations(declared)
    unknown = [each.name for each in indexes if declarations.of(each) is None]
    assert unknown == []
    assert len(indexes) > 90


def test_every_declared_index_is_in_the_database(
    indexes: tuple[Index, ...], declared: DeclaredIndexes
) -> None:
    present = {(each.table, each.name) for each in indexes}
    missing = [
        each.source
        for each in managed(declared)
        if not any((each.table, name) in present for name in each.names)
    ]
    assert missing == []


def test_no_two_declarations_claim_the_same_index(
    indexes: tuple[Index, ...], declared: DeclaredIndexes
) -> None:
    for index in indexes:
        claims = [each for each in declared.items if each.table == index.table and index.name in each.names]
        assert len(claims) <= 1, index.name


def test_a_declaration_names_the_columns_of_its_index(
    indexes: tuple[Index, ...], declared: DeclaredIndexes
) -> None:
    declarations = Declarations(declared)
    for index in indexes:
        declaration = declarations.of(index)
        if declaration and declaration.columns:
            assert declaration.columns == index.columns, index.name
            assert declaration.is_unique == index.is_unique, index.name


def test_the_structure_of_every_entry_of_meta_is_known(declared: DeclaredIndexes) -> None:
    entries = [each for each in declared.items if each.kind in ("meta_index", "constraint")]
    assert len(entries) > 20
    assert [each.names for each in entries if each.structure is None] == []


def test_an_index_of_one_geometry_is_geodjangos_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its class: seen on PostGIS, which makes a gist of a BrinIndex. A raster's is of its hull."""
    field = oddities.models.Constrained._meta.get_field("b")
    monkeypatch.setattr(field, "geodetic", False, raising=False)
    monkeypatch.setattr(field, "geom_type", "RASTER", raising=False)
    found = {each.names[0]: each for each in models.read("default").items}
    assert found["constrained_partial"].structure is None
    assert found["constrained_partial"].columns == ()
    assert found["constrained_direction"].structure is not None
    assert found["constrained_direction"].columns == ("a", "b")


def test_the_database_is_not_asked(django_assert_num_queries: object) -> None:
    with connection.execute_wrapper(_refuse):
        models.read("default")


def _refuse(*_: object) -> None:
    raise AssertionError("a query was sent")


def line_of(text: str) -> int:
    """The first line of the odd models that holds this text."""
    lines = inspect.getsource(oddities.models).splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize(
    ("index", "source", "line"),
    [
        ("oddities_parent_number_key", "oddities.Parent.number", "number = models"),
        ("oddities_parent_created", "oddities.Parent.created", "created = models"),
        ("parent_newest", "oddities.Parent Meta.indexes", "%(class)s_newest"),
        ("oddities_parent_tags_", "oddities.Parent.tags", "tags = models"),
        ("oddities_parent_friends_", "oddities.Parent.friends", "friends = models"),
        ("oddities_child_pkey", "oddities.Child.parent_ptr", "class Child"),
        ("oddities_clubmember_club", "oddities.ClubMember.club", "club = models"),
        ("constrained_hash", "oddities.Constrained Meta.indexes", 'name="constrained_hash"'),
        ("constrained_late", "oddities.Constrained Meta.constraints", 'name="constrained_late"'),
        ("oddities_constrained_a_b_", "oddities.Constrained Meta.unique_together", '("a", "b")'),
        ("oddities_composite_pkey", "oddities.Composite.pk", "pk = models"),
        ("Odd Table-Name_The Value", "oddities.Quoted.value", "value = models"),
    ],
)
def test_an_index_leads_to_its_line(
    index: str, source: str, line: str, indexes: tuple[Index, ...], declared: DeclaredIndexes
) -> None:
    declarations = Declarations(declared)
    found = [declarations.of(each) for each in indexes if each.name.startswith(index)]
    assert found
    for declaration in found:
        assert declaration is not None
        assert declaration.source == source
        assert declaration.location is not None
        assert declaration.location.path.endswith("oddities/models.py")
        assert declaration.location.line == line_of(line)


def test_code_that_pip_installed_is_not_the_projects(declared: DeclaredIndexes) -> None:
    by_source = {each.source: each for each in declared.items}
    assert by_source["auth.Group.name"].is_third_party
    # The model is the project's, the field is Django's.
    assert by_source["users.User.username"].is_third_party
    assert not by_source["flavors.Flavor.category"].is_third_party


def test_models_of_another_alias_are_known_but_not_expected(settings: object) -> None:
    class Nowhere:
        def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
            return app_label != "oddities"

    settings.DATABASE_ROUTERS = [Nowhere()]  # type: ignore[attr-defined]  # pytest-django's fixture
    declared = models.read("default")
    odd = [each for each in declared.items if each.model.startswith("oddities.")]
    assert odd
    assert not [each for each in odd if each.is_managed]
    assert not [each for each in declared.tables if each.startswith("oddities_")]
    assert declared.tables


def test_every_model_of_the_project_was_walked(declared: DeclaredIndexes) -> None:
    models = {each.model for each in declared.items}
    skipped = {model._meta.label for model in apps.get_models()} - models
    assert skipped == {"oddities.ParentProxy"}


@pytest.mark.parametrize(
    ("table", "column", "label", "name"),
    [
        ("orders", "code", "key", "orders_code_key"),
        ("orders", "", "pkey", "orders_pkey"),
        ("t" * 60, "c" * 60, "key", "t" * 29 + "_" + "c" * 29 + "_key"),
        ("t" * 63, "c", "key", "t" * 57 + "_c_key"),
        ("é" * 40, "", "pkey", "é" * 29 + "_pkey"),
    ],
)
def test_the_servers_own_names_are_cut_as_it_cuts_them(
    table: str, column: str, label: str, name: str
) -> None:
    assert naming.of_server(table, column, label) == name
