"""Joining, and changing one's mind about the newsletter."""

from __future__ import annotations

from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.urls import reverse_lazy
from django.views.generic import CreateView, UpdateView

from users.models import User
from users.requests import UserRequest


class JoinForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email", "newsletter")


class Join(CreateView):
    """A new customer, who then logs in."""

    form_class = JoinForm
    template_name = "users/form.html"
    success_url = reverse_lazy("login")


class Profile(LoginRequiredMixin, UpdateView):
    """One's own address and newsletter, nobody else's."""

    request: UserRequest
    fields = ("first_name", "last_name", "email", "newsletter")
    template_name = "users/form.html"
    success_url = reverse_lazy("home")

    def get_object(self, queryset: object = None) -> User:
        return self.request.user
