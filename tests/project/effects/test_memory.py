"""What the interpreter remembers: a call that is not followed again has done just what it did."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from django_dbaudit.project import views
from django_dbaudit.project.effects import reading, tree
from django_dbaudit.project.effects.memory import Memory, Summary
from flavors.models import Category
from stock.models import Supplier
from view_corpus import CORPUS


class Forgetful(Memory):
    """Follows every call anew."""

    def find(self, key: Any, method: str) -> Summary | None:
        return None


class Counting(Memory):
    """Counts what it knew."""

    found = 0

    def find(self, key: Any, method: str) -> Summary | None:
        summary = super().find(key, method)
        Counting.found += summary is not None
        return summary


def tables(node: tree.Node) -> list[str]:
    return [each.table for each in tree.walk(node) if isinstance(each, tree.Write)]


def test_the_views_of_the_shop_read_the_same_with_a_memory_and_without() -> None:
    memory = Memory()
    found, _ = views.walk()
    for live in found:
        for callback in live.callbacks:
            remembered = reading.interpret(callback, live.view.method, memory)
            assert remembered == reading.interpret(callback, live.view.method, Forgetful()), live.view


def test_so_does_the_corpus_in_either_order() -> None:
    callbacks = [
        (each.as_view() if hasattr(each, "as_view") else each, method) for each, method, *_ in CORPUS
    ]
    for several in (callbacks, callbacks[::-1]):
        memory = Memory()
        for callback, method in several:
            remembered = reading.interpret(callback, method, memory)
            assert remembered == reading.interpret(callback, method, Forgetful()), callback


class Basket:
    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.saved: list[Any] = []

    def fill(self) -> Basket:
        self.saved.append(self.kind(name="a"))
        return self


def empty(basket: Basket) -> None:
    for each in basket.saved:
        each.save()


def fills_two(request: HttpRequest) -> HttpResponse:
    first, second = Basket(Category), Basket(Supplier)
    first.fill()
    second.fill()
    empty(first)
    empty(second)
    return HttpResponse()


def fills_the_same_kind_twice(request: HttpRequest) -> HttpResponse:
    first, second = Basket(Category), Basket(Category)
    first.fill()
    empty(second.fill())
    empty(first)
    return HttpResponse()


def gives_back_what_it_got(basket: Basket) -> Basket:
    return basket


def changes_what_it_got_back(request: HttpRequest) -> HttpResponse:
    for kind in (Category, Category):
        basket = Basket(kind)
        gives_back_what_it_got(basket).fill()
        empty(basket)
    one, other = Basket(Supplier), Basket(Supplier)
    gives_back_what_it_got(one).fill()
    gives_back_what_it_got(other).fill()
    empty(other)
    return HttpResponse()


@pytest.mark.parametrize(
    ("view", "written"),
    [
        (fills_two, ["flavors_category", "stock_supplier"]),
        (fills_the_same_kind_twice, ["flavors_category", "flavors_category"]),
        (changes_what_it_got_back, ["flavors_category", "stock_supplier"]),
    ],
)
def test_what_a_call_does_to_an_object_it_does_to_the_next_ones(view: Any, written: list[str]) -> None:
    assert tables(reading.interpret(view, "POST", Memory())) == written


def by_method(request: HttpRequest) -> None:
    if request.method == "POST":
        Category.objects.create(name="a")
    else:
        Supplier.objects.create(name="b")


def for_all(request: HttpRequest) -> None:
    Category.objects.create(name="a")


def asks(request: HttpRequest) -> HttpResponse:
    for_all(request)
    by_method(request)
    return HttpResponse()


def test_who_asks_for_the_method_is_followed_for_each() -> None:
    memory = Memory()
    assert tables(reading.interpret(asks, "GET", memory)) == ["flavors_category", "stock_supplier"]
    assert tables(reading.interpret(asks, "POST", memory)) == ["flavors_category", "flavors_category"]


def marks(request: Any) -> Any:
    request.is_marked = Category
    return request


def is_marked(request: HttpRequest) -> HttpResponse:
    by_method(marks(request))
    return HttpResponse()


def test_a_request_that_was_changed_keeps_its_own_method() -> None:
    memory = Memory()
    assert tables(reading.interpret(is_marked, "GET", memory)) == ["stock_supplier"]
    assert tables(reading.interpret(is_marked, "POST", memory)) == ["flavors_category"]


def pretends(request: HttpRequest) -> HttpResponse:
    request.method = "POST"
    by_method(request)
    return HttpResponse()


def test_a_method_that_was_overridden_is_no_other_views() -> None:
    memory = Memory()
    assert tables(reading.interpret(asks, "GET", memory))[1] == "stock_supplier"
    assert tables(reading.interpret(pretends, "GET", memory)) == ["flavors_category"]


def test_a_call_that_is_for_all_methods_is_followed_once() -> None:
    memory = Counting()
    reading.interpret(asks, "GET", memory)
    before = Counting.found
    reading.interpret(asks, "POST", memory)
    assert Counting.found == before + 1
