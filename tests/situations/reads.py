"""One query for each row of another: the N+1, in every way that the ORM offers."""

from __future__ import annotations

from django.db import connection
from django.db.models import Avg
from django.http import HttpRequest, HttpResponse

from situations.models import Author, Book, Label, Profile, Publisher, Review, Tag, use

DONE = HttpResponse


def foreign_key(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(book.author)  # finds: n-plus-one
    return DONE()


def foreign_key_in_a_comprehension(request: HttpRequest) -> HttpResponse:
    names = [book.author.name for book in Book.objects.all()]  # finds: n-plus-one
    return DONE(names)


def foreign_key_in_a_generator(request: HttpRequest) -> HttpResponse:
    return DONE(sorted(book.author.name for book in Book.objects.all()))  # finds: n-plus-one


def second_foreign_key_behind_the_first(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.select_related("author"):
        use(book.author.publisher)  # finds: n-plus-one
    return DONE()


def nullable_foreign_key(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        if book.editor:  # finds: n-plus-one
            use(book.editor.name)
    return DONE()


def one_to_one(request: HttpRequest) -> HttpResponse:
    for profile in Profile.objects.all():
        use(profile.author)  # finds: n-plus-one
    return DONE()


def one_to_one_backwards(request: HttpRequest) -> HttpResponse:
    for author in Author.objects.all():
        use(author.profile)  # finds: n-plus-one
    return DONE()


def one_to_one_that_is_not_there(request: HttpRequest) -> HttpResponse:
    Profile.objects.all().delete()
    for author in Author.objects.all():
        use(hasattr(author, "profile"))  # finds: n-plus-one
    return DONE()


def child_table(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(hasattr(book, "audio"))  # finds: n-plus-one
    return DONE()


def reverse_foreign_key(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        for review in book.reviews.all():  # finds: n-plus-one
            use(review)
    return DONE()


def reverse_foreign_key_filtered(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(list(book.reviews.filter(stars__gt=2)))  # finds: n-plus-one
    return DONE()


def prefetch_defeated_by_a_filter(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.prefetch_related("reviews"):  # finds: unused-eager-load
        use(list(book.reviews.filter(stars__gt=2)))  # finds: n-plus-one
    return DONE()


def reverse_foreign_key_counted(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(book.reviews.count())  # finds: n-plus-one
    return DONE()


def reverse_foreign_key_exists(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(book.reviews.exists())  # finds: n-plus-one
    return DONE()


def reverse_foreign_key_aggregated(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(book.reviews.aggregate(Avg("stars")))  # finds: n-plus-one
    return DONE()


def reverse_foreign_key_first(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(book.reviews.order_by("stars").first())  # finds: n-plus-one
    return DONE()


def reverse_foreign_key_latest(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(book.reviews.latest("id"))  # finds: n-plus-one
    return DONE()


def reverse_foreign_key_values(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(list(book.reviews.values_list("stars", flat=True)))  # finds: n-plus-one
    return DONE()


def many_to_many(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(list(book.tags.all()))  # finds: n-plus-one
    return DONE()


def many_to_many_backwards(request: HttpRequest) -> HttpResponse:
    for tag in Tag.objects.all():
        use(list(tag.books.all()))  # finds: n-plus-one
    return DONE()


def generic_foreign_key(request: HttpRequest) -> HttpResponse:
    for label in Label.objects.all():
        use(label.target)  # finds: n-plus-one
    return DONE()


def generic_relation(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(list(book.labels.all()))  # finds: n-plus-one
    return DONE()


def deferred_field(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.defer("blurb"):
        use(book.blurb)  # finds: n-plus-one
    return DONE()


def field_left_out_by_only(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.only("title"):
        use(book.copies)  # finds: n-plus-one
    return DONE()


def field_left_out_by_raw(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.raw("SELECT id, title FROM situations_book"):
        use(book.blurb)  # finds: n-plus-one
    return DONE()


def get_in_a_loop(request: HttpRequest) -> HttpResponse:
    for number in Book.objects.values_list("author_id", flat=True):
        use(Author.objects.get(pk=number))  # finds: n-plus-one
    return DONE()


def filter_first_in_a_loop(request: HttpRequest) -> HttpResponse:
    for title in [f"Book {n}" for n in range(5)]:
        use(Book.objects.filter(title=title).first())  # finds: n-plus-one
    return DONE()


def filter_listed_in_a_loop(request: HttpRequest) -> HttpResponse:
    for author in Author.objects.all():
        use(list(Book.objects.filter(author=author)))  # finds: n-plus-one
    return DONE()


def filter_exists_in_a_loop(request: HttpRequest) -> HttpResponse:
    for author in Author.objects.all():
        if Book.objects.filter(author=author, copies__gt=3).exists():  # finds: n-plus-one
            use(author)
    return DONE()


def filter_counted_in_a_loop(request: HttpRequest) -> HttpResponse:
    counts = {}
    for author in Author.objects.all():
        counts[author.pk] = Book.objects.filter(author=author).count()  # finds: n-plus-one
    return DONE(counts)


def in_list_of_changing_length(request: HttpRequest) -> HttpResponse:
    pks = list(Author.objects.values_list("pk", flat=True))
    for end in range(1, len(pks)):
        use(list(Book.objects.filter(author_id__in=pks[:end])))  # finds: n-plus-one
    return DONE()


def unevaluated_queryset_indexed(request: HttpRequest) -> HttpResponse:
    books = Book.objects.order_by("pk")  # finds: re-evaluated-queryset
    for number in range(5):
        use(books[number])  # finds: n-plus-one
    return DONE()


def raw_sql(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        for pk in [1, 2, 3, 4, 5]:
            cursor.execute("SELECT name FROM situations_author WHERE id = %s", [pk])  # finds: n-plus-one
            use(cursor.fetchone())
    return DONE()


def raw_sql_with_the_value_in_it(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        for pk in [1, 2, 3, 4, 5]:
            cursor.execute(f"SELECT name FROM situations_author WHERE id = {pk}")  # finds: n-plus-one
    return DONE()


def raw_queryset(request: HttpRequest) -> HttpResponse:
    by_id = "SELECT * FROM situations_author WHERE id = %s"
    for pk in [1, 2, 3, 4]:
        use(list(Author.objects.raw(by_id, [pk])))  # finds: n-plus-one
    return DONE()


def refresh(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        book.refresh_from_db()  # finds: n-plus-one
    return DONE()


def chain_of_parents(request: HttpRequest) -> HttpResponse:
    author: Author | None = Author.objects.order_by("pk").last()
    while author:
        author = author.mentor  # finds: n-plus-one
    return DONE()


def unrolled(request: HttpRequest) -> HttpResponse:
    one, two, three, four = Book.objects.all()[:4]
    use(one.author)  # finds: n-plus-one
    use(two.author)
    use(three.author)
    use(four.author)
    return DONE()


def in_a_property(request: HttpRequest) -> HttpResponse:
    return DONE([book.review_count for book in Book.objects.all()])  # finds: n-plus-one @ review_count


def in_a_helper(request: HttpRequest) -> HttpResponse:
    def describe(book: Book) -> str:
        return book.author.name  # finds: n-plus-one

    return DONE([describe(book) for book in Book.objects.all()])


def behind_an_iterator(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.iterator(chunk_size=100):
        use(book.author)  # finds: n-plus-one
    return DONE()


def after_a_slice(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.order_by("title")[:4]:
        use(book.author)  # finds: n-plus-one
    return DONE()


def union(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.filter(pk__lte=3).union(Book.objects.filter(pk__gt=3)):
        use(book.author)  # finds: n-plus-one
    return DONE()


def two_relations_at_once(request: HttpRequest) -> HttpResponse:
    for book in Book.objects.all():
        use(book.author)  # finds: n-plus-one
        use(list(book.tags.all()))  # finds: n-plus-one
    return DONE()


def one_query_inside_another_loop(request: HttpRequest) -> HttpResponse:
    for publisher in Publisher.objects.all():
        for author in publisher.authors.all():  # finds: n-plus-one
            use(list(author.books.all()))  # finds: n-plus-one
    return DONE()


def review_of_each(request: HttpRequest) -> HttpResponse:
    for review in Review.objects.all()[:5]:
        use(review.book.author)  # finds: n-plus-one
    return DONE()
