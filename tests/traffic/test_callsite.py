from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.template import Context, Engine

import django_dbaudit
from django_dbaudit.traffic import callsite, coroutines, frames, trails
from django_dbaudit.traffic.budget import Budget
from flavors.models import Category, Flavor
from recorded import here, queries, query, view

pytestmark = pytest.mark.django_db

TEMPLATES = {
    "base.html": "<h1>\n{% block body %}{% endblock %}\n{{ flavors.count }}",
    "page.html": "{% extends 'base.html' %}\n{% block body %}\n{% include 'part.html' %}\n{% endblock %}",
    "part.html": "\n\n{% with f=flavors.first %}{{ f }}{% endwith %}\n{{ category.flavor_set.exists }}",
    "own.html": "{{ flavors.0 }}\n{% for flavor in rows %}\n{{ flavor.shelf }}{% endfor %}",
}
ENGINE = Engine(loaders=[("django.template.loaders.locmem.Loader", TEMPLATES)], debug=False)


class Shelved:
    """With a property of the project's that asks the database."""

    def __init__(self, flavor: Flavor) -> None:
        self.flavor = flavor

    @property
    def shelf(self) -> str:
        name: str = self.flavor.category.name
        return name


def shelved(*slugs: str) -> list[Shelved]:
    return [Shelved(flavor) for flavor in Flavor.objects.filter(slug__in=slugs)]


def render(name: str, **context: Any) -> str:
    return ENGINE.get_template(name).render(Context(context))


def at_depth(depth: int, work: Callable[[], Any]) -> Any:
    return at_depth(depth - 1, work) if depth else work()


# In code.


def test_the_line_of_a_call_that_spans_lines_is_within_it(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        first = here()
        list(
            Flavor.objects.filter(
                price=1,
            ),
        )
    assert first < query(traffic).site.line < first + 6


def test_the_depth_of_the_stack_makes_no_difference(flavors: list[Flavor]) -> None:
    def ask() -> None:
        Flavor.objects.count()

    with django_dbaudit.record() as traffic:
        for depth in (0, 3, 200, 3, 0):
            at_depth(depth, ask)
    assert query(traffic).site.line == ask.__code__.co_firstlineno + 1
    assert query(traffic).executions == 5


def test_a_stack_higher_than_we_look_is_the_caller_s_affair(flavors: list[Flavor]) -> None:
    limit = sys.getrecursionlimit()

    def endless() -> None:
        Flavor.objects.count()
        endless()

    with django_dbaudit.record() as traffic, pytest.raises(RecursionError):
        endless()
    assert sys.getrecursionlimit() == limit
    assert query(traffic, how="count").executions > 10


def test_the_same_sql_by_the_same_way_needs_no_second_walk(
    flavors: list[Flavor], monkeypatch: pytest.MonkeyPatch
) -> None:
    walks = []

    def counted(frame: Any, *rest: Any) -> callsite.Trail:
        walks.append(frame)
        return callsite.walk(frame, *rest)

    monkeypatch.setattr(trails, "walk", counted)
    with django_dbaudit.record():
        for _ in range(5):
            Flavor.objects.get(slug="flavor-1")
    assert len(walks) == 1


def test_a_helper_s_line_is_the_line(flavors: list[Flavor]) -> None:
    def helper(number: int) -> Flavor:
        found: Flavor = Flavor.objects.get(slug=f"flavor-{number}")
        return found

    with django_dbaudit.record() as traffic:
        helper(1)
        helper(2)
    assert query(traffic).site.function.endswith("helper")
    assert query(traffic).executions == 2


@pytest.mark.parametrize(
    ("do", "how"),
    [
        (lambda f: f.category, "relation"),
        (lambda f: f.save(), "save"),
        (lambda f: f.save(update_fields=["price"]), "save"),
        (lambda f: f.refresh_from_db(), "refresh_from_db"),
        (lambda f: f.delete(), "delete"),
        (lambda f: Category.objects.create(name="x"), "create"),
        (lambda f: Category.objects.bulk_create([Category(name="x")]), "bulk_create"),
        (lambda f: Flavor.objects.bulk_update([f], ["price"]), "bulk_update"),
        (lambda f: Category.objects.get_or_create(name="x"), "get_or_create"),
        (lambda f: list(Category.objects.prefetch_related("flavor_set")), "prefetch"),
        (lambda f: sorted(Flavor.objects.all(), key=str), "iteration"),
        (lambda f: f in Flavor.objects.all(), "iteration"),
        (lambda f: list(Flavor.objects.all().iterator()), "iterator"),
        (lambda f: f.full_clean(), "validation"),
        (lambda f: connection.cursor().execute("SELECT 1"), "cursor"),
        (
            lambda f: connection.cursor().executemany("UPDATE flavors_flavor SET price = %s", [(1,), (2,)]),
            "cursor",
        ),
        (lambda f: f.reviews.exists(), "exists"),
    ],
)
def test_what_the_line_did(flavors: list[Flavor], do: Any, how: str) -> None:
    flavor = Flavor.objects.get(slug="flavor-1")
    with django_dbaudit.record() as traffic:
        do(flavor)
    assert how in {each.how for each in queries(traffic)}
    assert {each.site.kind for each in queries(traffic)} == {"code"}


# In templates.


def test_lines_of_included_and_extended_templates(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        render("page.html", flavors=Flavor.objects.all(), category=flavors[0].category)
    assert {(each.how, each.site.path, each.site.line) for each in queries(traffic)} == {
        ("count", "base.html", 3),
        ("first", "part.html", 3),
        ("exists", "part.html", 4),
    }
    assert {each.phase for each in queries(traffic)} == {"template"}


def test_the_template_s_line_above_a_property(flavors: list[Flavor]) -> None:
    rows, again, (alone,) = shelved("flavor-0", "flavor-1"), shelved("flavor-0"), shelved("flavor-0")
    with django_dbaudit.record() as traffic:
        # By the same way through the code, but not from a template.
        alone.shelf  # noqa: B018  # it asks the database
        render("own.html", flavors=Flavor.objects.all(), rows=rows)
        render("own.html", flavors=Flavor.objects.all(), rows=again)
    found = {each.rendered_at.line: each for each in queries(traffic, how="relation")}
    assert {line: (each.phase, each.executions) for line, each in found.items()} == {
        0: ("block", 1),
        3: ("template", 3),
    }
    assert {each.site.function.rpartition(".")[2] for each in found.values()} == {"shelf"}
    assert query(traffic, how="index").site.line == 1


def test_a_template_is_not_held(flavors: list[Flavor]) -> None:
    import gc
    import weakref

    template = Engine().from_string("{{ flavors.count }}")
    held = weakref.ref(template)
    with django_dbaudit.record():
        template.render(Context({"flavors": Flavor.objects.all()}))
    del template
    gc.collect()
    assert held() is None


# Whose code.


def test_a_package_s_line_is_told_where_there_is_no_other(flavors: list[Flavor]) -> None:
    def look(name: str) -> frames.Owner:
        return frames.info_of(compile("1", name, "exec")).owner

    assert look(pytest.__file__) is frames.Owner.LIBRARY
    assert look(SessionStore.__module__.replace(".", "/") + ".py") is frames.Owner.PROJECT
    assert look(sys.modules[SessionStore.__module__].__file__ or "") is frames.Owner.LIBRARY
    assert look(sys.modules[LogEntry.__module__].__file__ or "") is frames.Owner.LIBRARY
    assert look(__file__) is frames.Owner.PROJECT
    assert look(threading_file()) is frames.Owner.MACHINERY
    assert look("<string>") is frames.Owner.MACHINERY
    assert look("<console>") is frames.Owner.PROJECT


def threading_file() -> str:
    import threading

    return threading.__file__


def test_packages_can_be_named_the_project_s(settings: Any) -> None:
    import rest_framework

    code = compile("1", rest_framework.__file__, "exec")
    assert frames.info_of(code).owner is frames.Owner.LIBRARY
    settings.DBAUDIT = {"PROJECT_PATHS": [rest_framework.__path__[0]]}
    assert frames.info_of(code).owner is frames.Owner.PROJECT


def test_paths_are_shown_as_a_reader_knows_them() -> None:
    assert frames.shown(__file__) == "tests/traffic/test_callsite.py"
    assert frames.shown(sys.modules[SessionStore.__module__].__file__ or "") == (
        "django/contrib/sessions/backends/db.py"
    )
    assert frames.shown("/srv/elsewhere/views.py") == "/srv/elsewhere/views.py"


# Bounds.


@pytest.mark.parametrize(
    "budget", [frames._budget, callsite._sites_budget, callsite._probes_budget, trails.budget]
)
def test_what_is_remembered_is_bounded(
    flavors: list[Flavor], monkeypatch: pytest.MonkeyPatch, budget: Budget
) -> None:
    monkeypatch.setattr(budget, "most_bytes", 3_000)
    with django_dbaudit.record() as traffic:
        for number in range(20):
            code = compile(f"Flavor.objects.filter(price={number}).count()", f"/srv/{number}.py", "exec")
            exec(code, {"Flavor": Flavor})
    assert view(traffic).executions == 20
    assert {each.site.path for each in queries(traffic)} == {f"/srv/{number}.py" for number in range(20)}


FIELDS = ("pk", "slug", "price", "title")


def test_caches_that_are_emptied_amid_a_request_part_no_line_in_two(
    flavors: list[Flavor], monkeypatch: pytest.MonkeyPatch
) -> None:
    for budget in (frames._budget, callsite._sites_budget, callsite._probes_budget, trails.budget):
        budget.clear()
        monkeypatch.setattr(budget, "most_bytes", 0)
    with django_dbaudit.record() as traffic:
        for flavor in flavors:
            Flavor.objects.get(pk=flavor.pk)
            # Pushes out what the line before has left there.
            Flavor.objects.filter(pk=flavor.pk).only(*FIELDS[: 1 + flavor.pk % 3]).first()
    assert [each.most_executions for each in queries(traffic, how="get")] == [len(flavors)]


def test_code_that_is_gone_is_not_taken_for_another(flavors: list[Flavor]) -> None:
    with django_dbaudit.record() as traffic:
        for number in range(50):
            # Each is freed before the next is made, and may get the same address.
            exec(compile("Flavor.objects.count()", f"/srv/{number}.py", "exec"), {"Flavor": Flavor})
    assert sorted(each.site.path for each in queries(traffic)) == sorted(f"/srv/{n}.py" for n in range(50))
    assert {each.executions for each in queries(traffic)} == {1}


def test_a_thread_that_is_quicker_than_the_coroutine_that_awaits_it() -> None:
    async def waits() -> Any:
        found: list[Any] = []
        task = coroutines.current_task()
        thread = threading.Thread(target=lambda: found.append(coroutines.awaiting_site(task)))
        thread.start()
        # It waits without being suspended, as in the moment before it is.
        thread.join()
        return found[0]

    async def serves() -> Any:
        return await waits()

    site = asyncio.run(serves())
    assert (site.call_site.kind, site.call_site.function.rpartition(".")[2]) == ("code", "waits")


def test_two_places_of_one_line_are_one_site_of_a_coroutine() -> None:
    def twice() -> Any:
        return [(yield 1), (yield 2)]

    generator = twice()
    first, second = [callsite.site_of_line(generator.gi_frame) for _ in generator]
    assert first is second
    assert callsite.site_of_line(sys._getframe()) is not first
