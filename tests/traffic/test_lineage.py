from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Count, Exists, OuterRef, Prefetch, Subquery
from django.db.models.fields.related_descriptors import ReverseManyToOneDescriptor
from django.db.models.sql import Query
from django.forms import modelform_factory
from django.template import Context, Engine

import django_dbaudit
from django_dbaudit.traffic import patches, trouble
from django_dbaudit.traffic.lineage import ATTRIBUTE, Lineage
from flavors.models import Category, Flavor
from recorded import here, queries, query, queryset, querysets, view
from stock.models import StockItem
from users.models import User

pytestmark = pytest.mark.django_db


def never_executed(traffic: Any) -> list[int]:
    """The lines of querysets that were built for nothing."""
    return [each.site.line for each in querysets(traffic) if not each.is_executed]


# Querysets are as without us.


def test_nothing_hangs_in_a_query_while_nothing_is_recorded() -> None:
    assert ATTRIBUTE not in vars(Flavor.objects.all().query)


def test_a_queryset_is_pickled_and_means_the_same(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        found = pickle.loads(pickle.dumps(Flavor.objects.filter(price__gt=1)))
        query_only = Flavor.objects.all()
        query_only.query = pickle.loads(pickle.dumps(Flavor.objects.filter(price__gt=3).query))
        assert (len(found), len(query_only)) == (3, 1)
    # Django executes a queryset to pickle it, but not a query.
    assert view(traffic).executions == 2


def test_a_pickled_queryset_is_read_where_we_are_not_installed(flavors: list[Flavor]) -> None:
    with django_dbaudit.record():
        pickled = pickle.dumps(Flavor.objects.filter(price__gt=1).query)
    assert b"django_dbaudit" not in pickled


def test_a_copy_is_the_same_queryset(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        found = Flavor.objects.all()
        for each in (copy.deepcopy(found), found.all(), found.order_by()):
            assert len(each) == 4
    assert (queryset(traffic).built, queryset(traffic).executions) == (1, 3)


def test_a_query_equals_what_it_equals_without_us() -> None:
    with django_dbaudit.record():
        inside = Flavor.objects.all().query
    assert (inside == Flavor.objects.all().query) is (
        Flavor.objects.all().query == Flavor.objects.all().query
    )
    assert str(inside) == str(Flavor.objects.all().query)


def test_classes_of_the_project_are_built_as_they_are(flavors: list[Flavor]) -> None:
    class OwnQuery(Query):
        def __init__(self, model: Any, extra_argument: int = 0, **kwargs: Any) -> None:
            super().__init__(model, **kwargs)
            self.extra_argument = extra_argument

    class OwnQuerySet(models.QuerySet[Flavor]):
        def cheap(self) -> OwnQuerySet:
            cheap: OwnQuerySet = self.filter(price__lt=3)
            return cheap

    with django_dbaudit.record() as traffic:
        own = OwnQuerySet(Flavor, query=OwnQuery(Flavor, 7))
        assert getattr(own.query, "extra_argument", 0) == 7
        assert ATTRIBUTE not in vars(own.query)
        assert len(OwnQuerySet(Flavor).cheap()) == 2
        assert len(own) == 4
    assert (queryset(traffic).built, queryset(traffic).executions) == (1, 1)


def test_signatures_are_django_s() -> None:
    import inspect

    assert list(inspect.signature(Query.__init__).parameters) == ["self", "model", "alias_cols"]
    assert Query.get_compiler.__name__ == "get_compiler"


def test_uninstalled_the_methods_are_django_s_again() -> None:
    patches.uninstall()
    try:
        assert Query.__init__ is patches.query_init
        assert len(Flavor.objects.none()) == 0
    finally:
        patches.install()


def test_what_another_has_put_over_ours_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(self: Query, *args: Any, **kwargs: Any) -> None:
        ours(self, *args, **kwargs)

    ours = Query.__init__
    monkeypatch.setattr(Query, "__init__", theirs)
    patches.uninstall()
    patches.install()
    assert Query.__init__ is theirs
    with django_dbaudit.record():
        assert getattr(Flavor.objects.all().query, ATTRIBUTE)


# What is not a queryset that was built for nothing.


def test_creating_needs_no_queryset(db: None) -> None:
    with django_dbaudit.record() as traffic:
        category = Category.objects.create(name="a")
        Category.objects.bulk_create([Category(name="b")])
        Category.objects.get_or_create(name="c")
        Category.objects.update_or_create(name="d")
        category.flavor_set.create(title="x", slug="x", price=1)
        Category(name="e").save()
        category.save()
        category.refresh_from_db()
        category.flavor_set.all().delete()
        user = User.objects.create_user("u", "u@example.com")
        user.groups.add(Group.objects.create(name="g"))
        user.groups.create(name="h")
    assert never_executed(traffic) == []


def test_what_prefetch_fills_is_not_built_for_nothing(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        for category in Category.objects.prefetch_related("flavor_set"):
            assert len(category.flavor_set.all()) == 2
            assert category.flavor_set.count() == 2
        cheap = Flavor.objects.filter(price__lt=3)
        list(Category.objects.prefetch_related(Prefetch("flavor_set", cheap, to_attr="cheap")))
    assert never_executed(traffic) == []
    assert all(each.executions == each.built for each in querysets(traffic))


def test_subqueries_and_parts_of_a_union_are_used(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        cheap, dear = Flavor.objects.filter(price__lt=2), Flavor.objects.filter(price__gt=3)
        assert len(Category.objects.filter(flavor__in=cheap)) == 1
        assert len(cheap.union(dear)) == 2
        assert len(cheap | dear) == 2
        of_category = Flavor.objects.filter(category=OuterRef("pk"))
        list(Category.objects.filter(Exists(of_category)))
        list(Category.objects.annotate(first=Subquery(of_category.values("title")[:1])))
    assert never_executed(traffic) == []


def test_one_that_cannot_have_rows_is_answered_without_a_query(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        assert list(Flavor.objects.filter(pk__in=[])) == []
        assert not Flavor.objects.none()
    assert view(traffic).executions == 0
    assert never_executed(traffic) == []


def test_none_is_there_to_have_no_rows(db: None) -> None:
    with django_dbaudit.record() as traffic:
        Flavor.objects.none()
    assert never_executed(traffic) == []


def test_raw_sql_builds_no_queryset(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        assert len(list(Flavor.objects.raw("SELECT * FROM flavors_flavor"))) == 4
    assert query(traffic).how == "raw"
    assert never_executed(traffic) == []


def test_one_that_was_built_before_is_counted_by_nobody(flavors: list[Flavor]) -> None:
    before = Flavor.objects.all()
    with django_dbaudit.record():
        in_another = Flavor.objects.all()
    with django_dbaudit.record() as traffic:
        assert len(before) == len(in_another) == 4
    assert view(traffic).executions == 2
    assert querysets(traffic) == []


# What became of querysets.


def test_built_and_never_executed(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        line, _ = here(), Flavor.objects.filter(price__gt=1).order_by("title")
    assert never_executed(traffic) == [line]
    found = queryset(traffic)
    assert (found.model, found.built, found.executions, found.phase) == ("flavors.Flavor", 1, 0, "")


def test_a_chain_is_one(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        list(Flavor.objects.all().filter(price__gt=1).exclude(price=9).order_by("title").distinct())
    assert (queryset(traffic).built, queryset(traffic).executions) == (1, 1)


def test_what_is_cached_is_not_executed_again(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        found = Flavor.objects.all()
        for _ in range(3):
            assert len(list(found)) == len(found)
            assert found[0]
    assert (queryset(traffic).hows, queryset(traffic).executions) == (("iteration",), 1)


@pytest.mark.parametrize(
    ("do", "hows"),
    [
        (lambda found: (found.exists(), list(found)), ("exists", "iteration")),
        (lambda found: (found.count(), list(found)), ("count", "iteration")),
        (lambda found: (list(found.all()), list(found.all())), ("iteration", "iteration")),
        (lambda found: (found[0], found[1], list(found)), ("index", "index", "iteration")),
        (lambda found: (bool(found), len(found)), ("bool",)),
        (lambda found: (len(found), bool(found)), ("len",)),
        (lambda found: [found[n] for n in range(4)] + [found[0]], ("index",) * 4),
        (lambda found: [list(found[n : n + 1]) for n in range(2)], ("slice", "slice")),
        (lambda found: Paginator(found, 2).page(1)[0], ("count", "slice")),
        (lambda found: list(found.iterator(chunk_size=1)), ("iterator",)),
        (lambda found: (found.first(), found.last()), ("first", "last")),
        (lambda found: found.aggregate(Count("pk")), ("aggregate",)),
        (lambda found: found.distinct()[:3].count(), ("count",)),
        (lambda found: found.update(price=5), ("update",)),
        (lambda found: found.values_list("pk", flat=True).get(title="flavor 1"), ("get",)),
        (lambda found: found.in_bulk(), ("in_bulk",)),
        (lambda found: found.contains(Flavor(pk=1)), ("contains",)),
        (lambda found: found.earliest("price"), ("earliest",)),
        (repr, ("repr",)),
    ],
)
def test_each_execution_is_told_by_what_was_done(
    flavors: list[Flavor], do: Any, hows: tuple[str, ...]
) -> None:
    with django_dbaudit.record() as traffic:
        do(Flavor.objects.order_by("title"))
    (found,) = [each for each in querysets(traffic) if each.model == "flavors.Flavor"]
    assert found.hows == hows
    assert found.built == 1


@pytest.mark.parametrize(
    ("do", "fetched", "unread"),
    [
        (lambda: list(Flavor.objects.all()), 1, 0),
        (lambda: len(Flavor.objects.all()), 1, 1),
        (lambda: bool(Flavor.objects.all()), 1, 1),
        (lambda: bool(Flavor.objects.filter(price__gt=999)), 0, 0),
        (lambda: Flavor.objects.all()[0], 0, 0),
        (lambda: Flavor.objects.get(title="flavor 1"), 0, 0),
        (Flavor.objects.all().count, 0, 0),
        (lambda: Flavor.objects.update(price=2), 0, 0),
        (lambda: pickle.dumps(Flavor.objects.all()), 1, 0),
    ],
)
def test_rows_are_unread_if_somebody_could_still_read_them(
    flavors: list[Flavor], do: Any, fetched: int, unread: int
) -> None:
    with django_dbaudit.record() as traffic:
        do()
    found = querysets(traffic)
    assert (sum(each.fetched for each in found), sum(each.unread for each in found)) == (fetched, unread)


def test_saving_an_object_leaves_no_rows_unread(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        flavors[0].save()
    assert [each.unread for each in querysets(traffic)] == [0]


class ManagerOfAnother(ReverseManyToOneDescriptor):  # type: ignore[type-arg]  # not generic at run time
    """A relation of another package's making, which may hand out its rows as it likes."""


@pytest.mark.parametrize(("descriptor", "loads"), [(None, 1), (ManagerOfAnother, 0)])
def test_only_django_s_own_relations_are_judged(
    flavors: list[Flavor], monkeypatch: pytest.MonkeyPatch, descriptor: Any, loads: int
) -> None:
    if descriptor:
        monkeypatch.setattr(Category, "flavor_set", descriptor(Category.flavor_set.rel))
    with django_dbaudit.record() as traffic:
        list(Category.objects.prefetch_related("flavor_set"))
    assert len(view(traffic).eager_loads) == loads


def test_a_queryset_that_a_package_builds_stands_at_its_line(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        modelform_factory(Flavor, fields=["category"])().as_p()
    assert {each.site.kind for each in querysets(traffic)} == {"library"}


def test_deleting_executes_the_queryset(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        Flavor.objects.filter(price__gt=1).delete()
    assert never_executed(traffic) == []


def test_where_it_was_built_and_where_it_was_executed(flavors: list[Flavor]) -> None:
    template = Engine().from_string("{% for flavor in flavors %}{{ flavor.title }}{% endfor %}")
    with django_dbaudit.record() as traffic:
        line, found = here(), Flavor.objects.all()
        template.render(Context({"flavors": found}))
    assert (queryset(traffic).site.line, queryset(traffic).phase) == (line, "template")
    assert query(traffic).site.kind == "template"


def test_a_manager_of_the_project_is_not_where_a_queryset_is_wanted(flavors: list[Flavor]) -> None:
    class Cheap(models.Manager[Flavor]):
        def get_queryset(self) -> models.QuerySet[Flavor]:
            cheap: models.QuerySet[Flavor] = super().get_queryset().filter(price__lt=3)
            return cheap

    manager = Cheap()
    manager.model = Flavor
    with django_dbaudit.record() as traffic:
        line, found = here(), manager.order_by("title")
        assert len(found) == 2
    assert queryset(traffic).site.line == line


@pytest.mark.parametrize(
    ("do", "relation"),
    [
        (lambda c: list(c.flavor_set.all()), "flavors.Category.flavor_set"),
        (lambda c: c.flavor_set.count(), "flavors.Category.flavor_set"),
        (lambda c: c.flavor_set.filter(price=1).first(), "flavors.Category.flavor_set"),
        (lambda c: Flavor.objects.first().category, "flavors.Flavor.category"),
        (lambda c: list(User(pk=1).groups.all()), "users.User.groups"),
        (lambda c: list(Group(pk=1).user_set.all()), "auth.Group.user_set"),
        (lambda c: Flavor.objects.only("pk").first().title, "flavors.Flavor.title"),
    ],
)
def test_the_relation_is_named(flavors: list[Flavor], do: Any, relation: str) -> None:
    category = Category.objects.all()[0]
    with django_dbaudit.record() as traffic:
        do(category)
    assert {each.relation for each in queries(traffic)} - {""} == {relation}


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_line_is_known_by_what_it_built(committed_flavors: list[Flavor]) -> None:
    async def ask() -> None:
        await Flavor.objects.aget(title="flavor 1")
        [flavor async for flavor in Flavor.objects.all()]
        await Flavor.objects.acount()
        first = await Flavor.objects.afirst()
        assert first
        await first.arefresh_from_db()

    with django_dbaudit.record() as traffic:
        async_to_sync(ask)()
    start = ask.__code__.co_firstlineno
    lines = {each.how: each.site.line - start for each in queries(traffic)}
    assert {how: lines[how] for how in ("get", "iteration", "count", "first")} == {
        "get": 1,
        "iteration": 2,
        "count": 3,
        "first": 4,
    }


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_block_knows_lines_without_a_queryset(committed_flavors: list[Flavor]) -> None:
    async def ask() -> Any:
        first = await Flavor.objects.aget(title="flavor 1")
        with django_dbaudit.record() as traffic:
            await first.arefresh_from_db()
        return traffic

    traffic = async_to_sync(ask)()
    assert query(traffic).site.line == ask.__code__.co_firstlineno + 3


def test_many_querysets_keep_a_bounded_number(
    flavors: list[Flavor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "MOST_LINEAGES", 3)
    with django_dbaudit.record() as traffic:
        for _ in range(10):
            Flavor.objects.all()
    assert queryset(traffic).built == 3


def test_an_error_of_ours_leaves_the_queryset_built(
    flavors: list[Flavor], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Lineage, "_trace", broken)
    with django_dbaudit.record() as traffic:
        assert len(Flavor.objects.all()) == 4
    assert view(traffic).executions == 1
    assert querysets(traffic) == []


@pytest.mark.parametrize("step", ["stock", "category"])
def test_a_relation_to_one_is_followed_without_trouble(
    flavors: list[Flavor], caplog: pytest.LogCaptureFixture, step: str
) -> None:
    StockItem.objects.create(flavor=flavors[0])
    trouble.rearm()
    flavor = Flavor.objects.get(pk=flavors[0].pk)
    with django_dbaudit.record() as traffic:
        assert getattr(flavor, step)
    assert queryset(traffic).executions == 1
    assert caplog.records == []


def test_the_package_loads_without_the_orm() -> None:
    code = "import django_dbaudit, sys; assert 'django.db' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
