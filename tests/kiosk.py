"""Views that ask the database in every phase of a request; a URLconf of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models import Prefetch
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import Context, Engine, engines
from django.template.response import TemplateResponse
from django.urls import path
from django.views import View
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from flavors.models import Category, Flavor

TEMPLATE = Engine(debug=False).from_string(
    "{% for flavor in flavors %}\n{{ flavor.title }}\n{{ flavor.category.name }}\n{% endfor %}"
)
LATE_TEMPLATE: Any = engines["django"].from_string("{% if flavors %}{{ flavors|length }}{% endif %}")


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


def titles(request: HttpRequest) -> HttpResponse:
    return HttpResponse(", ".join(flavor.title for flavor in Flavor.objects.all()))


def along(request: HttpRequest) -> HttpResponse:
    flavors = Flavor.objects.select_related("category").prefetch_related(
        Prefetch("category__flavor_set", Flavor.objects.order_by("title"))
    )
    return HttpResponse(", ".join(f"{flavor.category.flavor_set.all()}" for flavor in flavors))


def broken(request: HttpRequest) -> HttpResponse:
    Flavor.objects.count()
    raise ArithmeticError


def template(request: HttpRequest) -> HttpResponse:
    return HttpResponse(TEMPLATE.render(Context({"flavors": Flavor.objects.all()})))


def late_template(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, LATE_TEMPLATE, {"flavors": Flavor.objects.all()})


def committing(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Category.objects.create(name="granita")
        transaction.on_commit(lambda: Category.objects.filter(name="granita").update(name="sorbet"))
    return HttpResponse("")


def pieces() -> Iterator[str]:
    try:
        for flavor in Flavor.objects.all():
            yield flavor.category.name
    finally:
        Flavor.objects.exists()


def stream(request: HttpRequest) -> StreamingHttpResponse:
    Category.objects.count()
    return StreamingHttpResponse(pieces())


def file(request: HttpRequest) -> FileResponse:
    Category.objects.count()
    return FileResponse(open(__file__, "rb"))  # the response closes it


async def titles_async(request: HttpRequest) -> HttpResponse:
    first = await Flavor.objects.aget(title="flavor 1")
    all_of_them = [flavor.title async for flavor in Flavor.objects.all()]
    await first.asave()
    return HttpResponse(", ".join(all_of_them))


async def pieces_async() -> AsyncIterator[str]:
    async for flavor in Flavor.objects.select_related("category"):
        yield flavor.category.name


async def stream_async(request: HttpRequest) -> StreamingHttpResponse:
    await Category.objects.acount()
    return StreamingHttpResponse(pieces_async())


class Menu(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        Flavor.objects.count()
        return HttpResponse("")


class MenuViewSet(ViewSet):
    permission_classes = ()
    authentication_classes = ()

    def list(self, request: Any) -> Response:
        return Response([flavor.title for flavor in Flavor.objects.all()])

    @action(detail=False)
    def cheapest(self, request: Any) -> Response:
        return Response(Flavor.objects.order_by("price")[0].title)


class Before:
    """A middleware of the old kind, which asks on the way in and on the way out."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'in'")
        response = self.get_response(request)
        Category.objects.exists()
        return response


urlpatterns = [
    path("empty/", empty),
    path("titles/", titles, name="titles"),
    path("along/", along),
    path("titles/<int:number>/", empty),
    path("broken/", broken),
    path("template/", template),
    path("late-template/", late_template),
    path("committing/", committing),
    path("stream/", stream),
    path("file/", file),
    path("titles-async/", titles_async),
    path("stream-async/", stream_async),
    path("menu/", Menu.as_view()),
    path("api/", MenuViewSet.as_view({"get": "list"})),
    path("api/cheapest/", MenuViewSet.as_view({"get": "cheapest"})),
]
