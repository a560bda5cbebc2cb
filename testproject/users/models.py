"""Who buys, scoops and keeps the books."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Upper


class User(AbstractUser):
    """A customer, or with ``is_staff`` somebody behind the counter."""

    newsletter = models.BooleanField(default=False)
    loyalty_points = models.PositiveIntegerField(default=0)

    class Meta(AbstractUser.Meta):
        indexes = [
            # Right: an expression index. email__iexact asks for UPPER(email), a plain index on
            # email could not answer.
            models.Index(Upper("email"), name="user_email_upper_idx"),
        ]
