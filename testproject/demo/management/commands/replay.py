"""Lets a crowd into the shop: many requests, in this process, the same ones for the same seed."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any

import django
from django.core.management.base import BaseCommand, CommandError
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test.utils import override_settings

from demo.data import OPENING_DAY, STAFF
from demo.progress import progress_bar
from demo.visits import VISITS, Town, Visit
from flavors.models import Flavor
from orders.models import Order
from reviews.models import Review
from users.models import User


class Command(BaseCommand):
    help = "Sends the shop a realistic mix of requests; exit status 1 if any fails with a 5xx."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--requests", type=int, default=400, help="How many requests.")
        parser.add_argument("--seed", type=int, default=1, help="Which mix of requests.")

    def handle(self, *args: Any, requests: int, seed: int, **options: Any) -> None:
        if requests < 1:
            raise CommandError(f"--requests must be at least 1, not {requests}.")
        if not User.objects.filter(username=STAFF).exists() or not Flavor.objects.exists():
            raise CommandError("The shop is empty. Run `manage.py fill` first.", returncode=2)
        rng = random.Random(seed)
        town = Town(rng)
        statuses: Counter[int] = Counter()
        failed: list[str] = []
        with no_mail(), progress_bar("Serving", requests) as advance:
            for visit in mix(rng, requests):
                response = visit.send(town)
                consume(response)
                statuses[response.status_code] += 1
                if response.status_code >= 500:
                    failed.append(explain(visit, response))
                advance(1)
        close_the_day()
        self.stdout.write(summary(statuses))
        if failed:
            raise CommandError(f"{len(failed)} requests failed, first {failed[0]}.")


def close_the_day() -> None:
    """What the nightly job asks for; no request does."""
    Order.objects.filter(exported_at__gte=OPENING_DAY).count()
    Review.objects.filter(rating=1).count()


def no_mail() -> override_settings:
    """Send mail nowhere, whatever the environment: the addresses are made up."""
    backend = "django.core.mail.backends.dummy.EmailBackend"
    if django.VERSION >= (6, 1):
        return override_settings(MAILERS={"default": {"BACKEND": backend}})
    return override_settings(EMAIL_BACKEND=backend)


def mix(rng: random.Random, requests: int) -> Iterator[Visit]:
    """Yield every visit once, so that no view is left out, then visits as often as they weigh."""
    yield from VISITS[:requests]
    weights = [visit.weight for visit in VISITS]
    for _ in range(requests - len(VISITS)):
        yield rng.choices(VISITS, weights)[0]


def consume(response: HttpResponseBase) -> None:
    """Read a streamed response to its end: only then has its view done all it does."""
    if isinstance(response, StreamingHttpResponse):
        response.getvalue()


def explain(visit: Visit, response: HttpResponseBase) -> str:
    exc_info = getattr(response, "exc_info", None)
    return f"{visit.send.__name__}: {exc_info[1]!r}" if exc_info else visit.send.__name__


def summary(statuses: Counter[int]) -> str:
    by_status = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    return f"Served {statuses.total()} requests: {by_status}"
