"""Many statements that are meant, and single ones that look like many: nothing may be said of any."""

from __future__ import annotations

from functools import cached_property, reduce
from itertools import islice
from operator import or_
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db import connection, models, transaction
from django.db.models import Count, F, OuterRef, Prefetch, Q, Subquery, Sum, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from situations.models import Audio, Author, Book, Entry, Label, Loan, Profile, Publisher, Review, Tag, use

DONE = HttpResponse
FETCH_PEERS: Any = getattr(models, "FETCH_PEERS", None)


# Batches.


@transaction.atomic
def bulk_create_for_each_chunk(request: HttpRequest) -> HttpResponse:
    texts = iter(f"{n}" for n in range(20))
    while chunk := list(islice(texts, 5)):
        Entry.objects.bulk_create(Entry(text=text) for text in chunk)
    return DONE()


@transaction.atomic
def many_rows_with_one_cursor_call(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO situations_entry (text) VALUES (%s)", [["a"], ["b"], ["c"], ["d"]])
    return DONE()


@transaction.atomic
def bulk_create_over_what_is_there(request: HttpRequest) -> HttpResponse:
    tags = [Tag(name=f"tag {n}") for n in range(10)]
    Tag.objects.bulk_create(tags, update_conflicts=True, unique_fields=["name"], update_fields=["name"])
    return DONE()


@transaction.atomic
def all_added_at_once(request: HttpRequest) -> HttpResponse:
    tag = Tag.objects.create(name="new")
    tag.books.add(*Book.objects.all())
    return DONE()


@transaction.atomic
def one_update_for_all(request: HttpRequest) -> HttpResponse:
    Book.objects.update(copies=F("copies") + 1)
    return DONE()


def every_page_of_a_paginator(request: HttpRequest) -> HttpResponse:
    for page in Paginator(Book.objects.order_by("pk"), 2):
        use([book.title for book in page])
    return DONE()


def page_whose_relations_are_fetched_afterwards(request: HttpRequest) -> HttpResponse:
    page = Paginator(Book.objects.order_by("pk"), 3).get_page(1)
    books: Any = page.object_list
    prefetch_related_objects(books, "author", "tags")
    use([(book.author.name, list(book.tags.all())) for book in page], page.paginator.count)
    return DONE()


def pages_of_a_prefetched_list(request: HttpRequest) -> HttpResponse:
    books = Book.objects.order_by("pk").prefetch_related("reviews")
    for start in range(0, 6, 2):
        for book in books[start : start + 2]:
            use(list(book.reviews.all()))
    return DONE()


def keyset_pages_newest_first(request: HttpRequest) -> HttpResponse:
    last = 10**9
    while page := list(Book.objects.filter(pk__lt=last).order_by("-pk")[:2]):
        last = page[-1].pk
    return DONE()


def iterator_with_a_join(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.select_related("author").iterator(chunk_size=1):
        use(book.author.name)
    return DONE()


async def coroutine_iterating_in_chunks(request: HttpRequest) -> HttpResponse:
    async for book in Book.objects.prefetch_related("reviews").aiterator(chunk_size=1):
        use([review.stars async for review in book.reviews.all()])
    return DONE()


def levels_of_one_prefetch(request: HttpRequest) -> HttpResponse:
    for author in Author.objects.prefetch_related("pupils__pupils__pupils__pupils"):
        use(
            [
                b
                for a in author.pupils.all()
                for b in a.pupils.all()
                for c in b.pupils.all()
                for d in c.pupils.all()
            ]
        )
    return DONE()


def levels_of_one_prefetch_of_a_list(request: HttpRequest) -> HttpResponse:
    authors = list(Author.objects.all())
    prefetch_related_objects(authors, "mentor__mentor__mentor__mentor")
    for author in authors[5:]:
        use(author.mentor.mentor.mentor.mentor)
    return DONE()


def joins_up_a_tree(request: HttpRequest) -> HttpResponse:
    author = Author.objects.select_related("mentor__mentor__mentor").get(name="Author 4")
    use(author.mentor.mentor.mentor.name)
    return DONE()


def several_prefetches_of_one_table(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.prefetch_related("author", "editor", "author__mentor"):
        use(book.author, book.editor, book.author.mentor)
    return DONE()


# One question.


def subquery_for_each_row(request: HttpRequest) -> HttpResponse:
    newest = Review.objects.filter(book=OuterRef("pk")).order_by("-pk").values("text")[:1]
    return DONE([book.newest for book in Book.objects.annotate(newest=Subquery(newest))])


def sums_for_each_row(request: HttpRequest) -> HttpResponse:
    return DONE(
        [book.stars for book in Book.objects.annotate(stars=Sum("reviews__stars"), n=Count("tags"))]
    )


def parts_of_a_union(request: HttpRequest) -> HttpResponse:
    parts = [Book.objects.filter(copies=number) for number in range(5)]
    return DONE([book.title for book in parts[0].union(*parts[1:])])


def querysets_joined_by_or(request: HttpRequest) -> HttpResponse:
    parts = [Book.objects.filter(copies=number) for number in range(5)]
    return DONE([book.title for book in reduce(or_, parts)])


def conditions_gathered_in_a_loop(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()
    for number in range(5):
        books = books.exclude(copies=number + 1)
    return DONE([book.title for book in books])


def conditions_joined_by_or(request: HttpRequest) -> HttpResponse:
    wanted = reduce(or_, (Q(title=f"Book {n}") for n in range(5)))
    return DONE([book.title for book in Book.objects.filter(wanted)])


def parent_of_a_child_row(request: HttpRequest) -> HttpResponse:
    return DONE([f"{audio.title} {audio.book_ptr_id}" for audio in Audio.objects.all()])


def joined_and_narrowed(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author").only("title", "author__name")
    return DONE([book.author.name for book in books])


def fields_of_peers_fetched(request: HttpRequest) -> HttpResponse:
    books = Book.objects.defer("blurb")
    # Later Djangos fetch what is left out for all of them when the first is asked for it.
    books = books.fetch_mode(FETCH_PEERS) if FETCH_PEERS else books.defer(None)
    return DONE([book.blurb for book in books])


def targets_of_peers_fetched(request: HttpRequest) -> HttpResponse:
    labels = Label.objects.all()
    labels = labels.fetch_mode(FETCH_PEERS) if FETCH_PEERS else labels.prefetch_related("target")
    return DONE([label.target.title for label in labels])


def grouped_by_key(request: HttpRequest) -> HttpResponse:
    reviews: dict[int, list[str]] = {}
    for review in Review.objects.all():
        reviews.setdefault(review.book_id, []).append(review.text)
    return DONE([reviews[book.pk] for book in Book.objects.all()])


def relation_set_by_hand(request: HttpRequest) -> HttpResponse:
    authors = {author.pk: author for author in Author.objects.all()}
    for book in Book.objects.all():
        book.author = authors[book.author_id]
        use(book.author.name)
    return DONE()


def reverse_relation_known(request: HttpRequest) -> HttpResponse:
    book = Book.objects.prefetch_related("reviews").get(title="Book 1")
    return DONE([review.book.title for review in book.reviews.all()])


def types_of_labels(request: HttpRequest) -> HttpResponse:
    ContentType.objects.clear_cache()
    return DONE([label.content_type.model for label in Label.objects.prefetch_related("content_type")])


def kinds_of_labels_by_id(request: HttpRequest) -> HttpResponse:
    ContentType.objects.clear_cache()
    return DONE(
        [ContentType.objects.get_for_id(label.content_type_id).model for label in Label.objects.all()]
    )


def empty_lists_of_keys(request: HttpRequest) -> HttpResponse:
    for _ in range(5):
        use(list(Book.objects.filter(pk__in=[])), Book.objects.none().count())
    return DONE()


def prefetch_of_two_kinds(request: HttpRequest) -> HttpResponse:
    good = Prefetch("reviews", Review.objects.filter(stars__gt=2), to_attr="good")
    for book in Book.objects.prefetch_related(good, "reviews"):
        use(book.good, list(book.reviews.all()))
    return DONE()


# One object, made or looked at.


@transaction.atomic
def created_and_followed(request: HttpRequest) -> HttpResponse:
    author = Author.objects.create(name="New", publisher=Publisher.objects.create(name="New"))
    book = Book.objects.create(title="New", author=author)
    use(book.author.publisher.name, list(book.tags.all()), book.reviews.exists(), author.books.count())
    return DONE()


def single_object_behind_a_list(request: HttpRequest) -> HttpResponse:
    author = Author.objects.order_by("pk")[0]
    use(author.profile, author.books.first(), author.publisher)
    return DONE()


def two_books_of_one_author(request: HttpRequest) -> HttpResponse:
    Book.objects.filter(title__in=["Book 1", "Book 2"]).update(author=Author.objects.get(name="Author 1"))
    for book in Book.objects.filter(title__in=["Book 1", "Book 2"]):
        use(book.author)
    return DONE()


@transaction.atomic
def form_of_one_object(request: HttpRequest) -> HttpResponse:
    tag = Tag(name="brand new")
    tag.full_clean()
    tag.save()
    return DONE()


@transaction.atomic
def rows_checked_and_written_together(request: HttpRequest) -> HttpResponse:
    tags = [Tag(name=f"checked {n}") for n in range(4)]
    for tag in tags:
        tag.full_clean()
    Tag.objects.bulk_create(tags)
    return DONE()


def answer_kept_on_an_object(request: HttpRequest) -> HttpResponse:
    class Page:
        @cached_property
        def author(self) -> Any:
            return get_object_or_404(Author, name="Author 1")

    page = Page()
    return DONE([page.author.name for _ in range(5)])


@transaction.atomic
def one_lock_for_all(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.select_for_update().order_by("pk"):
        use(book.title)
    return DONE()


@transaction.atomic
def written_and_read_back(request: HttpRequest) -> HttpResponse:
    for reader in ("Ada", "Grace"):
        loan = Loan.objects.create(book=Book.objects.get(title="Book 1"), reader=reader)
        loan.refresh_from_db()
    return DONE()


async def coroutine_with_all_along(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author").prefetch_related("reviews")
    async for book in books:
        use(book.author.name, [review.stars async for review in book.reviews.all()])
    return DONE()


async def coroutine_with_a_thread(request: HttpRequest) -> HttpResponse:
    return DONE(
        await sync_to_async(lambda: list(Profile.objects.select_related("author").values("text")))()
    )
