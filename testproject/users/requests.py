"""A type for the views only somebody logged in can reach."""

from __future__ import annotations

from django.http import HttpRequest

from users.models import User


class UserRequest(HttpRequest):
    """A request behind ``login_required``: its user is never anonymous."""

    user: User
