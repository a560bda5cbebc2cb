"""Relations loaded along with the rows: what was loaded for nothing, and what only seems so."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse

from situations.models import Author, Book, Label, Publisher, Review, Tag, use

DONE = HttpResponse


# There was nothing to follow.


def prefetch_that_found_nothing(request: HttpRequest) -> HttpResponse:
    Review.objects.all().delete()
    for book in Book.objects.prefetch_related("reviews"):
        if book.copies:
            use(list(book.reviews.all()))
    return DONE()


def prefetch_of_tags_that_found_nothing(request: HttpRequest) -> HttpResponse:
    Book.tags.through.objects.all().delete()
    for book in Book.objects.prefetch_related("tags"):
        if book.copies:
            use(list(book.tags.all()))
    return DONE()


def second_step_that_found_nothing(request: HttpRequest) -> HttpResponse:
    Review.objects.all().delete()
    for author in Author.objects.prefetch_related("books__reviews"):
        for book in author.books.all():
            if book.copies:
                use(list(book.reviews.all()))
    return DONE()


def prefetch_object_that_found_nothing(request: HttpRequest) -> HttpResponse:
    bad = Prefetch("reviews", Review.objects.filter(stars=1))
    for book in Book.objects.prefetch_related(bad):
        if book.copies:
            use(list(book.reviews.all()))
    return DONE()


def generic_prefetch_that_found_nothing(request: HttpRequest) -> HttpResponse:
    Label.objects.update(object_id=0)
    for label in Label.objects.prefetch_related("target"):
        if label.text == "none has this":
            use(label.target)
    return DONE()


def counted_before_no_rows_came(request: HttpRequest) -> HttpResponse:
    books = Book.objects.filter(copies=99).order_by("pk").select_related("author")
    return DONE(f"{books.count()} {[book.author.name for book in books[:3]]}")


def select_related_of_what_is_null(request: HttpRequest) -> HttpResponse:
    Book.objects.update(editor=None)
    for book in Book.objects.select_related("editor"):
        if book.editor_id:
            use(book.editor)
    return DONE()


def select_related_of_a_child_that_is_not_there(request: HttpRequest) -> HttpResponse:
    for author in Author.objects.filter(name="none has this").select_related("profile"):
        use(author.profile)
    return DONE()


def second_step_of_what_is_null(request: HttpRequest) -> HttpResponse:
    Author.objects.update(mentor=None)
    for book in Book.objects.select_related("author__mentor"):
        if book.author.mentor_id:
            use(book.author.mentor)
    return DONE()


# It is used elsewhere than one would look.


def followed_in_a_stream(request: HttpRequest) -> StreamingHttpResponse:
    books = Book.objects.select_related("author").prefetch_related("tags")

    def lines() -> Iterator[str]:
        for book in books:
            yield f"{book.author.name} {[tag.name for tag in book.tags.all()]}"

    return StreamingHttpResponse(lines())


def followed_by_a_late_template(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author").prefetch_related("tags")
    return TemplateResponse(request, "situations/innocent.html", {"books": books})


def two_lists_that_share_objects(request: HttpRequest) -> HttpResponse:
    all_books = list(Book.objects.prefetch_related("reviews"))
    first = list(Book.objects.order_by("pk").prefetch_related("reviews")[:2])
    return DONE([len(book.reviews.all()) for book in all_books if book in first])


def locked_together(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        books = Book.objects.select_related("author").select_for_update()
        use([book.title for book in books])
    return DONE()


def followed_later_by_a_function(request: HttpRequest) -> HttpResponse:
    books = list(Book.objects.select_related("author"))
    readers = [functools.partial(getattr, book, "author") for book in books]
    return DONE([reader().name for reader in readers])


def one_of_them_is_looked_for(request: HttpRequest) -> HttpResponse:
    tag = Tag.objects.get(name="a")
    return DONE([tag in book.tags.all() for book in Book.objects.prefetch_related("tags")])


async def followed_by_a_coroutine(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author").prefetch_related("tags")
    return DONE([(book.author.name, [tag.name async for tag in book.tags.all()]) async for book in books])


def redirected_after_loading(request: HttpRequest) -> HttpResponse:
    use(Book.objects.select_related("author").get(title="Book 1"))
    return HttpResponseRedirect("/elsewhere")


def refused_after_loading(request: HttpRequest) -> HttpResponse:
    use(Book.objects.select_related("author").get(title="Book 1"))
    raise Http404


# For nothing.


def prefetch_object_for_nothing(request: HttpRequest) -> HttpResponse:
    good = Prefetch("reviews", Review.objects.filter(stars__gt=2))
    books = Book.objects.prefetch_related(good)  # finds: unused-eager-load
    return DONE([book.title for book in books])


def second_step_of_a_prefetch_for_nothing(request: HttpRequest) -> HttpResponse:
    for author in Author.objects.prefetch_related("books__reviews"):  # finds: unused-eager-load
        use([book.title for book in author.books.all()])
    return DONE()


def second_step_of_a_join_for_nothing(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author__publisher")  # finds: unused-eager-load
    return DONE([book.author.name for book in books])


def join_of_a_nullable_for_nothing(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("editor")  # finds: unused-eager-load
    return DONE([book.editor_id for book in books])


def join_of_one_object_for_nothing(request: HttpRequest) -> HttpResponse:
    return DONE(
        Book.objects.select_related("author").get(title="Book 1").title  # finds: unused-eager-load
    )


def generic_prefetch_for_nothing(request: HttpRequest) -> HttpResponse:
    labels = Label.objects.prefetch_related("target")  # finds: unused-eager-load
    return DONE([label.text for label in labels])


def prefetch_of_a_key_that_is_enough(request: HttpRequest) -> HttpResponse:
    books = Book.objects.prefetch_related("author")  # finds: unused-eager-load
    return DONE([book.author_id for book in books])


def prefetch_where_values_are_asked_anew(request: HttpRequest) -> HttpResponse:
    for publisher in Publisher.objects.prefetch_related("authors"):  # finds: unused-eager-load
        use(publisher.authors.values_list("name", flat=True)[:1].get())  # finds: n-plus-one
    return DONE()


def _title(book: Any) -> str:
    return str(book.title)


def prefetch_handed_on_for_nothing(request: HttpRequest) -> HttpResponse:
    books = Book.objects.prefetch_related("labels")  # finds: unused-eager-load
    return DONE(map(_title, books))
