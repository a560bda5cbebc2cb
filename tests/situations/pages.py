"""Where else a request asks: templates, renderers, streams, coroutines, threads, and after the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.views.generic import ListView
from rest_framework import generics, serializers

from situations.models import Author, Book, Entry, Review, Tag, use


def relation_in_a_template(request: HttpRequest) -> HttpResponse:
    return render(request, "situations/relation.html", {"books": Book.objects.all()})


def count_in_a_template(request: HttpRequest) -> HttpResponse:
    return render(request, "situations/count.html", {"books": Book.objects.all()})


def relation_in_an_included_template(request: HttpRequest) -> HttpResponse:
    return render(request, "situations/outer.html", {"books": Book.objects.all()})


def string_of_an_object_in_a_template(request: HttpRequest) -> HttpResponse:
    return render(
        request, "situations/string.html", {"books": Book.objects.all()}
    )  # finds: n-plus-one @ __str__


def late_template(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "situations/late.html", {"books": Book.objects.all()})


def one_relation_in_a_template(request: HttpRequest) -> HttpResponse:
    return render(request, "situations/one.html", {"book": Book.objects.get(title="Book 1")})


class GenericList(ListView):  # type: ignore[type-arg]  # not generic at run time
    model = Book
    template_name = "situations/generic.html"


generic_list = GenericList.as_view()


def innocent_template(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author").prefetch_related("tags")
    return render(request, "situations/innocent.html", {"books": books})


class BookSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]  # as above
    author: Any = serializers.StringRelatedField()
    stars = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = ("title", "author", "stars")

    def get_stars(self, book: Book) -> int:
        return sum(review.stars for review in book.reviews.all())  # finds: n-plus-one


class SerializedBooks(generics.ListAPIView):  # type: ignore[type-arg]  # as above
    queryset = Book.objects.order_by("pk")  # finds: n-plus-one @ (library)
    serializer_class = BookSerializer
    permission_classes = ()


class SerializedWell(SerializedBooks):
    queryset = Book.objects.order_by("pk").select_related("author").prefetch_related("reviews")


serialized = SerializedBooks.as_view()
serialized_well = SerializedWell.as_view()


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        for book in Book.objects.all():
            yield book.author.name  # finds: n-plus-one

    return StreamingHttpResponse(lines())


def streamed_well(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(book.title for book in Book.objects.iterator(chunk_size=2))


async def coroutine(request: HttpRequest) -> HttpResponse:
    async for number in Book.objects.values_list("author_id", flat=True):
        use(await Author.objects.aget(pk=number))  # finds: n-plus-one
    return HttpResponse()


async def coroutine_counting(request: HttpRequest) -> HttpResponse:
    for pk in (1, 2, 3, 4):
        use(await Review.objects.filter(book_id=pk).acount())  # finds: n-plus-one
    return HttpResponse()


async def coroutine_gathering(request: HttpRequest) -> HttpResponse:
    async def author(pk: int) -> Any:
        return await Author.objects.filter(pk=pk).afirst()  # finds: n-plus-one

    use(await asyncio.gather(*(author(pk) for pk in (1, 2, 3, 4))))
    return HttpResponse()


async def coroutine_with_sync_inside(request: HttpRequest) -> HttpResponse:
    def names() -> list[str]:
        return [book.author.name for book in Book.objects.all()]  # finds: n-plus-one

    return HttpResponse(await sync_to_async(names)())


async def coroutine_writing(request: HttpRequest) -> HttpResponse:
    await Entry.objects.acreate(text="one")  # finds: autocommit-writes
    await Tag.objects.acreate(name="new")
    return HttpResponse()


async def coroutine_streaming(request: HttpRequest) -> StreamingHttpResponse:
    async def lines() -> AsyncIterator[str]:
        async for number in Book.objects.values_list("author_id", flat=True):
            author = await Author.objects.aget(pk=number)  # finds: n-plus-one
            yield author.name

    return StreamingHttpResponse(lines())


async def coroutine_that_asks_once(request: HttpRequest) -> HttpResponse:
    use(await Book.objects.acount())
    return HttpResponse([book.title async for book in Book.objects.all()])


async def coroutine_with_a_transaction(request: HttpRequest) -> HttpResponse:
    @transaction.atomic
    def write() -> None:
        Entry.objects.create(text="one")
        Tag.objects.create(name="new")

    await sync_to_async(write)()
    return HttpResponse()


def after_commit(request: HttpRequest) -> HttpResponse:
    def tell() -> None:
        for book in Book.objects.all():
            use(book.author)  # finds: n-plus-one

    with transaction.atomic():
        Entry.objects.create(text="one")
        transaction.on_commit(tell)
    return HttpResponse()
