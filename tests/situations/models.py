"""A library: what a page of books can be asked about."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Publisher(models.Model):
    name = models.CharField(max_length=50)


class Author(models.Model):
    name = models.CharField(max_length=50)
    publisher = models.ForeignKey(Publisher, models.CASCADE, related_name="authors")
    mentor = models.ForeignKey("self", models.CASCADE, null=True, related_name="pupils")

    def __str__(self) -> str:
        return self.name


class Profile(models.Model):
    author = models.OneToOneField(Author, models.CASCADE, related_name="profile")
    text = models.TextField()


class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)


class Label(models.Model):
    text = models.CharField(max_length=50)
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.BigIntegerField()
    target = GenericForeignKey()


class Book(models.Model):
    title = models.CharField(max_length=50)
    blurb = models.TextField()
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    editor = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="edited")
    tags = models.ManyToManyField(Tag, related_name="books")
    labels = GenericRelation(Label)
    copies = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.title} by {self.author.name}"

    @property
    def author_name(self) -> str:
        return self.author.name

    @property
    def review_count(self) -> int:
        return self.reviews.count()


class Audio(Book):
    minutes = models.IntegerField(default=0)


class Review(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    text = models.TextField()
    stars = models.IntegerField(default=3)


class Loan(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="loans")
    reader = models.CharField(max_length=50)
    number = models.IntegerField(default=0)


class Entry(models.Model):
    """A line of a log."""

    text = models.TextField()


def fill(books: int = 6) -> None:
    """As many authors as books, so that no two books ask for the same one."""
    publishers = Publisher.objects.bulk_create(Publisher(name=f"Publisher {n}") for n in range(books))
    mentor: Author | None = None
    for number, publisher in enumerate(publishers):
        mentor = Author.objects.create(name=f"Author {number}", publisher=publisher, mentor=mentor)
        Profile.objects.create(author=mentor, text="…")
        book = Book.objects.create(title=f"Book {number}", author=mentor, editor=mentor)
        if number % 3:
            # The row of the child alone: the book is there.
            Audio(book_ptr=book, minutes=number).save_base(raw=True)
        book.tags.add(*(Tag.objects.get_or_create(name=name)[0] for name in ("a", f"tag {number}")))
        Review.objects.bulk_create(Review(book=book, text="Good.") for _ in range(2))
        Label.objects.bulk_create(Label(text=f"{number}", target=book) for _ in range(2))


def use(*values: Any) -> None:
    """What a page does with a value, for those that ask for it alone."""
