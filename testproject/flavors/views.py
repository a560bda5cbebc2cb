"""The menu: what everybody may read, and what staff may change."""

from __future__ import annotations

from django import forms
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import CreateView, DetailView, ListView, UpdateView

from flavors.models import Category, Flavor
from reviews.models import Review
from stock.models import StockItem


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    popular = Flavor.objects.filter(is_available=True).order_by("-likes")[:8]
    return render(request, "flavors/home.html", {"popular": popular})


class FlavorList(ListView):
    """The menu, page by page, all of it or one category."""

    paginate_by = 24

    def get_queryset(self) -> QuerySet[Flavor]:
        # Right: the category comes along in the same query.
        flavors = Flavor.objects.select_related("category").order_by("title")
        category = self.request.GET.get("category", "")
        return flavors.filter(category=int(category)) if category.isdecimal() else flavors


@require_GET
def price_board(request: HttpRequest) -> HttpResponse:
    flavors = Flavor.objects.filter(is_available=True).order_by("price", "title")[:40]
    # Sin: n-plus-one. One query for the flavors and one more for the category of each.
    rows = [(flavor.title, flavor.category.name, flavor.price) for flavor in flavors]
    return render(request, "flavors/price_board.html", {"rows": rows})


class FlavorDetail(DetailView):
    """A flavor, what is left of it, and what is said about it."""

    queryset = Flavor.objects.select_related("category", "stock")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        # Right: the partial index review_published_idx is made for this.
        reviews = (
            self.object.reviews.filter(is_published=True)
            .select_related("author")
            .order_by("-created_at")[:10]
        )
        return super().get_context_data(reviews=reviews, **kwargs)


@require_POST
def like(request: HttpRequest, slug: str) -> HttpResponse:
    # Right: a write behind POST, and the database does the sum, so that no like is lost.
    Flavor.objects.filter(slug=slug).update(likes=F("likes") + 1)
    return redirect("flavors:detail", slug)


def like_by_link(request: HttpRequest, slug: str) -> HttpResponse:
    # Sin: write-in-get. Every crawler and every link preview likes the flavor too.
    Flavor.objects.filter(slug=slug).update(likes=F("likes") + 1)
    return redirect("flavors:detail", slug)


@require_GET
def podium(request: HttpRequest) -> HttpResponse:
    # Right: evaluated once, as a list.
    ranking = list(Flavor.objects.order_by("-likes", "title")[:10])
    context = {"winner": ranking[0], "runner_up": ranking[1], "ranking": ranking}
    return render(request, "flavors/podium.html", context)


@require_GET
def podium_thrice(request: HttpRequest) -> HttpResponse:
    ranking = Flavor.objects.order_by("-likes", "title")[:10]
    # Sin: repeated-queryset. Not evaluated yet: each index is a query, and the template's loop is
    # the third.
    context = {"winner": ranking[0], "runner_up": ranking[1], "ranking": ranking}
    return render(request, "flavors/podium.html", context)


@require_GET
def categories(request: HttpRequest) -> HttpResponse:
    # Right: counted by the database, in the one query.
    found = Category.objects.annotate(flavors=Count("flavor"))
    return render(request, "flavors/categories.html", {"categories": found})


@require_GET
def categories_counted_late(request: HttpRequest) -> HttpResponse:
    # Sin: query-in-template. The template counts the flavors of each category, one by one.
    found = Category.objects.all()
    return render(request, "flavors/categories_counted_late.html", {"categories": found})


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Find flavors by title, and reviews by what they say."""
    words = request.GET.get("q", "").strip()
    context: dict[str, object] = {"q": words}
    if words:
        context["flavors"] = Flavor.objects.filter(title__icontains=words)[:20]
        # Right: the same expression as the index review_body_search, so the index answers.
        context["reviews"] = (
            Review.objects.annotate(words=SearchVector("body", config="english"))
            .filter(words=SearchQuery(words, config="english"), is_published=True)
            .select_related("flavor", "author")[:20]
        )
    return render(request, "flavors/search.html", context)


class FlavorCreate(PermissionRequiredMixin, CreateView):
    """A new flavor, with its place in the freezer."""

    permission_required = "flavors.add_flavor"
    model = Flavor
    fields = ("title", "slug", "category", "description", "price")

    def form_valid(self, form: forms.ModelForm[Flavor]) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            StockItem.objects.create(flavor=form.instance)
        return response


class FlavorUpdate(PermissionRequiredMixin, UpdateView):
    """Another price or description: one write, which needs no transaction."""

    permission_required = "flavors.change_flavor"
    model = Flavor
    fields = ("title", "category", "description", "price", "is_available")
