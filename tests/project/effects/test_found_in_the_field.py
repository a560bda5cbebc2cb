"""What real projects do that was once missed: each view as small as it can be and still be it."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest
from django import forms
from django.contrib.messages.views import SuccessMessageMixin
from django.http import HttpRequest, HttpResponse
from django.views.generic import CreateView

from django_dbaudit.analysis import verdicts
from django_dbaudit.project.effects import reading
from django_dbaudit.project.effects.facts import ViewEffects
from django_dbaudit.project.views import View
from flavors.models import Category, Flavor
from stock.models import Supplier


def judge(view: Any, method: str = "POST") -> verdicts.Verdict:
    callback = view.as_view() if hasattr(view, "as_view") else view
    about = View(view.__name__, method, "function", (), is_third_party=False, is_async=False, location=None)
    return verdicts.judge(ViewEffects(about, reading.interpret(callback, method)))


def clears_by_the_default_name_of_a_relation(request: HttpRequest) -> HttpResponse:
    flavor = Flavor.objects.get()
    flavor.save()
    flavor.orderline_set.all().delete()
    return HttpResponse()


def test_a_relation_without_a_related_name_is_followed() -> None:
    assert judge(clears_by_the_default_name_of_a_relation).max_units == 2


class WithTags(forms.ModelForm):  # type: ignore[type-arg]  # as a project writes it
    class Meta:
        model = Category
        fields = ("name",)

    def save(self, commit: bool = True) -> Category:  # as Django has it
        Supplier.objects.create(name="beside")
        made: Category = super().save(commit)
        return made


class AddsWithAMessage(SuccessMessageMixin, CreateView):  # type: ignore[type-arg]  # as above
    form_class = WithTags
    success_message = "added"


def test_a_mixin_of_the_messages_app_hides_no_save() -> None:
    assert judge(AddsWithAMessage).max_units == 2


FORM = f"{__name__}.WithTags"


def names_its_form_by_a_path(request: HttpRequest) -> HttpResponse:
    place, name = FORM.rsplit(".", 1)
    form = getattr(importlib.import_module(place), name)(request.POST)
    form.save()
    return HttpResponse()


def test_a_class_that_is_named_by_its_path_is_found() -> None:
    assert judge(names_its_form_by_a_path).max_units == 2


def names_a_module_that_nobody_loaded(request: HttpRequest) -> HttpResponse:
    importlib.import_module("a_module.that_is.not_there").save()
    return HttpResponse()


def test_a_module_is_not_loaded_for_us() -> None:
    verdict = judge(names_a_module_that_nobody_loaded)
    assert verdict.word == "unresolved"
    assert "a_module" not in sys.modules


def asks_a_text(request: HttpRequest) -> HttpResponse:
    if FORM.startswith("nothing"):
        Category.objects.create(name="a")
    if FORM.lower().split("x", "not a number"):  # type: ignore[arg-type]  # what a view does wrong is its own
        Supplier.objects.create(name="b")
    return HttpResponse()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_which_way_a_test_of_a_text_goes_is_left_open(method: str) -> None:
    assert judge(asks_a_text, method).max_units == 2
