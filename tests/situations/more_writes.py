"""Writes in a loop and in pieces, with savepoints, locks, helpers and hooks between."""

from __future__ import annotations

import csv
from io import StringIO

from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from situations.models import Audio, Author, Book, Entry, Label, Loan, Review, Tag, use

DONE = HttpResponse


# A row at a time.


@transaction.atomic
def savepoint_for_each_row(request: HttpRequest) -> HttpResponse:
    for number in range(5):
        try:
            with transaction.atomic():
                Tag.objects.create(name=f"tag {number % 2}")  # finds: per-row-writes
        except IntegrityError:
            continue
    return DONE()


@transaction.atomic
def savepoint_for_each_new_row(request: HttpRequest) -> HttpResponse:
    for number in range(5):
        with transaction.atomic():
            Entry.objects.create(text=f"{number}")  # finds: per-row-writes
    return DONE()


def block_for_each_row(request: HttpRequest) -> HttpResponse:
    for number in range(5):
        with transaction.atomic():
            Entry.objects.create(text=f"{number}")  # finds: per-row-writes split-commits
    return DONE()


@transaction.atomic
def locked_and_saved_one_by_one(request: HttpRequest) -> HttpResponse:
    for pk in list(Book.objects.values_list("pk", flat=True)):
        book = Book.objects.select_for_update().get(pk=pk)  # finds: n-plus-one
        book.copies += 1
        book.save(update_fields=["copies"])  # finds: per-row-writes
    return DONE()


@transaction.atomic
def imported_line_by_line(request: HttpRequest) -> HttpResponse:
    for (text,) in csv.reader(StringIO("one\ntwo\nthree\nfour\n")):
        Entry(text=text).save()  # finds: per-row-writes
    return DONE()


@transaction.atomic
def update_or_create_in_a_loop(request: HttpRequest) -> HttpResponse:
    for number in range(4):
        new = {"name": f"new {number}"}
        Tag.objects.update_or_create(name=f"tag {number}", defaults=new)  # finds: per-row-writes
    return DONE()


@transaction.atomic
def get_or_create_of_what_is_there(request: HttpRequest) -> HttpResponse:
    for number in range(4):
        Tag.objects.get_or_create(name=f"tag {number}")  # finds: n-plus-one
    return DONE()


@transaction.atomic
def several_added_in_a_loop(request: HttpRequest) -> HttpResponse:
    tags = Tag.objects.bulk_create(Tag(name=f"new {n}") for n in range(2))
    for book in Book.objects.all():
        book.tags.add(*tags)
    return DONE()


@transaction.atomic
def set_in_a_loop(request: HttpRequest) -> HttpResponse:
    tag = Tag.objects.create(name="new")
    for book in Book.objects.all():
        book.tags.set([tag])  # finds: per-row-writes
    return DONE()


@transaction.atomic
def related_created_in_a_loop(request: HttpRequest) -> HttpResponse:
    book = Book.objects.get(title="Book 1")
    for number in range(4):
        book.reviews.create(text=f"{number}")  # finds: per-row-writes
    return DONE()


@transaction.atomic
def generic_created_in_a_loop(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        book.labels.create(text="new")  # finds: per-row-writes
    return DONE()


@transaction.atomic
def deleted_by_filter_in_a_loop(request: HttpRequest) -> HttpResponse:
    for pk in list(Label.objects.values_list("pk", flat=True)):
        Label.objects.filter(pk=pk).delete()  # finds: per-row-writes
    return DONE()


@transaction.atomic
def raw_update_in_a_loop(request: HttpRequest) -> HttpResponse:
    update = "UPDATE situations_book SET copies = 1 WHERE id = "
    with connection.cursor() as cursor:
        for pk in Book.objects.values_list("pk", flat=True):
            cursor.execute(f"{update}{pk}")  # finds: per-row-writes
    return DONE()


@transaction.atomic
def child_rows_deleted_in_a_loop(request: HttpRequest) -> HttpResponse:
    for audio in Audio.objects.all():
        audio.delete()  # finds: per-row-writes
    return DONE()


async def coroutine_creating_in_a_loop(request: HttpRequest) -> HttpResponse:
    for number in range(4):
        await Entry.objects.acreate(text=f"{number}")  # finds: autocommit-writes per-row-writes
    return DONE()


async def coroutine_saving_in_a_loop(request: HttpRequest) -> HttpResponse:
    async for book in Book.objects.all():
        await book.asave(update_fields=["copies"])  # finds: autocommit-writes per-row-writes
    return DONE()


@transaction.atomic
def different_rows_by_one_helper(request: HttpRequest) -> HttpResponse:
    def note(text: str) -> None:
        Entry.objects.create(text=text)

    note("begun")
    Book.objects.update(copies=1)
    note("done")
    return DONE()


# In pieces.


def savepoints_in_one_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Entry.objects.create(text="one")
        with transaction.atomic():
            Tag.objects.create(name="new")
        with transaction.atomic():
            Loan.objects.create(book=Book.objects.get(title="Book 1"), reader="Ada")
    return DONE()


@transaction.atomic
def whole_view_in_a_block(request: HttpRequest) -> HttpResponse:
    book = Book.objects.create(title="New", author=Author.objects.get(name="Author 1"))
    book.tags.add(Tag.objects.get(name="a"))
    Review.objects.create(book=book, text="First!")
    return DONE()


def one_add_to_a_relation(request: HttpRequest) -> HttpResponse:
    Book.objects.get(title="Book 1").tags.add(Tag.objects.get(name="tag 3"))
    return DONE()


def one_update_or_create(request: HttpRequest) -> HttpResponse:
    Tag.objects.update_or_create(name="a", defaults={"name": "b"})
    return DONE()


def written_lazily(request: HttpRequest) -> HttpResponse:
    entry = SimpleLazyObject(lambda: Entry.objects.create(text="one"))
    use(str(entry))
    return DONE()


def all_rolled_back(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Entry.objects.create(text="one")
        Tag.objects.create(name="new")
        transaction.set_rollback(True)
    return DONE()


def create_then_relation(request: HttpRequest) -> HttpResponse:
    book = Book.objects.create(  # finds: split-commits
        title="New", author=Author.objects.get(name="Author 1")
    )
    book.tags.add(Tag.objects.get(name="a"))
    return DONE()


def written_by_two_helpers(request: HttpRequest) -> HttpResponse:
    def log(text: str) -> None:
        Entry.objects.create(text=text)  # finds: autocommit-writes

    log("one")
    Tag.objects.create(name="new")
    return DONE()


def update_and_delete(request: HttpRequest) -> HttpResponse:
    Book.objects.update(copies=2)  # finds: autocommit-writes
    Entry.objects.create(text="updated")
    return DONE()
