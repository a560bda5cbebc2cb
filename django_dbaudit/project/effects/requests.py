"""What every request has: a user, a session, and data."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.base import SessionBase

from django_dbaudit.project.effects import models
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import NONE, SCALAR, Arguments, Handled, Instance, Live, Value

DATA = frozenset(
    {"GET", "POST", "FILES", "COOKIES", "META", "headers", "body", "path", "path_info", "scheme"}
    | {"data", "query_params", "resolver_match", "content_type", "content_params", "encoding", "auth"}
)
#: What is empty unless something is posted.
POSTED = frozenset({"POST", "FILES"})


def attribute(name: str, method: str) -> Value | None:
    """An attribute that requests have from Django; None for one that the project gives them."""
    if name in POSTED and method != "POST":
        # Django reads a form from the body of a POST alone, and of no PUT.
        return Live({})
    if name in DATA:
        return SCALAR
    if name == "user":
        return models.row(get_user_model())
    if name == "auser":
        return Handled("auser", _auser, NONE)
    return Instance(SessionBase) if name == "session" else None


def _auser(machine: Machine, target: Value, arguments: Arguments, site: Site) -> Value:
    return models.row(get_user_model())
