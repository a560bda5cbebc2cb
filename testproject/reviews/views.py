"""What customers say, and what staff let stand."""

from __future__ import annotations

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import IntegrityError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import CreateView, ListView

from flavors.models import Flavor
from reviews.forms import ReviewForm
from reviews.models import Review
from users.requests import UserRequest


class PostReview(LoginRequiredMixin, CreateView):
    """A customer's review of a flavor. See receivers.py for what else it writes."""

    request: UserRequest
    form_class = ReviewForm
    template_name = "reviews/review_form.html"

    def form_valid(self, form: ModelForm[Review]) -> HttpResponse:
        flavor = get_object_or_404(Flavor, slug=self.kwargs["slug"])
        form.instance.flavor = flavor
        form.instance.author = self.request.user
        form.instance.ip_address = self.request.META.get("REMOTE_ADDR")
        try:
            form.save()
        except IntegrityError:
            form.add_error(None, "You have reviewed this flavor already.")
            return self.form_invalid(form)
        return redirect(flavor)


class MyReviews(LoginRequiredMixin, ListView):
    """A customer's own reviews."""

    request: UserRequest
    paginate_by = 20

    def get_queryset(self) -> QuerySet[Review]:
        return (
            Review.objects.filter(author=self.request.user).select_related("flavor").order_by("-created_at")
        )


@require_GET
async def latest(request: HttpRequest, slug: str) -> JsonResponse:
    """Give the latest reviews of a flavor to the screen above the counter, which asks often."""
    reviews = (
        Review.objects.filter(flavor__slug=slug, is_published=True)
        .select_related("author")
        .order_by("-created_at")[:5]
    )
    said = [
        {"rating": review.rating, "body": review.body, "author": review.author.username}
        async for review in reviews
    ]
    return JsonResponse({"flavor": slug, "reviews": said})


@staff_member_required
@require_POST
def hide(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a review off the page: one write, which needs no transaction."""
    review = get_object_or_404(Review.objects.select_related("flavor"), pk=pk)
    review.is_published = False
    review.save(update_fields=["is_published"])
    return redirect(review.flavor)
