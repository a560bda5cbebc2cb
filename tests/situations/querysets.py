"""Querysets built for nothing, run again, or run for more than was asked; eager loads for nothing."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from situations.models import Author, Book, use

DONE = HttpResponse


def count_then_iterate(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()  # finds: re-evaluated-queryset
    return DONE(f"{books.count()}: {[book.title for book in books]}")


def exists_then_iterate(request: HttpRequest) -> HttpResponse:
    books = Book.objects.filter(copies=0)  # finds: re-evaluated-queryset
    if books.exists():
        use([book.title for book in books])
    return DONE()


def first_then_iterate(request: HttpRequest) -> HttpResponse:
    books = Book.objects.order_by("pk")  # finds: re-evaluated-queryset
    use(books.first())
    return DONE([book.title for book in books])


def evaluated_again_through_all(request: HttpRequest) -> HttpResponse:
    books = Book.objects.filter(copies=0)  # finds: re-evaluated-queryset
    use(list(books.all()))
    use(list(books.all()))
    return DONE()


def iterator_twice(request: HttpRequest) -> HttpResponse:
    books = Book.objects.filter(copies=0)  # finds: re-evaluated-queryset
    use(list(books.iterator()), list(books.iterator()))
    return DONE()


def same_question_twice(request: HttpRequest) -> HttpResponse:
    use(Author.objects.get(name="Author 1"))
    use(Author.objects.get(name="Author 1"))  # finds: duplicate-query
    return DONE()


def same_question_from_a_helper(request: HttpRequest) -> HttpResponse:
    def current() -> Any:
        return Author.objects.get(name="Author 1")  # finds: duplicate-query

    use(current(), current())
    return DONE()


def length_alone(request: HttpRequest) -> HttpResponse:
    return DONE(len(Book.objects.all()))  # finds: rows-loaded-to-count


def truth_alone(request: HttpRequest) -> HttpResponse:
    return DONE("yes" if Book.objects.filter(copies=0) else "no")  # finds: rows-loaded-to-count


def length_of_a_list(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()  # finds: rows-loaded-to-count
    if len(books) > 3:
        return DONE("many")
    return DONE("few")


def built_and_never_executed(request: HttpRequest) -> HttpResponse:
    for number in range(5):
        Book.objects.filter(copies=number)  # finds: queryset-never-executed
    return DONE()


def select_related_for_nothing(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author")  # finds: unused-eager-load
    return DONE([book.title for book in books])


def prefetch_for_nothing(request: HttpRequest) -> HttpResponse:
    books = Book.objects.prefetch_related("reviews")  # finds: unused-eager-load
    return DONE([book.title for book in books])


def second_of_two_prefetches_for_nothing(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.prefetch_related("tags", "reviews"):  # finds: unused-eager-load
        use(list(book.tags.all()))
    return DONE()
