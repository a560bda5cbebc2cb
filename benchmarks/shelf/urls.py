from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from shelf.models import Author, Book

PAGE = "<html><body>{}</body></html>"


def empty() -> object:
    return ""


def queries(number: int) -> str:
    return "".join(Author.objects.get(pk=key).name for key in range(1, number + 1))


def n_plus_one() -> str:
    return "".join(book.author.name for book in Book.objects.order_by("pk")[:200])


def rows() -> str:
    return "".join(book.title for book in Book.objects.all())


def writes() -> str:
    for key in range(1, 21):
        Author(pk=key, name="written").save(force_update=True)
    return ""


def writes_in_atomic() -> str:
    with transaction.atomic():
        return writes()


#: What is asked, by its path, and how often in one measurement.
CASES: dict[str, tuple[Callable[[], Any], int]] = {
    "no query": (empty, 200),
    "10 queries": (lambda: queries(10), 15),
    "100 queries": (lambda: queries(100), 2),
    "N+1 of 201": (n_plus_one, 1),
    "1,000 rows": (rows, 3),
    "20 writes": (writes, 3),
    "in atomic": (writes_in_atomic, 3),
}


def _view(work: Callable[[], Any]) -> Callable[[HttpRequest], HttpResponse]:
    return lambda request: HttpResponse(PAGE.format(work()))


urlpatterns = [path(f"{number}/", _view(work)) for number, (work, _) in enumerate(CASES.values())]
if "silk" in settings.INSTALLED_APPS:
    urlpatterns.append(path("silk/", include("silk.urls", namespace="silk")))
if "debug_toolbar" in settings.INSTALLED_APPS:
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))
