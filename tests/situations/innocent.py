"""What looks like one query too many and is none: nothing may be said of any of these."""

from __future__ import annotations

import pickle

import django
from asgiref.sync import sync_to_async
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db import connection, models, transaction
from django.db.models import Count, Exists, OuterRef, Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse

from situations.models import Author, Book, Label, Profile, Publisher, Review, Tag, use

DONE = HttpResponse


def one_object(request: HttpRequest) -> HttpResponse:
    use(Book.objects.get(title="Book 1").author)
    return DONE()


def one_object_and_all_that_hangs_on_it(request: HttpRequest) -> HttpResponse:
    book = Book.objects.get(title="Book 1")
    use(book.author.publisher.name, list(book.tags.all()), list(book.reviews.all()), book.labels.count())
    return DONE()


def single_row_list(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.filter(title="Book 1"):
        use(book.author)
    return DONE()


def two_rows(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.order_by("pk")[:2]:
        use(book.author)
    return DONE()


def no_rows(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.filter(title="There is none"):
        use(book.author)
    return DONE()


def select_related(request: HttpRequest) -> HttpResponse:
    return DONE([book.author.name for book in Book.objects.select_related("author")])


def select_related_two_steps(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.select_related("author__publisher"):
        use(book.author.publisher.name)
    return DONE()


def select_related_of_a_nullable(request: HttpRequest) -> HttpResponse:
    Book.objects.update(editor=None)
    for book in Book.objects.select_related("editor"):
        use(book.editor)
    return DONE()


def select_related_backwards(request: HttpRequest) -> HttpResponse:
    return DONE([author.profile.text for author in Author.objects.select_related("profile")])


def prefetch(request: HttpRequest) -> HttpResponse:
    return DONE([tag.name for book in Book.objects.prefetch_related("tags") for tag in book.tags.all()])


def prefetch_foreign_key(request: HttpRequest) -> HttpResponse:
    return DONE([book.author.name for book in Book.objects.prefetch_related("author")])


def prefetch_two_steps(request: HttpRequest) -> HttpResponse:
    for author in Author.objects.prefetch_related("books__reviews"):
        for book in author.books.all():
            use(list(book.reviews.all()))
    return DONE()


def prefetch_counted(request: HttpRequest) -> HttpResponse:
    return DONE([book.reviews.count() for book in Book.objects.prefetch_related("reviews")])


def prefetch_length_and_truth(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.prefetch_related("reviews"):
        use(bool(book.reviews.all()), len(book.reviews.all()))
    return DONE()


def prefetch_exists(request: HttpRequest) -> HttpResponse:
    return DONE([book.reviews.all().exists() for book in Book.objects.prefetch_related("reviews")])


def prefetch_to_attr(request: HttpRequest) -> HttpResponse:
    good = Prefetch("reviews", Review.objects.filter(stars__gt=2), to_attr="good_reviews")
    for book in Book.objects.prefetch_related(good):
        use(book.good_reviews)
    return DONE()


def prefetch_to_attr_that_nobody_reads(request: HttpRequest) -> HttpResponse:
    # It is a plain list in the object's __dict__: whether it is read cannot be seen.
    good = Prefetch("reviews", Review.objects.filter(stars__gt=2), to_attr="good_reviews")
    return DONE([book.title for book in Book.objects.prefetch_related(good)])


def pickled_for_somebody_else(request: HttpRequest) -> HttpResponse:
    return DONE(pickle.dumps(list(Book.objects.select_related("author").prefetch_related("tags"))))


def prefetch_with_a_queryset_of_its_own(request: HttpRequest) -> HttpResponse:
    reviews = Prefetch("reviews", Review.objects.select_related("book"))
    for book in Book.objects.prefetch_related(reviews):
        use([review.book.title for review in book.reviews.all()])
    return DONE()


def prefetch_of_which_some_are_used(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.prefetch_related("reviews"):
        if book.title == "Book 3":
            use(list(book.reviews.all()))
    return DONE()


def prefetch_of_empty(request: HttpRequest) -> HttpResponse:
    Review.objects.all().delete()
    for book in Book.objects.prefetch_related("reviews"):
        use(list(book.reviews.all()))
    return DONE()


def prefetch_when_there_are_no_rows(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.filter(title="There is none").prefetch_related("reviews"):
        use(list(book.reviews.all()))
    return DONE()


def prefetch_related_objects_once(request: HttpRequest) -> HttpResponse:
    books = list(Book.objects.all())
    prefetch_related_objects(books, "author", "reviews")
    for book in books:
        use(book.author, list(book.reviews.all()))
    return DONE()


def prefetch_with_an_iterator(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.prefetch_related("reviews").iterator(chunk_size=1):
        use(list(book.reviews.all()))
    return DONE()


def generic_prefetch(request: HttpRequest) -> HttpResponse:
    return DONE([label.target.title for label in Label.objects.prefetch_related("target")])


def annotated(request: HttpRequest) -> HttpResponse:
    return DONE([book.number for book in Book.objects.annotate(number=Count("reviews"))])


def subquery(request: HttpRequest) -> HttpResponse:
    good = Review.objects.filter(book=OuterRef("pk"), stars__gt=2)
    return DONE([book.pk for book in Book.objects.annotate(good=Exists(good)).filter(good=True)])


def nested_queryset(request: HttpRequest) -> HttpResponse:
    return DONE(Book.objects.filter(author__in=Author.objects.filter(name__startswith="A")).values("pk"))


def in_bulk(request: HttpRequest) -> HttpResponse:
    authors = Author.objects.in_bulk()
    return DONE([authors[book.author_id] for book in Book.objects.all()])


def key_without_its_object(request: HttpRequest) -> HttpResponse:
    return DONE([book.author_id for book in Book.objects.all()])


def values(request: HttpRequest) -> HttpResponse:
    return DONE([row["author__name"] for row in Book.objects.values("author__name")])


def known_relation(request: HttpRequest) -> HttpResponse:
    author = Author.objects.get(name="Author 1")
    return DONE([book.author.name for book in author.books.all()])


def peers_fetched(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()
    if django.VERSION >= (6, 1):
        books = books.fetch_mode(models.FETCH_PEERS)
    else:
        books = books.select_related("author")
    return DONE([book.author.name for book in books])


def deliberate_paging(request: HttpRequest) -> HttpResponse:
    books = Book.objects.order_by("pk")
    for start in range(0, 6, 1):
        use(list(books[start : start + 1]))
    return DONE()


def paging_by_key(request: HttpRequest) -> HttpResponse:
    last = 0
    while page := list(Book.objects.filter(pk__gt=last).order_by("pk")[:2]):
        last = page[-1].pk
    return DONE()


def paginator(request: HttpRequest) -> HttpResponse:
    page = Paginator(Book.objects.order_by("pk"), 3).page(2)
    return DONE([book.title for book in page])


def server_side_cursor(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.iterator(chunk_size=1):
        use(book.title)
    return DONE()


def rows_of_a_cursor(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM situations_book")
        while row := cursor.fetchone():
            use(row)
    return DONE()


def different_questions(request: HttpRequest) -> HttpResponse:
    counts = [model.objects.count() for model in (Author, Book, Tag, Review, Publisher, Profile)]
    return DONE(counts)


def same_shape_of_different_tables(request: HttpRequest) -> HttpResponse:
    for model in (Author, Publisher, Tag):
        use(list(model.objects.filter(name="a")))
    return DONE()


def content_types_are_cached(request: HttpRequest) -> HttpResponse:
    ContentType.objects.clear_cache()
    return DONE([ContentType.objects.get_for_model(Book).pk for _ in range(5)])


def cached_relation(request: HttpRequest) -> HttpResponse:
    book = Book.objects.get(title="Book 1")
    return DONE([book.author.name for _ in range(5)])


def iterated_twice_from_its_cache(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()
    use([book.title for book in books])
    use([book.pk for book in books], len(books), bool(books))
    return DONE()


def chain_of_clones(request: HttpRequest) -> HttpResponse:
    books = Book.objects.filter(copies=0)
    books = books.exclude(title="x").order_by("pk")
    return DONE([book.title for book in books.distinct()])


def one_queryset_for_two_different_answers(request: HttpRequest) -> HttpResponse:
    books = Book.objects.filter(copies=0)
    use(list(books.filter(title="Book 1")), list(books.filter(title__startswith="Book")))
    return DONE()


def truth_then_iteration(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()
    if books:
        use([book.title for book in books])
    return DONE()


def length_then_iteration(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()
    return DONE(f"{len(books)}: {[book.title for book in books]}")


def truth_then_iteration_of_nothing(request: HttpRequest) -> HttpResponse:
    books = Book.objects.filter(title="There is none")
    if books:
        use([book.title for book in books])
    return DONE()


def length_then_iteration_of_nothing(request: HttpRequest) -> HttpResponse:
    books = Book.objects.filter(title="There is none")
    return DONE([book.title for book in books[:2]] if len(books) > 2 else "")


def length_then_pickled(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()
    return DONE(pickle.dumps(books) if len(books) > 1 else b"")


def length_then_looked_for(request: HttpRequest) -> HttpResponse:
    first = Book.objects.get(title="Book 1")
    books = Book.objects.filter(copies=0)
    return DONE(f"{len(books)} {books.contains(first)}")


async def length_then_iteration_by_a_coroutine(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()
    number = await sync_to_async(len)(books)
    return DONE(f"{number} {[book.title async for book in books]}")


def count_alone(request: HttpRequest) -> HttpResponse:
    return DONE(Book.objects.count())


def exists_alone(request: HttpRequest) -> HttpResponse:
    return DONE(Book.objects.filter(copies=1).exists())


def count_of_all_and_a_page(request: HttpRequest) -> HttpResponse:
    books = Book.objects.order_by("pk")
    return DONE(f"{books.count()} {[book.title for book in books[:3]]}")


def queryset_for_a_condition_that_may_fail(request: HttpRequest) -> HttpResponse:
    books = Book.objects.all()
    return DONE(books if "all" in request.GET else "")


@transaction.atomic
def polled_twice_for_what_others_write(request: HttpRequest) -> HttpResponse:
    for _ in range(2):
        use(Book.objects.select_for_update().filter(title="Not yet").first())
    return DONE()


def read_again_after_a_write(request: HttpRequest) -> HttpResponse:
    book = Book.objects.get(title="Book 1")
    Book.objects.filter(pk=book.pk).update(copies=7)
    book.refresh_from_db()
    return DONE(Book.objects.get(title="Book 1").copies)


def raw_queryset_once(request: HttpRequest) -> HttpResponse:
    return DONE(list(Author.objects.raw("SELECT * FROM situations_author")))


def union_once(request: HttpRequest) -> HttpResponse:
    return DONE(book.title for book in Book.objects.filter(pk=1).union(Book.objects.filter(pk=2)))
