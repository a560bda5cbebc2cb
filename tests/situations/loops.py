"""Loops that ask for each row by a less trodden road."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_list_or_404, get_object_or_404

from situations.models import Audio, Author, Book, Label, Loan, Profile, Review, Tag, use

DONE = HttpResponse


def foreign_key_to_the_same_row(request: HttpRequest) -> HttpResponse:
    Book.objects.update(author=Author.objects.get(name="Author 1"))
    for book in Book.objects.all():
        use(book.author)  # finds: n-plus-one
    return DONE()


def relation_of_a_child_row(request: HttpRequest) -> HttpResponse:
    for audio in Audio.objects.all():
        use(audio.author)  # finds: n-plus-one
    return DONE()


def length_of_each(request: HttpRequest) -> HttpResponse:
    return DONE([len(book.reviews.all()) for book in Book.objects.all()])  # finds: n-plus-one


def truth_of_each(request: HttpRequest) -> HttpResponse:
    return DONE([book.pk for book in Book.objects.all() if book.reviews.all()])  # finds: n-plus-one


def first_of_each_by_index(request: HttpRequest) -> HttpResponse:
    return DONE([book.reviews.all()[0] for book in Book.objects.all()])  # finds: n-plus-one


def slice_of_each(request: HttpRequest) -> HttpResponse:
    return DONE([list(book.tags.all()[:2]) for book in Book.objects.all()])  # finds: n-plus-one


def iterator_of_each(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(list(book.reviews.iterator()))  # finds: n-plus-one
    return DONE()


def values_of_each_key(request: HttpRequest) -> HttpResponse:
    for pk in Book.objects.values_list("pk", flat=True):
        use(list(Review.objects.filter(book_id=pk).values("stars")))  # finds: n-plus-one
    return DONE()


def in_bulk_for_each(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(Author.objects.in_bulk([book.author_id]))  # finds: n-plus-one
    return DONE()


def prefetched_one_by_one(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        prefetch_related_objects([book], "reviews")  # finds: n-plus-one
        use(list(book.reviews.all()))
    return DONE()


def prefetched_with_each_get(request: HttpRequest) -> HttpResponse:
    for title in ("Book 1", "Book 2", "Book 3"):
        book = Book.objects.prefetch_related("tags").get(title=title)  # finds: n-plus-one
        use(list(book.tags.all()))
    return DONE()


def through_table(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(list(Book.tags.through.objects.filter(book=book)))  # finds: n-plus-one
    return DONE()


def related_through_a_filter(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        use(tag.books.filter(author__name="Author 1").exists())  # finds: n-plus-one
    return DONE()


def generic_relation_counted(request: HttpRequest) -> HttpResponse:
    return DONE([book.labels.count() for book in Book.objects.all()])  # finds: n-plus-one


def generic_target_by_hand(request: HttpRequest) -> HttpResponse:
    for label in Label.objects.all():
        kind = ContentType.objects.get_for_id(label.content_type_id)
        use(kind.get_object_for_this_type(pk=label.object_id))  # finds: n-plus-one
    return DONE()


def shortcut_in_a_loop(request: HttpRequest) -> HttpResponse:
    for title in ("Book 1", "Book 2", "Book 3"):
        use(get_object_or_404(Book, title=title))  # finds: n-plus-one
    return DONE()


def list_shortcut_in_a_loop(request: HttpRequest) -> HttpResponse:
    for author in Author.objects.all():
        use(get_list_or_404(Book, author=author))  # finds: n-plus-one
    return DONE()


def refreshed_field(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.only("pk"):
        book.refresh_from_db(fields=["copies"])  # finds: n-plus-one
    return DONE()


def deferred_in_a_joined_table(request: HttpRequest) -> HttpResponse:
    for review in Review.objects.select_related("book").defer("book__blurb"):
        use(review.book.blurb)  # finds: n-plus-one
    return DONE()


def filtered_in_python_and_asked_again(request: HttpRequest) -> HttpResponse:
    books: dict[str, QuerySet[Book]] = {
        author.name: Book.objects.filter(author=author) for author in Author.objects.all()
    }
    for found in books.values():
        use(list(found))  # finds: n-plus-one
    return DONE()


def while_loop_over_names(request: HttpRequest) -> HttpResponse:
    names = ["Author 1", "Author 2", "Author 3"]
    while names:
        found = Author.objects.filter(name=names.pop()).values_list("pk", flat=True)
        use(found.first())  # finds: n-plus-one
    return DONE()


def recursion_down_a_tree(request: HttpRequest) -> HttpResponse:
    def depth(author: Author) -> int:
        return 1 + max((depth(pupil) for pupil in author.pupils.all()), default=0)  # finds: n-plus-one

    return DONE(depth(Author.objects.get(name="Author 0")))


def mapped(request: HttpRequest) -> HttpResponse:
    def profile(author: Author) -> str:
        return author.profile.text  # finds: n-plus-one

    return DONE(map(profile, Author.objects.all()))


def sorted_by_a_relation(request: HttpRequest) -> HttpResponse:
    return DONE(sorted(Book.objects.all(), key=lambda book: book.author.name))  # finds: n-plus-one


def missing_rows(request: HttpRequest) -> HttpResponse:
    for pk in (-1, -2, -3):
        try:
            Book.objects.get(pk=pk)  # finds: n-plus-one
        except Book.DoesNotExist:
            continue
    return DONE()


@transaction.atomic
def locked_one_by_one(request: HttpRequest) -> HttpResponse:
    for pk in list(Book.objects.values_list("pk", flat=True)):
        use(Book.objects.select_for_update().get(pk=pk))  # finds: n-plus-one
    return DONE()


def raw_sql_from_a_helper(request: HttpRequest) -> HttpResponse:
    by_key = "SELECT name FROM situations_author WHERE id = %(pk)s"

    def name(pk: int) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(by_key, {"pk": pk})  # finds: n-plus-one
            return cursor.fetchone()

    return DONE([name(pk) for pk in (1, 2, 3, 4)])


def two_loops_over_the_same_line(request: HttpRequest) -> HttpResponse:
    for books in (Book.objects.filter(pk__lte=0), Book.objects.filter(pk__gt=0)):
        for book in books:
            use(book.author)  # finds: n-plus-one
    return DONE()


def known_one_way_only(request: HttpRequest) -> HttpResponse:
    for profile in Profile.objects.select_related("author"):
        use(profile.author.publisher)  # finds: n-plus-one
    return DONE()


async def coroutine_counting_a_relation(request: HttpRequest) -> HttpResponse:
    async for book in Book.objects.all():
        use(await book.reviews.acount())  # finds: n-plus-one
    return DONE()


async def coroutine_iterating_a_relation(request: HttpRequest) -> HttpResponse:
    async for book in Book.objects.all():
        use([review.stars async for review in book.reviews.all()])  # finds: n-plus-one
    return DONE()


async def coroutine_following_in_a_thread(request: HttpRequest) -> HttpResponse:
    async for book in Book.objects.all():
        author = await sync_to_async(lambda book=book: book.author)()  # finds: n-plus-one
        use(author)
    return DONE()


async def coroutine_gathering_gets(request: HttpRequest) -> HttpResponse:
    names = [f"Author {n}" for n in range(4)]
    use(await asyncio.gather(*(Author.objects.aget(name=name) for name in names)))  # finds: n-plus-one
    return DONE()


async def coroutine_refreshing(request: HttpRequest) -> HttpResponse:
    async for book in Book.objects.all():
        await book.arefresh_from_db()  # finds: n-plus-one
    return DONE()


@transaction.atomic
def lent_to_each(request: HttpRequest) -> HttpResponse:
    Loan.objects.bulk_create(Loan(book=book, reader="Ada") for book in Book.objects.all())
    for loan in Loan.objects.all():
        use(loan.book.title)  # finds: n-plus-one
    return DONE()
