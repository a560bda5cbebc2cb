"""A URLconf with every kind of callback that Django would call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.contrib.syndication.views import Feed
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods
from django.views.generic import CreateView, TemplateView
from rest_framework import viewsets
from rest_framework.decorators import action, api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from flavors.models import Category

Callback = Callable[..., HttpResponse]


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def deletes(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.method == "DELETE")


@csrf_exempt
@require_http_methods(["PUT", "PATCH"])
def restricted(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@login_required
@require_GET
def guarded(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def hiding(function: Callback) -> Callback:
    """A decorator that forgets functools.wraps."""

    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return function(request, *args, **kwargs)

    return inner


@hiding
def hidden(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@hiding
@transaction.non_atomic_requests
def loses_its_mark(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@transaction.non_atomic_requests
def on_its_own(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def with_more(request: HttpRequest, more: int) -> HttpResponse:
    return HttpResponse(more)


async def awaited(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Answers:
    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


class Methods(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    @method_decorator(transaction.non_atomic_requests)
    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class OptedOut(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


class Make(CreateView):
    model = Category
    fields = ("name",)


class Latest(Feed):
    title = link = description = "x"

    def items(self) -> list[str]:
        return []


class Categories(viewsets.ModelViewSet):
    queryset = Category.objects.all()

    @action(detail=True, methods=["post"])
    def melt(self, request: Request, pk: int) -> Response:
        return Response()


@api_view(["GET", "POST"])
def by_function(request: Request) -> Response:
    return Response()


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=404)


handler404 = not_found

router = SimpleRouter()
router.register("categories", Categories)

inner = [path("plain-again/", plain), re_path(r"^deletes/(?P<pk>\d+)/$", deletes)]

urlpatterns = [
    path("plain/<int:pk>/", plain),
    path("restricted/", restricted),
    path("guarded/", guarded),
    path("hidden/", hidden),
    path("loses/", loses_its_mark),
    path("alone/", on_its_own),
    path("partial/", functools.partial(with_more, more=1)),
    path("awaited/", awaited),
    path("callable/", Answers()),
    path("methods/", Methods.as_view()),
    path("out/", login_required(OptedOut.as_view())),
    path("make/", Make.as_view()),
    path("feed/", Latest()),
    path("template/", TemplateView.as_view(template_name="x.html")),
    path("function/", by_function),
    path("api/", include(router.urls)),
    path("admin/", admin.site.urls),
    path("in/", include((inner, "inner"), namespace="inner")),
    *i18n_patterns(path("translated/", plain)),
]
