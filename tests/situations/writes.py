"""One write for each row, and writes that the database commits in pieces."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse

from situations.models import Audio, Author, Book, Entry, Label, Loan, Profile, Review, Tag, use

DONE = HttpResponse


@transaction.atomic
def save_in_a_loop(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        book.copies += 1
        book.save()  # finds: per-row-writes
    return DONE()


@transaction.atomic
def save_in_a_loop_of_some_fields(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        book.copies += 1
        book.save(update_fields=["copies"])  # finds: per-row-writes
    return DONE()


@transaction.atomic
def create_in_a_loop(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        Loan.objects.create(book=book, reader="Ada")  # finds: per-row-writes
    return DONE()


@transaction.atomic
def update_in_a_loop(request: HttpRequest) -> HttpResponse:
    for pk in Book.objects.values_list("pk", flat=True):
        Book.objects.filter(pk=pk).update(copies=F("copies") + 1)  # finds: per-row-writes
    return DONE()


@transaction.atomic
def delete_in_a_loop(request: HttpRequest) -> HttpResponse:
    for review in Review.objects.all():
        review.delete()  # finds: per-row-writes
    return DONE()


@transaction.atomic
def add_in_a_loop(request: HttpRequest) -> HttpResponse:
    tag = Tag.objects.create(name="new")
    for book in Book.objects.all():
        book.tags.add(tag)  # finds: per-row-writes
    return DONE()


@transaction.atomic
def remove_in_a_loop(request: HttpRequest) -> HttpResponse:
    tag = Tag.objects.get(name="a")
    for book in Book.objects.all():
        book.tags.remove(tag)  # finds: per-row-writes
    return DONE()


@transaction.atomic
def get_or_create_in_a_loop(request: HttpRequest) -> HttpResponse:
    for number in range(5):
        Tag.objects.get_or_create(name=f"new {number}")  # finds: per-row-writes
    return DONE()


@transaction.atomic
def raw_insert_in_a_loop(request: HttpRequest) -> HttpResponse:
    insert = "INSERT INTO situations_entry (text) VALUES (%s)"
    with connection.cursor() as cursor:
        for number in range(5):
            cursor.execute(insert, [number])  # finds: per-row-writes
    return DONE()


@transaction.atomic
def child_table_saved_in_a_loop(request: HttpRequest) -> HttpResponse:
    author = Author.objects.get(name="Author 1")
    for number in range(4):
        Audio.objects.create(title=f"{number}", author=author)  # finds: per-row-writes
    return DONE()


# Not in a loop over rows, or the best that can be done.


@transaction.atomic
def one_form_with_two_rows(request: HttpRequest) -> HttpResponse:
    for text in ("one", "two"):
        Entry.objects.create(text=text)
    return DONE()


@transaction.atomic
def bulk_create(request: HttpRequest) -> HttpResponse:
    Entry.objects.bulk_create(Entry(text=f"{n}") for n in range(50))
    return DONE()


@transaction.atomic
def bulk_create_in_batches(request: HttpRequest) -> HttpResponse:
    Entry.objects.bulk_create([Entry(text=f"{n}") for n in range(50)], batch_size=5)
    return DONE()


@transaction.atomic
def bulk_update_in_batches(request: HttpRequest) -> HttpResponse:
    books = list(Book.objects.all())
    for book in books:
        book.copies = 3
    Book.objects.bulk_update(books, ["copies"], batch_size=1)
    return DONE()


@transaction.atomic
def delete_with_cascade(request: HttpRequest) -> HttpResponse:
    Book.objects.all().delete()
    return DONE()


@transaction.atomic
def several_different_writes(request: HttpRequest) -> HttpResponse:
    author = Author.objects.get(name="Author 1")
    book = Book.objects.create(title="New", author=author)
    Review.objects.create(book=book, text="First!")
    Loan.objects.create(book=book, reader="Ada")
    Label.objects.create(text="new", target=book)
    Entry.objects.create(text="A new book")
    return DONE()


@transaction.atomic
def savepoints_around_each_row(request: HttpRequest) -> HttpResponse:
    for text in ("one", "two"):
        with transaction.atomic():
            Entry.objects.create(text=text)
    return DONE()


# In which pieces the database commits.


def nothing_but_reads(request: HttpRequest) -> HttpResponse:
    use(list(Tag.objects.all()))
    return DONE()


def one_write(request: HttpRequest) -> HttpResponse:
    Entry.objects.create(text="one")
    return DONE()


def one_delete_with_cascade(request: HttpRequest) -> HttpResponse:
    Book.objects.get(title="Book 1").delete()
    return DONE()


def one_get_or_create(request: HttpRequest) -> HttpResponse:
    Tag.objects.get_or_create(name="new")
    return DONE()


def one_save_of_two_tables(request: HttpRequest) -> HttpResponse:
    Audio.objects.create(title="Heard", author=Author.objects.get(name="Author 1"))
    return DONE()


def both_in_a_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Entry.objects.create(text="one")
        Tag.objects.create(name="new")
    return DONE()


def second_that_changed_nothing(request: HttpRequest) -> HttpResponse:
    Entry.objects.create(text="one")
    Tag.objects.filter(name="there is none").update(name="x")
    return DONE()


def second_that_was_rolled_back(request: HttpRequest) -> HttpResponse:
    Entry.objects.create(text="one")
    try:
        with transaction.atomic():
            Tag.objects.create(name="new")
            raise ValueError
    except ValueError:
        return DONE()


def two_tables_in_autocommit(request: HttpRequest) -> HttpResponse:
    Entry.objects.create(text="one")  # finds: autocommit-writes
    Tag.objects.create(name="new")
    return DONE()


def two_rows_in_autocommit(request: HttpRequest) -> HttpResponse:
    Entry.objects.create(text="one")  # finds: autocommit-writes
    Entry.objects.create(text="two")
    return DONE()


def loop_in_autocommit(request: HttpRequest) -> HttpResponse:
    for number in range(5):
        Entry.objects.create(text=f"{number}")  # finds: autocommit-writes per-row-writes
    return DONE()


def raw_sql_in_autocommit(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO situations_entry (text) VALUES ('one')")  # finds: autocommit-writes
        cursor.execute("WITH gone AS (DELETE FROM situations_loan) UPDATE situations_book SET copies = 1")
    return DONE()


def half_in_a_block(request: HttpRequest) -> HttpResponse:
    Entry.objects.create(text="one")  # finds: split-commits
    with transaction.atomic():
        Tag.objects.create(name="new")
        Profile.objects.update(text="new")
    return DONE()


def two_blocks(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Entry.objects.create(text="one")  # finds: split-commits
    with transaction.atomic():
        Tag.objects.create(name="new")
    return DONE()


@transaction.atomic
def _in_a_block_of_its_own(text: str) -> None:
    Entry.objects.create(text=text)  # a line of its callers' situations


def one_decorated_function_twice(request: HttpRequest) -> HttpResponse:
    _in_a_block_of_its_own("one")  # finds: split-commits @ _in_a_block_of_its_own
    _in_a_block_of_its_own("two")
    return DONE()


def two_units_of_djangos_own(request: HttpRequest) -> HttpResponse:
    book = Book.objects.get(title="Book 1")
    book.tags.add(Tag.objects.get(name="tag 3"))  # finds: split-commits
    Audio.objects.create(title="Heard", author=Author.objects.get(name="Author 1"))
    return DONE()


def handled_error(request: HttpRequest) -> HttpResponse:
    Entry.objects.create(text="one")  # finds: autocommit-writes
    Tag.objects.create(name="new")
    return HttpResponseBadRequest()


def write_while_streaming(request: HttpRequest) -> StreamingHttpResponse:
    Entry.objects.create(text="one")  # finds: autocommit-writes

    def lines() -> Iterator[str]:
        yield "one"
        Tag.objects.create(name="new")
        yield "two"

    return StreamingHttpResponse(lines())


def write_on_commit(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Entry.objects.create(text="one")  # finds: split-commits
        transaction.on_commit(lambda: Tag.objects.create(name="new"))
    return DONE()
