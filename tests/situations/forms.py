"""Forms, the admin, serializers and exports: what libraries ask for each row, and what they do not."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import results
from django.contrib.auth import get_user_model
from django.core import serializers as dumps
from django.core.cache import cache
from django.core.cache.utils import make_template_fragment_key
from django.db import transaction
from django.db.models import Model
from django.forms import modelformset_factory
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.generic import DetailView
from rest_framework import generics, serializers

from situations.models import Author, Book, Profile, Publisher, Review, Tag, use

DONE = HttpResponse


# The admin's list.


class OfReviews(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("text", "title")
    ordering = ("pk",)

    def title(self, review: Review) -> str:
        return review.book.title


class OfReviewsWell(OfReviews):
    list_select_related = ("book",)


class OfPublishers(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("name", "names")
    ordering = ("pk",)

    def names(self, publisher: Publisher) -> str:
        return ", ".join(author.name for author in publisher.authors.all())


class OfPublishersWell(OfPublishers):
    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("authors")


class OfProfiles(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("text", "author")
    ordering = ("pk",)


def _changelist(request: HttpRequest, model: type[Model], options: Any) -> HttpResponse:
    request.user = get_user_model()(is_superuser=True)
    changelist = options(model, admin.AdminSite()).get_changelist_instance(request)
    # As changelist_view() does.
    changelist.formset = None
    return DONE([list(row) for row in results(changelist)])


def admin_list_with_a_method(request: HttpRequest) -> HttpResponse:
    return _changelist(request, Review, OfReviews)  # finds: n-plus-one @ title


def admin_list_with_a_method_of_many(request: HttpRequest) -> HttpResponse:
    return _changelist(request, Publisher, OfPublishers)  # finds: n-plus-one @ names


def admin_list_well_joined(request: HttpRequest) -> HttpResponse:
    return _changelist(request, Review, OfReviewsWell)


def admin_list_well_prefetched(request: HttpRequest) -> HttpResponse:
    return _changelist(request, Publisher, OfPublishersWell)


def admin_list_of_foreign_keys(request: HttpRequest) -> HttpResponse:
    # Django joins what list_display names.
    return _changelist(request, Profile, OfProfiles)


# Forms.


class TagForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    class Meta:
        model = Tag
        fields = ("name",)


def form_that_is_checked(request: HttpRequest) -> HttpResponse:
    form = TagForm({"name": "brand new"})
    if form.is_valid():
        form.save()
    return DONE()


class BookForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    class Meta:
        model = Book
        fields = ("title", "author", "tags")


def form_that_is_shown(request: HttpRequest) -> HttpResponse:
    form = BookForm(instance=Book.objects.get(title="Book 1"))
    return render(request, "situations/form.html", {"form": form})


def formset_that_is_shown(request: HttpRequest) -> HttpResponse:
    formset = modelformset_factory(Tag, TagForm, extra=0)(queryset=Tag.objects.order_by("pk"))
    return DONE(str(formset))


@transaction.atomic
def formset_that_is_checked(request: HttpRequest) -> HttpResponse:
    data = {"form-TOTAL_FORMS": "4", "form-INITIAL_FORMS": "0"}
    data |= {f"form-{n}-name": f"brand new {n}" for n in range(4)}
    formset = modelformset_factory(Tag, TagForm)(data, queryset=Tag.objects.none())
    use(formset.is_valid())
    Tag.objects.bulk_create(form.instance for form in formset)
    return DONE()


@transaction.atomic
def formset_that_is_saved(request: HttpRequest) -> HttpResponse:
    data = {"form-TOTAL_FORMS": "4", "form-INITIAL_FORMS": "0"}
    data |= {f"form-{n}-name": f"brand new {n}" for n in range(4)}
    formset = modelformset_factory(Tag, TagForm)(data, queryset=Tag.objects.none())
    if formset.is_valid():
        formset.save()  # finds: per-row-writes
    return DONE()


# Serializers.


class ReviewSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]  # as above
    class Meta:
        model = Review
        fields = ("text", "stars")


class AuthorSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]  # as above
    class Meta:
        model = Author
        fields = ("name",)


class NestedSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]  # as above
    author = AuthorSerializer()
    reviews = ReviewSerializer(many=True)

    class Meta:
        model = Book
        fields = ("title", "author", "reviews")


class NestedBooks(generics.ListAPIView):  # type: ignore[type-arg]  # as above
    queryset = Book.objects.order_by("pk")  # finds: n-plus-one @ (library)
    serializer_class = NestedSerializer
    permission_classes = ()


class NestedWell(NestedBooks):
    queryset = Book.objects.order_by("pk").select_related("author").prefetch_related("reviews")


class KeysOnly(serializers.ModelSerializer):  # type: ignore[type-arg]  # as above
    class Meta:
        model = Book
        fields = ("title", "author", "editor")


class BooksWithKeys(generics.ListAPIView):  # type: ignore[type-arg]  # as above
    queryset = Book.objects.order_by("pk")
    serializer_class = KeysOnly
    permission_classes = ()


nested = NestedBooks.as_view()
nested_well = NestedWell.as_view()
keys_only = BooksWithKeys.as_view()


def dumped(request: HttpRequest) -> HttpResponse:
    books = Book.objects.order_by("pk")
    return DONE(dumps.serialize("json", books, fields=["title", "tags"]))  # finds: n-plus-one


def dumped_well(request: HttpRequest) -> HttpResponse:
    return DONE(dumps.serialize("json", Book.objects.order_by("pk"), fields=["title", "author"]))


# Exports.


class _Echo:
    def write(self, value: str) -> str:
        return value


def csv_streamed(request: HttpRequest) -> StreamingHttpResponse:
    writer = csv.writer(_Echo())

    def rows() -> Iterator[Any]:
        for book in Book.objects.order_by("pk").iterator():
            yield writer.writerow([book.title, book.author.name])  # finds: n-plus-one

    return StreamingHttpResponse(rows(), content_type="text/csv")


def csv_streamed_well(request: HttpRequest) -> StreamingHttpResponse:
    writer = csv.writer(_Echo())
    books = Book.objects.order_by("pk").select_related("author").iterator(chunk_size=2)
    return StreamingHttpResponse(writer.writerow([book.title, book.author.name]) for book in books)


# Templates.


def existence_in_a_template(request: HttpRequest) -> HttpResponse:
    return render(request, "situations/exists.html", {"books": Book.objects.all()})


def forms_of_words_in_a_template(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author").prefetch_related("reviews")
    return render(request, "situations/filters.html", {"books": books})


def first_in_a_template(request: HttpRequest) -> HttpResponse:
    return render(request, "situations/first.html", {"books": Book.objects.all()})


def fragment_to_be_cached(request: HttpRequest) -> HttpResponse:
    cache.delete(make_template_fragment_key("books"))
    return render(request, "situations/fragment.html", {"books": Book.objects.all()})


def fragment_from_the_cache(request: HttpRequest) -> HttpResponse:
    cache.set(make_template_fragment_key("shelf"), "Book 1 by Author 1")
    return render(request, "situations/cached.html", {"books": Book.objects.select_related("author")})


class OneBook(DetailView):  # type: ignore[type-arg]  # as above
    queryset = Book.objects.select_related("author").prefetch_related("reviews")
    template_name = "situations/detail.html"

    def get_object(self, queryset: Any = None) -> Any:
        return self.get_queryset().get(title="Book 1")


one_book = OneBook.as_view()
